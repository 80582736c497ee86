# RFC 3261 section 19.1.1
sip:alice@192.168.1.20:5060 ; ok ; sip user=alice host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 default=5060
sip:alice@192.168.1.20 ; ok ; sip user=alice host=192.168.1.20 ip=192.168.1.20 default=5060
sip:192.168.1.20:5060 ; ok ; sip host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 default=5060
SIP:alice@ATLANTA.example;transport=TCP ; ok ; sip user=alice host=ATLANTA.example params=;transport=TCP tcp default=5060
sips:alice@atlanta.example ; ok ; sips user=alice host=atlanta.example default=5061
sips:alice@192.168.1.20:5061;transport=tls ; ok ; sips user=alice host=192.168.1.20 ip=192.168.1.20 port=5061 number=5061 params=;transport=tls tls default=5061
sip:alice@192.168.1.20;transport=tls ; ok ; sip user=alice host=192.168.1.20 ip=192.168.1.20 params=;transport=tls tls default=5061
sip:alice@192.168.1.20;transport=sctp ; ok ; sip user=alice host=192.168.1.20 ip=192.168.1.20 params=;transport=sctp other default=5060
sip:alice@192.168.1.20;transport=ws ; ok ; sip user=alice host=192.168.1.20 ip=192.168.1.20 params=;transport=ws other default=5060
sip:alice@192.168.1.20;transport ; ok ; sip user=alice host=192.168.1.20 ip=192.168.1.20 params=;transport default=5060
sip:alice@192.168.1.20;transport=udp;transport=tcp ; ok ; sip user=alice host=192.168.1.20 ip=192.168.1.20 params=;transport=udp;transport=tcp udp default=5060
sip:alice:secretword@atlanta.example;transport=tcp ; ok ; sip user=alice host=atlanta.example params=;transport=tcp tcp default=5060
sip:alice@192.168.1.20?subject=project%20x&priority=urgent ; ok ; sip user=alice host=192.168.1.20 ip=192.168.1.20 default=5060
sip:alice@192.168.1.20;method=REGISTER?to=alice%40atlanta.example ; ok ; sip user=alice host=192.168.1.20 ip=192.168.1.20 params=;method=REGISTER default=5060
sip:alice;day=tuesday@atlanta.example ; ok ; sip user=alice;day=tuesday host=atlanta.example default=5060
sip:+1-212-555-1212:1234@gateway.example;user=phone ; ok ; sip user=+1-212-555-1212 host=gateway.example params=;user=phone default=5060
sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com ; ok ; sip user=1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;* host=example.com default=5060
sip:+1-202-555-0142;isub=1411;postd=pp22?a/b&c=d$1,2:se192.168.1.20ret@192.168.1.20:5060;user=phone?Subject=192.168.1.20 ; ok ; sip user=+1-202-555-0142;isub=1411;postd=pp22?a/b&c=d$1,2 host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 params=;user=phone default=5060
# the host is behind the user part, whatever that looks like
sip:192.168.1.20%3A5060%40x@192.168.1.20:5060 ; ok ; sip user=192.168.1.20%3A5060%40x host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 default=5060
sip:192.168.1.20:5060@192.168.1.20:5060 ; ok ; sip user=192.168.1.20 host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 default=5060
sip:a;host=192.168.1.20@192.168.1.20 ; ok ; sip user=a;host=192.168.1.20 host=192.168.1.20 ip=192.168.1.20 default=5060
sip:%31%39%32@192.168.1.20:5060 ; ok ; sip user=%31%39%32 host=192.168.1.20 ip=192.168.1.20 port=5060 number=5060 default=5060
sips%3Auser%40example.com ; bad ; scheme
sip:sips%3Auser%40example.com@example.net ; ok ; sip user=sips%3Auser%40example.com host=example.net default=5060
sip:null-%00-null@example.com ; ok ; sip user=null-%00-null host=example.com default=5060
# R55
sip:PBX#1000#x@192.0.2.80 ; ok ; sip user=PBX#1000#x host=192.0.2.80 ip=192.0.2.80 default=5060
sip:100@192.0.2.81:65080;transport=tcp;received=192.0.2.81:62580 ; ok ; sip user=100 host=192.0.2.81 ip=192.0.2.81 port=65080 number=65080 params=;transport=tcp;received=192.0.2.81:62580 tcp default=5060
# maddr
sip:alice@192.168.1.20;maddr=192.168.1.21 ; ok ; sip user=alice host=192.168.1.20 ip=192.168.1.20 params=;maddr=192.168.1.21 maddr-host=192.168.1.21 maddr-ip=192.168.1.21 default=5060
sip:alice@pc.example;MADDR=239.255.255.1;ttl=15 ; ok ; sip user=alice host=pc.example params=;MADDR=239.255.255.1;ttl=15 maddr-host=239.255.255.1 maddr-ip=239.255.255.1 default=5060
sip:alice@pc.example;maddr=[2001:db8::1] ; ok ; sip user=alice host=pc.example params=;maddr=[2001:db8::1] maddr-host=2001:db8::1 maddr-ip=2001:db8::1 default=5060
sip:alice@pc.example;maddr=a.example;maddr=b.example ; ok ; sip user=alice host=pc.example params=;maddr=a.example;maddr=b.example maddr-host=a.example default=5060
sip:alice@pc.example;maddr= ; ok ; sip user=alice host=pc.example params=;maddr= default=5060
sip:alice@pc.example;maddr=1.2.3.4/x ; ok ; sip user=alice host=pc.example params=;maddr=1.2.3.4/x default=5060
sip:alice@pc.example;maddr=2001:db8::1 ; ok ; sip user=alice host=pc.example params=;maddr=2001:db8::1 default=5060
# IPv6
sip:[2001:db8::10]:5070 ; ok ; sip host=2001:db8::10 ip=2001:db8::10 port=5070 number=5070 default=5060
sip:[2001:db8::10:5070] ; ok ; sip host=2001:db8::10:5070 ip=2001:db8::10:5070 default=5060
sip:alice@[2001:db8::9:1];lr ; ok ; sip user=alice host=2001:db8::9:1 ip=2001:db8::9:1 params=;lr default=5060
sip:alice@2001:db8::9:1 ; ok ; sip user=alice default=5060
sip:alice@[2001:db8::1]x ; ok ; sip user=alice default=5060
# no host at all, no port, no end
sip: ; ok ; sip default=5060
sip:@192.168.1.20 ; ok ; sip host=192.168.1.20 ip=192.168.1.20 default=5060
sip:alice@ ; ok ; sip user=alice default=5060
sip:alice@;lr ; ok ; sip user=alice default=5060
sip:a@b@192.168.1.20 ; ok ; sip user=a default=5060
sip:al ice@192.168.1.20 ; ok ; sip default=5060
sip:al"ice@192.168.1.20 ; ok ; sip default=5060
sip:alice@192.168.1.20:99999 ; ok ; sip user=alice bad-port default=5060
sip:alice@192.168.1.20:50x60 ; ok ; sip user=alice bad-port default=5060
sip:alice@192.168.1.20:005060 ; ok ; sip user=alice host=192.168.1.20 ip=192.168.1.20 port=005060 number=5060 default=5060
sip:alice@192.168.1.20,x ; ok ; sip user=alice default=5060
sip:alice@192.168.1.20; ; ok ; sip user=alice host=192.168.1.20 ip=192.168.1.20 params=; default=5060
sip:alice@192.168.1.20;;lr;; ; ok ; sip user=alice host=192.168.1.20 ip=192.168.1.20 params=;;lr;; default=5060
sip:alice@192.168.1.20;lr;x="?";y ; ok ; sip default=5060
# others
tel:+1-201-555-0123;phone-context=192.168.1.20 ; ok ; tel
TEL:112 ; ok ; tel
urn:service:sos.fire ; ok ; other
http://192.168.1.20:5060/ ; ok ; other
soap.beep://192.0.2.103:3002 ; ok ; other
sipx:alice@192.168.1.20 ; ok ; other
alice@192.168.1.20 ; bad ; scheme
192.168.1.20 ; bad ; scheme
/x ; bad ; scheme
* ; bad ; scheme
:alice ; bad ; scheme
 ; bad ; scheme
