# RFC 3261 section 25.1 IPv4address; decimal whatever zeros stand before
192.168.1.20 ; ok ; ip=192.168.1.20 private
0.0.0.0 ; ok ; ip=0.0.0.0 unspecified no-host
255.255.255.255 ; ok ; ip=255.255.255.255 no-host
192.168.001.020 ; ok ; ip=192.168.1.20 private
010.000.000.001 ; ok ; ip=10.0.0.1 private
10.0.0.1 ; ok ; ip=10.0.0.1 private
172.15.0.1 ; ok ; ip=172.15.0.1
172.16.0.1 ; ok ; ip=172.16.0.1 private
172.31.255.255 ; ok ; ip=172.31.255.255 private
172.32.0.1 ; ok ; ip=172.32.0.1
192.167.1.1 ; ok ; ip=192.167.1.1
100.63.255.255 ; ok ; ip=100.63.255.255
100.64.0.1 ; ok ; ip=100.64.0.1 private
100.128.0.0 ; ok ; ip=100.128.0.0
169.254.9.9 ; ok ; ip=169.254.9.9 private
127.0.0.1 ; ok ; ip=127.0.0.1 no-host
224.0.0.1 ; ok ; ip=224.0.0.1 no-host
223.255.255.254 ; ok ; ip=223.255.255.254
192.168.1.256 ; bad ;
192.168.1.0020 ; bad ;
192.168.1 ; bad ;
192.168.1.20. ; bad ;
192.168..20 ; bad ;
.168.1.20 ; bad ;
192.168.1.20.5 ; bad ;
192.168.1.2O ; bad ;
192.168.1.20\x00 ; bad ;
192.168.1.20  ; bad ;
1 ; bad ;
 ; bad ;
0x7f.0.0.1 ; bad ;
300.1.1.1 ; bad ;
# RFC 4291 section 2.2, written back as RFC 5952 section 4
2001:db8::9:1 ; ok ; ip=2001:db8::9:1
2001:DB8:0:0:0:0:9:1 ; ok ; ip=2001:db8::9:1
2001:0db8:0000:0000:0000:0000:0009:0001 ; ok ; ip=2001:db8::9:1
2001:db8:0:1:1:1:1:1 ; ok ; ip=2001:db8:0:1:1:1:1:1
2001:0:0:1:0:0:0:1 ; ok ; ip=2001:0:0:1::1
2001:db8:0:0:1:0:0:1 ; ok ; ip=2001:db8::1:0:0:1
::1 ; ok ; ip=::1 no-host
:: ; ok ; ip=:: unspecified no-host
1:: ; ok ; ip=1::
::ffff:192.0.2.10 ; ok ; ip=::ffff:192.0.2.10
::192.0.2.10 ; ok ; ip=::c000:20a
64:ff9b::192.0.2.33 ; ok ; ip=64:ff9b::c000:221
1:2:3:4:5:6:7:8 ; ok ; ip=1:2:3:4:5:6:7:8
1:2:3:4:5:6:7:: ; ok ; ip=1:2:3:4:5:6:7:0
::2:3:4:5:6:7:8 ; ok ; ip=0:2:3:4:5:6:7:8
1:2:3:4:5:6:1.2.3.4 ; ok ; ip=1:2:3:4:5:6:102:304
fd00:1::20 ; ok ; ip=fd00:1::20 private
fc00::1 ; ok ; ip=fc00::1 private
fe80::1 ; ok ; ip=fe80::1 private
febf::1 ; ok ; ip=febf::1 private
fec0::1 ; ok ; ip=fec0::1
ff02::1 ; ok ; ip=ff02::1 no-host
# RFC 5118 section 4.10: three colons, from a mistake in the RFC 3261 grammar
2001:db8:::192.0.2.1 ; bad ;
::: ; bad ;
: ; bad ;
:1 ; bad ;
1: ; bad ;
1:2:3:4:5:6:7 ; bad ;
1:2:3:4:5:6:7:8:9 ; bad ;
1:2:3:4:5:6:7:8:: ; bad ;
1::2::3 ; bad ;
12345::1 ; bad ;
1::g ; bad ;
::1.2.3 ; bad ;
::1.2.3.4.5 ; bad ;
::1.2.3.4:5 ; bad ;
1:2:3:4:5:6:7:1.2.3.4 ; bad ;
# a zone means nothing outside of its host
fe80::1%eth0 ; bad ;
[::1] ; bad ;
0000:0000:0000:0000:0000:ffff:255.255.255.2555 ; bad ;
