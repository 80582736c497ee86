# RFC 3261 section 20.42
SIP/2.0/UDP erlang.bell-telephone.example:5060;branch=z9hG4bK87asdks7 ; ok ; udp host=erlang.bell-telephone.example port=5060 number=5060 branch=z9hG4bK87asdks7
SIP/2.0/UDP 192.0.2.1:5060 ;received=192.0.2.207;branch=z9hG4bK77asjd ; ok ; udp host=192.0.2.1 ip=192.0.2.1 port=5060 number=5060 branch=z9hG4bK77asjd received=192.0.2.207 received-ip=192.0.2.207
SIP / 2.0 / UDP first.example: 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1 ; ok ; udp host=first.example port=4000 number=4000 branch=z9hG4bKa7c6a8dlze.1 maddr-host=224.2.0.1 maddr-ip=224.2.0.1
SIP/2.0/UDP 192.168.1.20 ; ok ; udp host=192.168.1.20 ip=192.168.1.20
SIP/2.0/TCP 192.168.1.20:5060;rport;branch=z9hG4bKx;alias ; ok ; tcp host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 branch=z9hG4bKx rport
sip/2.0/tls pc.example ; ok ; tls host=pc.example
SIP/2.0/SCTP pc.example ; ok ; other host=pc.example
SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK56sdasks ; ok ; other host=df7jal23ls0d.invalid branch=z9hG4bK56sdasks
SIP/2.0/UNKNOWN t5.example.com;branch=z9hG4bKkdjuw ; ok ; other host=t5.example.com branch=z9hG4bKkdjuw
# white space: RFC 4475 3.1.1.1, LWS around the colon of sent-by
SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw ; ok ; udp host=192.0.2.2 ip=192.0.2.2 branch=390skdjuw
SIP / 2.0 / UDP   192.168.1.20 : 5060  ; branch = z9hG4bKlws ; rport ; ok ; udp host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 branch=z9hG4bKlws rport
SIP/2.0/ UDP 192.168.1.20;branch=z9hG4bKx ; ok ; udp host=192.168.1.20 ip=192.168.1.20 branch=z9hG4bKx
SIP/2.0/\r\n\tTCP 192.168.1.20:5060;branch=z9hG4bKx ; ok ; tcp host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 branch=z9hG4bKx
SIP/2.0/UDP 192.168.1.20\r\n\t:\r\n 5060;rport = ; ok ; udp host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 rport
SIP/2.0/UDP 192.168.1.20:5060\r\n ;rport\r\n\t;branch=z9hG4bKr53 ; ok ; udp host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 branch=z9hG4bKr53 rport
SIP/2.0/UDP 192.168.1.20\n ;rport ; ok ; udp host=192.168.1.20 ip=192.168.1.20 rport
# RFC 3581
SIP/2.0/UDP 10.1.1.1:4540;received=192.0.2.1;rport=9988;branch=z9hG4bKkjshdyff ; ok ; udp host=10.1.1.1 ip=10.1.1.1 port=4540 number=4540 branch=z9hG4bKkjshdyff received=192.0.2.1 received-ip=192.0.2.1 rport rport=9988 number=9988
SIP/2.0/UDP 10.1.1.1;RPORT=05060;Received=192.0.2.1 ; ok ; udp host=10.1.1.1 ip=10.1.1.1 received=192.0.2.1 received-ip=192.0.2.1 rport rport=05060 number=5060
SIP/2.0/UDP 10.1.1.1;rport;rport=5060 ; ok ; udp host=10.1.1.1 ip=10.1.1.1 rport
SIP/2.0/UDP 10.1.1.1;rport=65536 ; bad ; number
SIP/2.0/UDP 10.1.1.1;rport=x ; bad ; number
SIP/2.0/UDP 10.1.1.1;received=1.1.1.1;received=2.2.2.2 ; ok ; udp host=10.1.1.1 ip=10.1.1.1 received=1.1.1.1 received-ip=1.1.1.1
SIP/2.0/UDP 10.1.1.1;received=gw.example ; ok ; udp host=10.1.1.1 ip=10.1.1.1 received=gw.example
SIP/2.0/UDP 10.1.1.1;received ; ok ; udp host=10.1.1.1 ip=10.1.1.1
# IPv6: RFC 5118 section 4.5, R46
SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111 ; ok ; udp host=2001:db8::9:1 ip=2001:db8::9:1 branch=z9hG4bKas3-111 received=[2001:db8::9:255] received-ip=2001:db8::9:255
SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3 ; ok ; udp host=2001:db8::9:1 ip=2001:db8::9:1 branch=z9hG4bKas3 received=2001:db8::9:255 received-ip=2001:db8::9:255
SIP/2.0/UDP [2001:db8::9:1]:6050;received=[2001:db8::1 ; ok ; udp host=2001:db8::9:1 ip=2001:db8::9:1 port=6050 number=6050 received=[2001:db8::1
SIP/2.0/UDP 2001:db8::9:1;branch=z9hG4bKas3 ; ok ; udp branch=z9hG4bKas3
SIP/2.0/UDP [2001:db8::zz]:5060;branch=z9hG4bKas3 ; ok ; udp host=2001:db8::zz port=5060 number=5060 branch=z9hG4bKas3
# maddr
SIP/2.0/UDP pc.example;maddr=192.168.1.20 ; ok ; udp host=pc.example maddr-host=192.168.1.20 maddr-ip=192.168.1.20
SIP/2.0/UDP pc.example;maddr=192.168.1.20:5060 ; ok ; udp host=pc.example
SIP/2.0/UDP pc.example;maddr=1.1.1.1;maddr=2.2.2.2 ; ok ; udp host=pc.example maddr-host=1.1.1.1 maddr-ip=1.1.1.1
SIP/2.0/UDP pc.example;maddr ; ok ; udp host=pc.example
# what else there is: empty parameters, quoted strings, comments
SIP/2.0/UDP 192.0.2.15;;,;,, ; ok ; udp host=192.0.2.15 ip=192.0.2.15 left=4
SIP/2.0/UDP 192.168.1.20:5060;alias;keep=30;i="192.168.1.20,;";oc=3;branch=z9hG4bKa ; ok ; udp host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 branch=z9hG4bKa
SIP/2.0/UDP 192.168.1.20:5060;x="\\",;branch=no";branch=z9hG4bKa ; ok ; udp host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 branch=z9hG4bKa
SIP/2.0/UDP 192.168.1.20 (Acme, server (nested \\) one)) ; ok ; udp host=192.168.1.20 ip=192.168.1.20
SIP/2.0/UDP 192.168.1.20;branch=a (comment, here) ;rport ; ok ; udp host=192.168.1.20 ip=192.168.1.20 branch=a rport
SIP/2.0/UDP 192.168.1.20;branch=a;branch=b ; ok ; udp host=192.168.1.20 ip=192.168.1.20 branch=a
# several values
SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bKe1, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKe2 ; ok ; udp host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 branch=z9hG4bKe1 left=39
SIP/2.0/UDP 192.168.1.20:5060 \r\n , SIP/2.0/UDP 10.0.0.1 ; ok ; udp host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 left=26
# cannot be read
SIP/2.0/UDP ; bad ; via
SIP/2.0/UDP  ; bad ; via
SIP/2.0 192.168.1.20 ; bad ; via
SIP/2.0/ 192.168.1.20 ; bad ; via
/2.0/UDP 192.168.1.20 ; bad ; via
SIP/2.0/UDP192.168.1.20 ; bad ; via
SIP/2.0/UDP/192.168.1.20 ; bad ; via
SIP/2.0/UDP ;branch=z9hG4bK ; bad ; via
SIP/2.0/UDP 192.168.1.20 5060 ; bad ; via
SIP/2.0/UDP 192.168.1.20:50 60 ; bad ; via
SIP/2.0/UDP 192.168.1.20:99999 ; bad ; number
SIP/2.0/UDP 192.168.1.20:;rport ; bad ; number
SIP/2.0/UDP 192.168.1.20;x="open ; bad ; via
SIP/2.0/UDP 192.168.1.20;=x ; bad ; via
SIP/2.0/UDP 192.168.1.20;branch=a b ; bad ; via
SIP/2.0/UDP 192.168.1.20;branch=a"b" ; bad ; via
SIP/2.0/UDP 192.168.1.20 (open ; bad ; via
SIP/2.0/UDP 192.168.1.20;rport\r\nX: y ; bad ; via
"SIP"/2.0/UDP 192.168.1.20 ; bad ; via
