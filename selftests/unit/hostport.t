# RFC 3261 section 25.1: hostport = host [ ":" port ]
192.168.1.20 ; ok ; host=192.168.1.20 ip=192.168.1.20
192.168.1.20:5060 ; ok ; host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060
192.168.1.20:5060;lr ; ok ; host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 left=3
192.168.1.20;x=1:2 ; ok ; host=192.168.1.20 ip=192.168.1.20 left=6
pc33.home.example ; ok ; host=pc33.home.example
pc33.home.example:5062 ; ok ; host=pc33.home.example port=5062 number=5062
under_score.example. ; ok ; host=under_score.example.
# others than 192.168.1.20
192.168.1.200 ; ok ; host=192.168.1.200 ip=192.168.1.200
1192.168.1.20 ; ok ; host=1192.168.1.20
192.168.1.20.example.net ; ok ; host=192.168.1.20.example.net
192.168.1.300:5060 ; ok ; host=192.168.1.300 port=5060 number=5060
[2001:db8::9:1] ; ok ; host=2001:db8::9:1 ip=2001:db8::9:1
[2001:db8::9:1]:5060 ; ok ; host=2001:db8::9:1 ip=2001:db8::9:1 port=5060 number=5060
# RFC 5118 section 4.3: part of the address
[2001:db8::10:5070] ; ok ; host=2001:db8::10:5070 ip=2001:db8::10:5070
[2001:db8:::192.0.2.1] ; ok ; host=2001:db8:::192.0.2.1
[fe80::1%25eth0]:5060 ; ok ; host=fe80::1%25eth0 port=5060 number=5060
[192.0.2.1]:5060 ; ok ; host=192.0.2.1 port=5060 number=5060
[] ; bad ; host
[2001:db8::1 ; bad ; host
[2001:db8::1;5060] ; bad ; host
# R70: zeros do not make it octal
192.168.1.20:005060 ; ok ; host=192.168.1.20 ip=192.168.1.20 port=005060 number=5060
192.168.1.20:65535 ; ok ; host=192.168.1.20 ip=192.168.1.20 port=65535 number=65535
192.168.1.20:0 ; ok ; host=192.168.1.20 ip=192.168.1.20 port=0 number=0
192.168.1.20:000000000000000000000000000000005060 ; ok ; host=192.168.1.20 ip=192.168.1.20 port=000000000000000000000000000000005060 number=5060
192.168.1.20:65536 ; bad ; port
192.168.1.20:99999999999999999999 ; bad ; port
192.168.1.20:50x60 ; bad ; port
192.168.1.20:x5060 ; bad ; port
192.168.1.20: ; bad ; port
192.168.1.20:;lr ; bad ; port
192.168.1.20:-1 ; bad ; port
# RFC 5118 section 4.2: no brackets
2001:db8::9:1 ; bad ; host
2001:db8::9:1;lr ; bad ; host
fe80::1 ; bad ; host
a:1:2 ; bad ; host
::1 ; bad ; host
 ; bad ; host
:5060 ; bad ; host
;lr ; bad ; host
@ ; bad ; host
host@other ; ok ; host=host left=6
ho\x00st ; ok ; host=ho left=3
