# RFC 3261 section 25.1: generic-param
;a=1;b;c="d;e" ; ok ; name=a value=1 name=b name=c value="d;e"
 ; a = 1 ;\r\n b ;\tc =\r\n "d" ; ok ; name=a value=1 name=b name=c value="d"
;;; a;; ; ok ; name=a
 ; ok ;
; ; ok ;
;find-me=3600 ; ok ; name=find-me value=3600 found found=3600 number=3600
;x-find-me=1;FIND-ME=0300;find-me=2 ; ok ; name=x-find-me value=1 name=FIND-ME value=0300 name=find-me value=2 found found=0300 number=300
;find-me ; ok ; name=find-me found
;find-me="quoted;find-me=2" ; ok ; name=find-me value="quoted;find-me=2" found found="quoted;find-me=2"
;x="find-me=1";find-me=4294967295 ; ok ; name=x value="find-me=1" name=find-me value=4294967295 found found=4294967295 number=4294967295
;find-me=4294967296 ; ok ; name=find-me value=4294967296 found found=4294967296
;find-me=-1 ; ok ; name=find-me value=-1 found found=-1
;find-me=0x10 ; ok ; name=find-me value=0x10 found found=0x10
;find-me=00000000000000000000000000000000000000010 ; ok ; name=find-me value=00000000000000000000000000000000000000010 found found=00000000000000000000000000000000000000010 number=10
;find-m=1;find-mee=2 ; ok ; name=find-m value=1 name=find-mee value=2
;a=1,;find-me=2 ; ok ; name=a value=1 comma=4
;a=[2001:db8::1]:5060;b=a/b?c&d ; ok ; name=a value=[2001:db8::1]:5060 name=b value=a/b?c&d
;a=b=c ; ok ; name=a value=b=c
;a="\\"" ; ok ; name=a value="\\""
;a=(x) (comment ; here);b ; ok ; name=a value=(x) name=b
a=1 ; bad ; at=0
;a b ; bad ; name=a at=3
;a=b c ; bad ; name=a value=b at=5
;a="open ; bad ; at=8
;a="open\\" ; bad ; at=10
;"a" ; bad ; at=1
;=1 ; bad ; at=1
;a="x"y ; bad ; name=a value="x" at=6
;a=b\r\nc ; bad ; name=a value=b at=4
;a=b\r ; bad ; name=a value=b at=4
;a=\x00 ; bad ; name=a at=3
