# Whole messages: RFC 3261 sections 7, 18.3, 20, 25; RFC 4475.
%via = Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa\r\n
%from = From: <sip:a@x>;tag=1\r\n
%to = To: <sip:b@y>\r\n
%id = Call-ID: c@10.0.0.1\r\n
%cseq = CSeq: 7 OPTIONS\r\n
%line = OPTIONS sip:b@y SIP/2.0\r\n
%head = {via}{from}{to}{id}{cseq}
%inv = Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@y>\r\nCall-ID: c@10.0.0.1\r\nCSeq: 7 INVITE\r\n
%sdp = Content-Type: application/sdp\r\n

%datagram
{line}{head}\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
{line}{head}Content-Length: 0\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa content-length=0 headers=6
SIP/2.0 200 OK\r\n{head}\r\n ; ok ; status=200 OPTIONS cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
SIP/2.0 180 \r\n{inv}\r\n ; ok ; status=180 INVITE cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
SIP/2.0 180\r\n{inv}\r\n ; ok ; status=180 INVITE cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
sip/2.0 699 x SIP/2.0\r\n{head}\r\n ; ok ; status=699 OPTIONS cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
OPTIONS sip:b@y sip/2.0\r\n{head}\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
OPTIONS urn:service:sos SIP/2.0\r\n{head}\r\n ; ok ; OPTIONS ruri=urn:service:sos cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
OPTIONS http://y/z?a=1 SIP/2.0\r\n{head}\r\n ; ok ; OPTIONS ruri=http://y/z?a=1 cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
OPTIONS sip:1.2.3.4:99999 SIP/2.0\r\n{head}\r\n ; ok ; OPTIONS ruri=sip:1.2.3.4:99999 cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
# unknown methods, and responses to them: known by CSeq alone
NEWMETHOD sip:b@y SIP/2.0\r\n{via}{from}{to}{id}CSeq: 1 NEWMETHOD\r\n\r\n ; ok ; other ruri=sip:b@y cseq=1 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
RE%47IST%45R sip:b@y SIP/2.0\r\n{via}{from}{to}{id}CSeq: 1 RE%47IST%45R\r\n\r\n ; ok ; other ruri=sip:b@y cseq=1 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
invite sip:b@y SIP/2.0\r\n{via}{from}{to}{id}CSeq: 1 invite\r\n\r\n ; ok ; other ruri=sip:b@y cseq=1 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
SIP/2.0 405 no\r\n{via}{from}{to}{id}CSeq: 1 NEWMETHOD\r\n\r\n ; ok ; status=405 other cseq=1 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5

# start lines that are none (RFC 4475 3.1.2.7 to 3.1.2.10, 3.1.2.16, 3.1.2.19, R58)
REGISTER /x HTTP/1.1\r\n{head}\r\n ; not_sip ;
GET / HTTP/1.1\r\nHost: x\r\n\r\n ; not_sip ;
OPTIONS sip:b@y SIP/7.0\r\n{head}\r\n ; not_sip ;
OPTIONS sip:b@y SIP/2.0.1\r\n{head}\r\n ; not_sip ;
OPTIONS sip:b@y XSIP/2.0\r\n{head}\r\n ; not_sip ;
SIP/3.0 200 OK\r\n{head}\r\n ; not_sip ;
SIP/2.0\r\n{head}\r\n ; not_sip ;
SIP/2.0 \r\n{head}\r\n ; not_sip ;
 OPTIONS sip:b@y SIP/2.0\r\n{head}\r\n ; not_sip ;
hello\r\n ; not_sip ;
hello ; not_sip ;
\x16\x03\x01\x02\x00\x01 ; not_sip ;
OPTIONS /x SIP/2.0\r\n{head}\r\n ; bad ; bad_start_line at=7
OPTIONS  sip:b@y SIP/2.0\r\n{head}\r\n ; bad ; bad_start_line at=7
OPTIONS sip:b@y  SIP/2.0\r\n{head}\r\n ; bad ; bad_start_line at=7
OPTIONS sip:b@y\tSIP/2.0\r\n{head}\r\n ; bad ; bad_start_line at=7
OPTIONS\tsip:b@y SIP/2.0\r\n{head}\r\n ; bad ; bad_start_line at=7
OPTIONS sip:b@y SIP/2.0 \r\n{head}\r\n ; bad ; bad_start_line at=7
OPTIONS sip:b@y; lr SIP/2.0\r\n{head}\r\n ; bad ; bad_start_line at=7
OPTIONS <sip:b@y> SIP/2.0\r\n{head}\r\n ; bad ; bad_start_line at=7
OPTIONS "sip:b@y" SIP/2.0\r\n{head}\r\n ; bad ; bad_start_line at=7
OPTIONS SIP/2.0\r\n{head}\r\n ; bad ; bad_start_line at=7
OPT<IONS sip:b@y SIP/2.0\r\n{head}\r\n ; bad ; bad_start_line at=3
OPTIONS sip:b@y\x00 SIP/2.0\r\n{head}\r\n ; bad ; bad_start_line at=7
SIP/2.0 4294967301 x\r\n{head}\r\n ; bad ; bad_number at=8
SIP/2.0 99 x\r\n{head}\r\n ; bad ; bad_number at=8
SIP/2.0 099 x\r\n{head}\r\n ; bad ; bad_number at=8
SIP/2.0 700 x\r\n{head}\r\n ; bad ; bad_number at=8
SIP/2.0 2000 x\r\n{head}\r\n ; bad ; bad_number at=8
SIP/2.0  200 x\r\n{head}\r\n ; bad ; bad_start_line at=8
SIP/2.0 20x\r\n{head}\r\n ; bad ; bad_start_line at=8
SIP/2.0 OK\r\n{head}\r\n ; bad ; bad_start_line at=8

# keep-alives: RFC 5626 sections 3.5.1, 4.4; RFC 3261 section 7.5
 ; keepalive ; total=0
\r\n ; keepalive ; total=2
\r\n\r\n ; keepalive ; total=4
\x00 ; keepalive ; total=1
\x00\x00\x00\x00 ; keepalive ; total=4
\r\n\x00\x00 ; keepalive ; total=4
\r\n\r\n{line}{head}\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl ; keepalive ; total=20
\x01\x01\x00\x04\x21\x12\xa4\x42abcdefghijkl\x80\x22\x00\x00 ; keepalive ; total=24
\x00\x01\x00\x00\x00\x00\x00\x00abcdefghijkl ; keepalive ; total=20
\x00\x01\x00\x08\x21\x12\xa4\x42abcdefghijklabcd ; not_sip ;
\x00\x01\x00\x04\x00\x00\x00\x00abcdefghijkl ; not_sip ;
\x00\x01\x00\x03\x21\x12\xa4\x42abcdefghijklabc ; not_sip ;
\x40\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl ; not_sip ;
\x00{line}{head}\r\n ; not_sip ;

# header fields: compact, any case, blanks before the colon, folds, bare LF
{line}v:SIP/2.0/UDP 10.0.0.1\r\nf:<sip:a@x>;tag=1\r\nT:sip:b@y;tag=2\r\ni:c\r\nl:0\r\nCSEQ:7 OPTIONS\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c from-tag=1 to-tag=2 via udp host=10.0.0.1 ip=10.0.0.1 content-length=0 headers=6
{line}vIa \t:  SIP/2.0/UDP 10.0.0.1  \r\nFROM:\r\n <sip:a@x>\r\n ;tag=1\r\nto :sip:b@y\r\nCALL-ID\t: c \r\ncseq: 0009\r\n OPTIONS\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=9 call-id=c from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 headers=5
OPTIONS sip:b@y SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1\nFrom: <sip:a@x>\n ;tag=1\nTo: <sip:b@y>\nCall-ID: c\nCSeq: 7 OPTIONS\nContent-Length: 2\n\nab ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 content-length=2 body=ab headers=6
{line}{head}Subject: a\r\n b\r\n\tc\r\n \r\n\r\nbody ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa body=body headers=5
{line}{head}X-a:\r\nX-b: \r\nx_!%*+`'~.-: 1\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
{line}{head}Subject: \x00\x01\xff\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
{line}{head}Subject: a\rb\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
{line}{head}Contact: <sip:a@10.0.0.1>\r\nExpires: 0060\r\nSession-Expires: 1800;refresher=uac\r\nRoute: <sip:p>\r\nRoute: <sip:q>\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa expires=60 session-expires=1800 headers=10
{line}{head}x: 90\r\nExpires: soon\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa session-expires=90 headers=7
{line}{head}Expires: 4294967295\r\nSession-Expires: 4294967296\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa expires=4294967295 headers=7
{line}{head}no colon\r\n\r\n ; bad ; bad_header at=144
{line}{head}nocolon\r\n\r\n ; bad ; bad_header at=144
{line}{head}: empty\r\n\r\n ; bad ; bad_header at=144
{line}{head}na me: x\r\n\r\n ; bad ; bad_header at=144
{line}{head}n\x00: x\r\n\r\n ; bad ; bad_header at=144
{line}{head}n\x7f: x\r\n"n"<>: x\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
{line}{head}\r\r\n\r\n ; bad ; bad_header at=144
{line} fold\r\n{head}\r\n ; bad ; bad_header at=25

# Via: the topmost value counts, empty elements do not
{line}Via: , ,SIP/2.0/UDP 10.0.0.1;branch=1 , SIP/2.0/UDP 10.0.0.2\r\nVia: SIP/2.0/TCP 10.0.0.3\r\n{from}{to}{id}{cseq}\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=1 headers=5
{line}Via:\r\nVia: ,\r\nVia: SIP/2.0/TCP 10.0.0.3\r\nv: SIP/2.0/TCP broken;;=\r\n{from}{to}{id}{cseq}\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via tcp host=10.0.0.3 ip=10.0.0.3 headers=5
{line}Via: SIP/2.0/UDP 2001:db8::1;rport\r\n{from}{to}{id}{cseq}\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp rport headers=5 bad_value
{line}Via: SIP/2.0/UDP\r\n{from}{to}{id}{cseq}\r\n ; bad ; bad_via at=30
{line}Via: SIP/2.0/UDP 10.0.0.1:99999\r\n{from}{to}{id}{cseq}\r\n ; bad ; bad_number at=30
{line}Via: SIP/2.0/UDP 10.0.0.1;rport=99999\r\n{from}{to}{id}{cseq}\r\n ; bad ; bad_number at=30
{line}Via: x\r\n{via}{from}{to}{id}{cseq}\r\n ; bad ; bad_via at=30

# RFC 4475 3.3.1, 3.3.8: missing and repeated
{line}{from}{to}{id}{cseq}\r\n ; bad ; missing_header at=103
{line}{via}{to}{id}{cseq}\r\n ; bad ; missing_header at=123
{line}{via}{from}{id}{cseq}\r\n ; bad ; missing_header at=131
{line}{via}{from}{to}{cseq}\r\n ; bad ; missing_header at=125
{line}{via}{from}{to}{id}\r\n ; bad ; missing_header at=129
{line}Via: ,\r\n{from}{to}{id}{cseq}\r\n ; bad ; missing_header at=111
{line}{via}{from}{to}Call-ID:\r\n{cseq}\r\n ; bad ; missing_header at=135
{line}{via}From:\r\n{to}{id}{cseq}\r\n ; bad ; bad_header at=73
{line}{head}{from}\r\n ; bad ; repeated_header at=144
{line}{head}t: <sip:b@y>\r\n\r\n ; bad ; repeated_header at=144
{line}{head}{id}\r\n ; bad ; repeated_header at=144
{line}{head}{cseq}\r\n ; bad ; repeated_header at=144
{line}{head}{sdp}c: text/plain\r\n\r\n ; bad ; repeated_header at=175
{line}{head}Expires: 1\r\nExpires: 1\r\n\r\n ; bad ; repeated_header at=156
{line}{head}{via}{via}Contact: <sip:a@x>\r\nContact: <sip:a@x>\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=7

# From and To that cannot be read: RFC 4475 3.1.2.6, 3.1.2.15
{line}{via}{from}To: "open <sip:b@y>\r\n{id}{cseq}\r\n ; bad ; bad_header at=95
{line}{via}From: Bell, A <sip:a@x>;tag=1\r\n{to}{id}{cseq}\r\n ; bad ; bad_header at=74

# CSeq: R56, RFC 4475 3.1.2.4, 3.1.2.17
{line}{via}{from}{to}{id}CSeq: 0 OPTIONS\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=0 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
{line}{via}{from}{to}{id}CSeq: 2147483648 OPTIONS\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=2147483648 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
{line}{via}{from}{to}{id}CSeq: 4294967295 OPTIONS\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=4294967295 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
{line}{via}{from}{to}{id}CSeq: 4294967296 OPTIONS\r\n\r\n ; bad ; bad_cseq at=133
{line}{via}{from}{to}{id}CSeq: 36893488147419103239 OPTIONS\r\n\r\n ; bad ; bad_cseq at=133
{line}{via}{from}{to}{id}CSeq: -1 OPTIONS\r\n\r\n ; bad ; bad_cseq at=133
{line}{via}{from}{to}{id}CSeq: OPTIONS\r\n\r\n ; bad ; bad_cseq at=133
{line}{via}{from}{to}{id}CSeq: 7\r\n\r\n ; bad ; bad_cseq at=133
{line}{via}{from}{to}{id}CSeq: 7OPTIONS\r\n\r\n ; bad ; bad_cseq at=133
{line}{via}{from}{to}{id}CSeq: 7 OPTIONS x\r\n\r\n ; bad ; bad_cseq at=133
{line}{via}{from}{to}{id}CSeq: 7 options\r\n\r\n ; bad ; bad_cseq at=135
{line}{via}{from}{to}{id}CSeq: 7 INVITE\r\n\r\n ; bad ; bad_cseq at=135
{line}{via}{from}{to}{id}CSeq: 7 OPTION\r\n\r\n ; bad ; bad_cseq at=135
{line}{via}{from}{to}{id}CSeq:\r\n\r\n ; bad ; bad_cseq at=132
SIP/2.0 503 x\r\n{via}{from}{to}{id}CSeq: 9292394834772304023312 OPTIONS\r\n\r\n ; bad ; bad_cseq at=123

# RFC 3261 18.3: where the body ends
{line}{head}\r\nall of this ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa body=all\x20of\x20this headers=5
{line}{head}{sdp}\r\nv=0\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa body=v=0\r\n headers=6
{line}{head}Content-Length: 4\r\n\r\nbody ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa content-length=4 body=body headers=6
{line}{head}Content-Length:   0004  \r\n\r\nbody ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa content-length=0004 body=body headers=6
{line}{head}Content-Length: 4\r\nl: 04\r\n\r\nbody ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa content-length=4 body=body headers=7
{line}{head}Content-Length: 4\r\n\r\nbody and more ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa content-length=4 body=body headers=6 body_outside left=9
{line}{head}Content-Length: 0\r\n\r\nv=0\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa content-length=0 headers=6 body_outside left=5
{line}{head}Content-Length: 4\r\n\r\nbo\x00y ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa content-length=4 body=bo\x00y headers=6
{line}{head}Content-Length: 5\r\n\r\nbody ; bad ; bad_content_length at=160 total=0
{line}{head}Content-Length: 4\r\nl: 3\r\n\r\nbody ; bad ; bad_content_length at=166 total=0
{line}{head}Content-Length: -4\r\n\r\nbody ; bad ; bad_content_length at=160 total=0
{line}{head}Content-Length: +4\r\n\r\nbody ; bad ; bad_content_length at=160 total=0
{line}{head}Content-Length: 0x4\r\n\r\nbody ; bad ; bad_content_length at=160 total=0
{line}{head}Content-Length: 4 4\r\n\r\nbody ; bad ; bad_content_length at=160 total=0
{line}{head}Content-Length:\r\n\r\nbody ; bad ; bad_content_length at=159 total=0
{line}{head}Content-Length: 4294967300\r\n\r\nbody ; bad ; bad_content_length at=160 total=0
{line}{head}Content-Length: 18446744073709551620\r\n\r\nbody ; bad ; bad_content_length at=160 total=0

# "a datagram that ends inside a token or before the blank line"
{line}{head} ; bad ; truncated at=144 total=0
{line}{head}Subject: x ; bad ; truncated at=154 total=0
{line}{head}\r ; bad ; truncated at=145 total=0
{line}{head}Subject: x\r\n  ; bad ; truncated at=157 total=0
{line}Via: SIP/2.0/UDP 192.168.1.20:50 ; bad ; truncated at=57 total=0
OPTIONS sip:b@y SIP/2.0 ; bad ; truncated at=23 total=0
OPTIONS sip:b@y SIP/2. ; not_sip ;
SIP/2.0 200 OK ; bad ; truncated at=14 total=0
{line} ; bad ; truncated at=25 total=0

%stream
{line}{head}Content-Length: 0\r\n\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa content-length=0 headers=6
{line}{head}\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa headers=5
{line}{head}Content-Length: 4\r\n\r\nbody ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa content-length=4 body=body headers=6
{line}{head}Content-Length: 4\r\n\r\nbodySIP/2.0 200 OK\r\n ; ok ; OPTIONS ruri=sip:b@y cseq=7 call-id=c@10.0.0.1 from-tag=1 via udp host=10.0.0.1 ip=10.0.0.1 branch=z9hG4bKa content-length=4 body=body headers=6 left=16
{line}{head}Content-Length: 4\r\n\r\nbod ; more ; total=169
{line}{head}Content-Length: 70000\r\n\r\nbody ; bad ; too_long at=160 total=70169
{line}{head}Content-Length: 4\r\nl: 5\r\n\r\nbody ; bad ; bad_content_length at=166 total=0
# a body without a length has no end
{line}{head}{sdp}\r\nv=0\r\n ; bad ; bad_content_length at=177 total=0
# malformed, but its end is known: the stream goes on behind it
{line}{via}{from}{to}Content-Length: 4\r\n\r\nbodySIP/2.0 200 OK\r\n ; bad ; missing_header at=127 total=131
{line}{via}{from}{to}Content-Length: 4\r\n\r\nbo ; more ; total=131
# undecided: R41
 ; more ; total=0
S ; more ; total=0
SIP/2 ; more ; total=0
SIP/2.0 ; more ; total=0
SIP/2.0 2 ; more ; total=0
SIP/3 ; not_sip ;
SIX/2. ; not_sip ;
SIP/2.0x ; not_sip ;
INV ; more ; total=0
INVITE sip:200@examp ; more ; total=0
INVITE sip:200@example.com SIP/2.0\r ; more ; total=0
INVITE sip:200@example.com SIP/2.0\r\n ; more ; total=0
INVITE sip:200@example.com HTTP/1.1\r\n ; not_sip ;
INV< ; not_sip ;
<x ; not_sip ;
\x16\x03\x01 ; not_sip ;
\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl ; not_sip ;
\x00\x00 ; not_sip ;
# RFC 5626 3.5.1
\r\n ; keepalive ; total=2
\r\n\r\n ; keepalive ; total=4
\r\n{line}{head}Content-Length: 0\r\n\r\n ; keepalive ; total=2
