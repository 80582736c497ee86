# RFC 3261 section 20.10
"Mr. Watson" <sip:watson@worcester.example> ;q=0.7; expires=3600, "Mr. Watson" <mailto:watson@bell-telephone.example> ;q=0.1 ; ok ; whole="Mr.\x20Watson"\x20<sip:watson@worcester.example>\x20;q=0.7;\x20expires=3600 sip user=watson host=worcester.example default=5060 uri=sip:watson@worcester.example params=;q=0.7;\x20expires=3600 expires=3600 | whole="Mr.\x20Watson"\x20<mailto:watson@bell-telephone.example>\x20;q=0.1 other uri=mailto:watson@bell-telephone.example params=;q=0.1
<sip:alice@192.168.1.20:5060> ; ok ; whole=<sip:alice@192.168.1.20:5060> sip user=alice host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 default=5060 uri=sip:alice@192.168.1.20:5060
<sip:alice@192.168.1.20:5060>;expires=60 ; ok ; whole=<sip:alice@192.168.1.20:5060>;expires=60 sip user=alice host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 default=5060 uri=sip:alice@192.168.1.20:5060 params=;expires=60 expires=60
Alice <sip:alice@192.168.1.20:5060>;expires=0300;q=1 ; ok ; whole=Alice\x20<sip:alice@192.168.1.20:5060>;expires=0300;q=1 sip user=alice host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 default=5060 uri=sip:alice@192.168.1.20:5060 params=;expires=0300;q=1 expires=300
Alice B. <sip:alice@192.168.1.20> ; ok ; whole=Alice\x20B.\x20<sip:alice@192.168.1.20> sip user=alice host=192.168.1.20 ip=192.168.1.20 default=5060 uri=sip:alice@192.168.1.20
caller<sip:caller@example.com> ; ok ; whole=caller<sip:caller@example.com> sip user=caller host=example.com default=5060 uri=sip:caller@example.com
* ; ok ; whole=* star other uri=*
 *  ; ok ; whole=* star other uri=*
*, <sip:a@b> ; ok ; whole=* star other uri=* | whole=<sip:a@b> sip user=a host=b default=5060 uri=sip:a@b
*;expires=0 ; ok ; whole=*;expires=0 star other uri=* params=;expires=0 expires=0
"*" <sip:a@b> ; ok ; whole="*"\x20<sip:a@b> sip user=a host=b default=5060 uri=sip:a@b
# without brackets the parameters are the header's
sip:alice@192.168.1.20:5060;expires=60;maddr=192.168.1.20 ; ok ; whole=sip:alice@192.168.1.20:5060;expires=60;maddr=192.168.1.20 sip user=alice host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 default=5060 uri=sip:alice@192.168.1.20:5060 params=;expires=60;maddr=192.168.1.20 expires=60
sip:alice@192.168.1.20:5060,sip:alice@192.168.1.21;expires=5 ; ok ; whole=sip:alice@192.168.1.20:5060 sip user=alice host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 default=5060 uri=sip:alice@192.168.1.20:5060 | whole=sip:alice@192.168.1.21;expires=5 sip user=alice host=192.168.1.21 ip=192.168.1.21 default=5060 uri=sip:alice@192.168.1.21 params=;expires=5 expires=5
sip:alice@192.168.1.20 ;x ; ok ; whole=sip:alice@192.168.1.20\x20;x sip user=alice host=192.168.1.20 ip=192.168.1.20 default=5060 uri=sip:alice@192.168.1.20 params=;x
tel:+12025550123 ; ok ; whole=tel:+12025550123 tel uri=tel:+12025550123
# RFC 4475 3.1.2.13, RFC 3261 20: ambiguous
sip:user@example.com?Route=%3Csip:sip.example.com%3E ; ok ; whole=sip:user@example.com?Route=%3Csip:sip.example.com%3E sip default=5060 uri=sip:user@example.com?Route=%3Csip:sip.example.com%3E
sip:user@192.168.1.20:99999?x=y, <sip:user@192.168.1.20> ; ok ; whole=sip:user@192.168.1.20:99999?x=y sip default=5060 uri=sip:user@192.168.1.20:99999?x=y | whole=<sip:user@192.168.1.20> sip user=user host=192.168.1.20 ip=192.168.1.20 default=5060 uri=sip:user@192.168.1.20
<sip:user@192.168.1.20?Route=%3Csip:sip.example.com%3E> ; ok ; whole=<sip:user@192.168.1.20?Route=%3Csip:sip.example.com%3E> sip user=user host=192.168.1.20 ip=192.168.1.20 default=5060 uri=sip:user@192.168.1.20?Route=%3Csip:sip.example.com%3E
# quoted strings and what they may hold
"a, <sip:b@c>; \\"d\\" \\\\" <sip:alice@192.168.1.20> ; ok ; whole="a,\x20<sip:b@c>;\x20\\"d\\"\x20\\\\"\x20<sip:alice@192.168.1.20> sip user=alice host=192.168.1.20 ip=192.168.1.20 default=5060 uri=sip:alice@192.168.1.20
"192.168.1.20"<sip:alice@192.168.1.20> ; ok ; whole="192.168.1.20"<sip:alice@192.168.1.20> sip user=alice host=192.168.1.20 ip=192.168.1.20 default=5060 uri=sip:alice@192.168.1.20
""<sip:alice@192.168.1.20> ; ok ; whole=""<sip:alice@192.168.1.20> sip user=alice host=192.168.1.20 ip=192.168.1.20 default=5060 uri=sip:alice@192.168.1.20
<sip:alice@192.168.1.20>;+sip.instance="<urn:uuid:0,1;2>";reg-id=1, <sip:b@c> ; ok ; whole=<sip:alice@192.168.1.20>;+sip.instance="<urn:uuid:0,1;2>";reg-id=1 sip user=alice host=192.168.1.20 ip=192.168.1.20 default=5060 uri=sip:alice@192.168.1.20 params=;+sip.instance="<urn:uuid:0,1;2>";reg-id=1 | whole=<sip:b@c> sip user=b host=c default=5060 uri=sip:b@c
<sip:alice@192.168.1.20>;methods="INVITE, ACK";expires="60" ; ok ; whole=<sip:alice@192.168.1.20>;methods="INVITE,\x20ACK";expires="60" sip user=alice host=192.168.1.20 ip=192.168.1.20 default=5060 uri=sip:alice@192.168.1.20 params=;methods="INVITE,\x20ACK";expires="60"
# white space and folds
\r\n <sip:100@192.168.1.20:5060>\r\n ;+sip.instance="<urn:uuid:53>" ; ok ; whole=<sip:100@192.168.1.20:5060>\r\n\x20;+sip.instance="<urn:uuid:53>" sip user=100 host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 default=5060 uri=sip:100@192.168.1.20:5060 params=;+sip.instance="<urn:uuid:53>"
"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n newvalue ;\r\n secondparam ; q = 0.33 ; ok ; whole="Quoted\x20string\x20\\"\\""\x20<sip:jdrosen@example.com>\x20;\x20newparam\x20=\r\n\x20newvalue\x20;\r\n\x20secondparam\x20;\x20q\x20=\x200.33 sip user=jdrosen host=example.com default=5060 uri=sip:jdrosen@example.com params=;\x20newparam\x20=\r\n\x20newvalue\x20;\r\n\x20secondparam\x20;\x20q\x20=\x200.33
< sip:alice@192.168.1.20 > ; ok ; whole=<\x20sip:alice@192.168.1.20\x20> sip user=alice host=192.168.1.20 ip=192.168.1.20 default=5060 uri=sip:alice@192.168.1.20
<\r\n sip:alice@192.168.1.20\r\n > ; ok ; whole=<\r\n\x20sip:alice@192.168.1.20\r\n\x20> sip user=alice host=192.168.1.20 ip=192.168.1.20 default=5060 uri=sip:alice@192.168.1.20
<sip:alice@ 192.168.1.20> ; ok ; whole=<sip:alice@\x20192.168.1.20> sip default=5060 uri=sip:alice@\x20192.168.1.20
# RFC 3261 20.34, 20.30
<sip:server10.biloxi.example;lr>,\r\n <sip:bigbox3.site3.atlanta.example;lr> ; ok ; whole=<sip:server10.biloxi.example;lr> sip host=server10.biloxi.example params=;lr default=5060 uri=sip:server10.biloxi.example;lr | whole=<sip:bigbox3.site3.atlanta.example;lr> sip host=bigbox3.site3.atlanta.example params=;lr default=5060 uri=sip:bigbox3.site3.atlanta.example;lr
<sip:192.168.200.2;lr;ftag=a@b> ; ok ; whole=<sip:192.168.200.2;lr;ftag=a@b> sip user=192.168.200.2;lr;ftag=a host=b default=5060 uri=sip:192.168.200.2;lr;ftag=a@b
# empty elements: odd/empty-elements, R55
, <sip:alice@192.168.1.20:5060>, , ; ok ; whole=<sip:alice@192.168.1.20:5060> sip user=alice host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 default=5060 uri=sip:alice@192.168.1.20:5060
,,,, ; ok ;
 ; ok ;
   ; ok ;
 , \r\n , ; ok ;
<sip:100@198.51.100.1:40312>;expires=300,<sip:PBX#1000#x@192.0.2.80>;expires=900,<sip:100@192.0.2.81:65080;transport=tcp;received=192.0.2.81:62580>;expires=60, ; ok ; whole=<sip:100@198.51.100.1:40312>;expires=300 sip user=100 host=198.51.100.1 ip=198.51.100.1 port=40312 number=40312 default=5060 uri=sip:100@198.51.100.1:40312 params=;expires=300 expires=300 | whole=<sip:PBX#1000#x@192.0.2.80>;expires=900 sip user=PBX#1000#x host=192.0.2.80 ip=192.0.2.80 default=5060 uri=sip:PBX#1000#x@192.0.2.80 params=;expires=900 expires=900 | whole=<sip:100@192.0.2.81:65080;transport=tcp;received=192.0.2.81:62580>;expires=60 sip user=100 host=192.0.2.81 ip=192.0.2.81 port=65080 number=65080 params=;transport=tcp;received=192.0.2.81:62580 tcp default=5060 uri=sip:100@192.0.2.81:65080;transport=tcp;received=192.0.2.81:62580 params=;expires=60 expires=60
<sip:joe@example.org>;;;; ; ok ; whole=<sip:joe@example.org> sip user=joe host=example.org default=5060 uri=sip:joe@example.org
# a value that says nothing does not hide the next
<sip:alice@2001:db8::1>, <sip:alice@192.168.1.20> ; ok ; whole=<sip:alice@2001:db8::1> sip user=alice default=5060 uri=sip:alice@2001:db8::1 | whole=<sip:alice@192.168.1.20> sip user=alice host=192.168.1.20 ip=192.168.1.20 default=5060 uri=sip:alice@192.168.1.20
<>, <sip:alice@192.168.1.20> ; ok ; whole=<> other | whole=<sip:alice@192.168.1.20> sip user=alice host=192.168.1.20 ip=192.168.1.20 default=5060 uri=sip:alice@192.168.1.20
word, <sip:alice@192.168.1.20> ; ok ; whole=word other uri=word | whole=<sip:alice@192.168.1.20> sip user=alice host=192.168.1.20 ip=192.168.1.20 default=5060 uri=sip:alice@192.168.1.20
<alice@192.168.1.20> ; ok ; whole=<alice@192.168.1.20> other uri=alice@192.168.1.20
<sip:alice@192.168.1.20:99999>, <sip:alice@192.168.1.20:50x60> ; ok ; whole=<sip:alice@192.168.1.20:99999> sip user=alice bad-port default=5060 uri=sip:alice@192.168.1.20:99999 | whole=<sip:alice@192.168.1.20:50x60> sip user=alice bad-port default=5060 uri=sip:alice@192.168.1.20:50x60
<sip:a<b@192.168.1.20> ; ok ; whole=<sip:a<b@192.168.1.20> sip default=5060 uri=sip:a<b@192.168.1.20
;x=y ; ok ; whole=;x=y other params=;x=y
<sip:a@b>;expires=99999999999 ; ok ; whole=<sip:a@b>;expires=99999999999 sip user=a host=b default=5060 uri=sip:a@b params=;expires=99999999999
<sip:a@b>;expires=x;expires=5 ; ok ; whole=<sip:a@b>;expires=x;expires=5 sip user=a host=b default=5060 uri=sip:a@b params=;expires=x;expires=5 expires=5
<sip:a@b>;expires ; ok ; whole=<sip:a@b>;expires sip user=a host=b default=5060 uri=sip:a@b params=;expires
<sip:alice@192.168.1.20>\r ; bad ; at=0
# no end that could be told
"open <sip:alice@192.168.1.20> ; bad ; at=0
<sip:a@b>, "open <sip:alice@192.168.1.20> ; bad ; whole=<sip:a@b> sip user=a host=b default=5060 uri=sip:a@b at=11
<sip:alice@192.168.1.20 ; bad ; at=0
"name" sip:alice@192.168.1.20 ; bad ; at=0
"name" ; bad ; at=0
name "quoted" <sip:alice@192.168.1.20> ; bad ; at=0
<sip:alice@192.168.1.20> x ; bad ; at=0
<sip:alice@192.168.1.20><sip:b@c> ; bad ; at=0
<sip:alice@192.168.1.20>;x="open ; bad ; at=0
<sip:alice@192.168.1.20>;="x" ; bad ; at=0
sip:alice@192.168.1.20> ; bad ; at=0
> ; bad ; at=0
sip:al"ice@192.168.1.20 ; bad ; at=0
