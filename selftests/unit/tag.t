# RFC 3261 sections 20.20 and 20.39
<sip:alice@atlanta.example>;tag=1928301774 ; ok ; tag=1928301774
"A. G. Bell" <sip:agb@bell-telephone.example> ;tag=a48s ; ok ; tag=a48s
sip:+12125551212@server.phone2net.example;tag=887s ; ok ; tag=887s
Anonymous <sip:c8oqz84zk7z@privacy.example>;tag=hyh8 ; ok ; tag=hyh8
<sip:bob@biloxi.example> ; ok ;
sip:bob@biloxi.example ; ok ;
# only behind the URI: not in it, not in the display name
";tag=no" <sip:a@b;tag=no>;x=";tag=no";TAG=yes ; ok ; tag=yes
"\\";tag=no" <sip:a@b> ; ok ;
sip:a@b;x-tag=no;tagx=no;tag=yes;tag=no ; ok ; tag=yes
<sip:a@b>;tag ; ok ;
<sip:a@b>;tag= ; ok ;
<sip:a@b>\r\n ; tag\r\n =\r\n 98asjd8 ; ok ; tag=98asjd8
token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%="\xd1\x80;,";tag=_token~1'+`*%!-. ; ok ; tag=_token~1'+`*%!-.
"NUL:\\\x00 DEL:\\\x7f" <sip:a@b>;tag=1 ; ok ; tag=1
isbn:2983792873 ; ok ;
< sip:t.watson@example.org >;tag=1 ; ok ; tag=1
# cannot be read: RFC 4475 3.1.2.6, 3.1.2.15
"Mr. J. User <sip:j.user@example.com> ; bad ; value
Bell, Alexander <sip:a.g.bell@example.com>;tag=43 ; bad ; value
<sip:a@b>;tag=1, <sip:c@d>;tag=2 ; bad ; value
<sip:a@b> tag=1 ; bad ; value
<sip:a@b>;tag="open ; bad ; value
<sip:a@b ; bad ; value
<>;tag=1 ; bad ; value
;tag=1 ; bad ; value
 ; bad ; value
