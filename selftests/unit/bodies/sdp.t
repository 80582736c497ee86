# SPDX-License-Identifier: GPL-2.0-only
#
# Session descriptions: description ; ok ; what was read, or bad ; reason offset
# ("|" is CRLF; see body.c). "?": no address that we could map; "!": kept whole.

# RFC 8866 section 5: an example, all line types
v=0|o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1|s=Call to John Smith|i=SDP Offer #1|u=http://www.jdoe.example.com/home.html|e=Jane Doe <jane@jdoe.example.com>|p=+1 617 555-6011|c=IN IP4 198.51.100.1|b=AS:128|t=0 0|r=7d 1h 0 25h|z=2882844526 -1h|k=prompt|a=recvonly|m=audio 49170 RTP/AVP 0|m=audio 49180 RTP/AVP 0|m=video 51372 RTP/AVP 99|c=IN IP6 2001:db8::2|a=rtpmap:99 h263-1998/90000| ; ok ; c=198.51.100.1 m=audio:49170:rtp recvonly m=audio:49180:rtp recvonly m=video:51372:rtp c=2001:db8::2 recvonly
 ; ok ; 
v=0| ; ok ; 
v=0|s=-|t=0 0|m=audio 5004 RTP/AVP 0|a=sendonly|m=video 5006 RTP/AVP 31| ; ok ; m=audio:5004:rtp sendonly m=video:5006:rtp

# line ends: LF, none at the end, several CR before LF, empty lines at the end
v=0\nc=IN IP4 192.0.2.1\nm=audio 5004 RTP/AVP 0\n ; ok ; c=192.0.2.1 m=audio:5004:rtp
v=0|c=IN IP4 192.0.2.1|m=audio 5004 RTP/AVP 0 ; ok ; c=192.0.2.1 m=audio:5004:rtp
v=0|m=audio 5004 RTP/AVP 0|c=IN IP4 192.0.2.1 ; ok ; m=audio:5004:rtp c=192.0.2.1
v=0|m=audio 5004 RTP/AVP 0|c=IN IP4 192.0.2.1\r ; ok ; m=audio:5004:rtp c=192.0.2.1
v=0\r|c=IN IP4 192.0.2.1\r\r|m=audio 5004 RTP/AVP 0|||\n\n ; ok ; c=192.0.2.1 m=audio:5004:rtp
v=0|\nm=audio 5004 RTP/AVP 0| ; bad ; bad_sdp 6

# what is no description (RFC 8866 section 9: byte-string has no NUL, CR, LF)
v=0|s=a\0b|c=IN IP4 192.0.2.1| ; bad ; bad_sdp 8
v=0|s=-|c=IN IP4 192.0.2.1|m=audio 5004 RTP/AVP 0|\0 ; bad ; bad_sdp 54
v=0|s=a\rb|c=IN IP4 192.0.2.1| ; bad ; bad_sdp 8
v=0|Contact: <sip:a@192.0.2.1>|c=IN IP4 192.0.2.1| ; bad ; bad_sdp 5
v=0|c=IN IP4 192.0.2.1|m=audio 5004 RTP/AVP 0||Via: x| ; bad ; bad_sdp 51
v=0| c=IN IP4 192.0.2.1| ; bad ; bad_sdp 5
v=0|=x| ; bad ; bad_sdp 5
v=0|1=x| ; bad ; bad_sdp 5
v=0|c| ; bad ; bad_sdp 5
v ; bad ; bad_sdp 0
{"v":0} ; bad ; bad_sdp 0

# a second description: the rest is not read
v=0|c=IN IP4 192.0.2.1|m=audio 5004 RTP/AVP 0|v=0|c=IN IP4 192.0.2.2|m=audio 6004 RTP/AVP 0| ; ok ; c=192.0.2.1 m=audio:5004:rtp note=second_sdp
v=0|m=audio 5004 RTP/AVP 0|v=0|this is nothing at all ; ok ; m=audio:5004:rtp note=second_sdp

# blanks: runs, tabs, around = : /
v=0|c= IN   IP4 \t 192.0.2.1  |m =  audio  5004   RTP/AVP  0| ; ok ; c=192.0.2.1 m=audio:5004:rtp
v=0|m=audio 5004 / 2 RTP/AVP 0|c=IN IP4 192.0.2.1 / 127|a = rtcp : 5010  IN IP4  192.0.2.1 |a=sendonly | ; ok ; m=audio:5004/2:rtp c=192.0.2.1 rtcp=5010 rtcp-at=192.0.2.1 sendonly
V=0|M=audio 5004 RTP/AVP 0|C=IN IP4 192.0.2.1| ; ok ; 

# c= (5.7)
v=0|c=IN IP4 224.2.1.1/127/3|m=video 5004/3 RTP/AVP 0| ; ok ; c=224.2.1.1 m=video:5004/3:rtp
v=0|c=IN IP6 ff15::101/3| ; ok ; c=ff15::101
v=0|c=IN IP4 host.example.com| ; ok ; c=host.example.com?
v=0|c=in ip4 192.0.2.1| ; ok ; c=192.0.2.1
v=0|c=IN IP6 2001:DB8::1| ; ok ; c=2001:DB8::1
v=0|c=IN IP6 ::| ; ok ; c=::
v=0|c=IN IP6 fe80::1%eth0| ; ok ; c=fe80::1%eth0?
v=0|c=IN IP6 [2001:db8::1]| ; ok ; c=[2001:db8::1]?
v=0|c=IN IP4 2001:db8::1| ; ok ; c=2001:db8::1?
v=0|c=IN IP6 192.0.2.1| ; ok ; c=192.0.2.1?
v=0|c=ATM NSAP 47.0091.8100| ; ok ; c=47.0091.8100?
v=0|c=IN IP4 192.0.2.1.5| ; ok ; c=192.0.2.1.5?
v=0|c=IN IP4 192.0.2.256| ; ok ; c=192.0.2.256?
v=0|c=IN IP4| ; ok ; c=c=IN IP4!
v=0|c=IN IP4 /127| ; ok ; c=c=IN IP4 /127!
v=0|c=| ; ok ; c=c=!
v=0|c=IN IP4 192.0.2.1|c=IN IP4 192.0.2.2|m=audio 5004 RTP/AVP 0|c=IN IP4 192.0.2.3|c=IN IP4 192.0.2.3| ; ok ; c=192.0.2.1! m=audio:5004:rtp c=192.0.2.3!

# m= (5.14): protocols
v=0|m=audio 1 RTP/SAVP 0|m=video 2 RTP/AVPF 0|m=audio 3 UDP/TLS/RTP/SAVPF 0|m=text 4 rtp/avp 98|m=application 5 RTP/AVP 100| ; ok ; m=audio:1:rtp m=video:2:rtp m=audio:3:rtp m=other:4:rtp m=other:5:rtp
v=0|m=image 1 udptl t38|m=image 2 UDPTL t38|m=image 3 UDP/TLS/UDPTL t38|m=application 4 UDP/BFCP *|m=application 5 UDP/DTLS/SCTP webrtc-datachannel|m=application 6 DTLS/SCTP 5000|m=audio 7 udp x| ; ok ; m=image:1:raw m=image:2:raw m=image:3:raw m=other:4:raw m=other:5:raw m=other:6:raw m=audio:7:raw
v=0|m=message 1 TCP/MSRP *|m=message 2 TCP/TLS/MSRP *|m=application 3 TCP/BFCP *|m=application 4 TCP/DTLS/SCTP x|m=audio 5 TCP/RTP/AVP 0|m=image 6 TCP t38| ; ok ; m=other:1:tcp msrp m=other:2:tcp msrp m=other:3:tcp m=other:4:tcp m=audio:5:tcp m=image:6:tcp
v=0|m=audio 1 DCCP/RTP/AVP 0|m=application 2 SCTP/DTLS 5000|m=application 3 SCTP x|m=audio 4 vat 0|m=x 5 RTPX/AVP 0|m=x 6 TCPX 0|m=x 7 DTLS/SCTP/X 0| ; ok ; m=audio:1:unknown m=other:2:unknown m=other:3:unknown m=audio:4:unknown m=other:5:unknown m=other:6:unknown m=other:7:unknown
# ports: 0, leading zeros, range, counts
v=0|m=audio 0 RTP/AVP 0|m=audio 005004 RTP/AVP 0|m=audio 65535 RTP/AVP 0|m=audio 5004/1 RTP/AVP 0|m=audio 5004/0002 RTP/AVP 0| ; ok ; m=audio:0:rtp m=audio:5004:rtp m=audio:65535:rtp m=audio:5004:rtp m=audio:5004/2:rtp
v=0|m=audio 65536 RTP/AVP 0|m=audio 4294972300 RTP/AVP 0|m=audio -1 RTP/AVP 0|m=audio 0x10 RTP/AVP 0|m=audio $ RTP/AVP 0|m=audio 5004a RTP/AVP 0|m=audio 5004 RTP/AVP 0| ; ok ; m=audio:bad_number:rtp m=audio:bad_number:rtp m=audio:bad_number:rtp m=audio:bad_number:rtp m=audio:bad_number:rtp m=audio:bad_number:rtp m=audio:5004:rtp
v=0|m=audio 5004/0 RTP/AVP 0|m=audio 5004/x RTP/AVP 0|m=audio 5004/65536 RTP/AVP 0| ; ok ; m=audio:bad_number/0:rtp m=audio:bad_number:rtp m=audio:bad_number:rtp
v=0|m=audio 5004/ RTP/AVP 0| ; ok ; m=audio:bad_number:unknown
v=0|m=audio 5004|m=audio|m=| ; ok ; m=audio:bad_value:unknown m=audio:bad_number:unknown m=other:bad_number:unknown
# more than the limit of 16
v=0|m=a 1 RTP/AVP 0|m=a 2 RTP/AVP 0|m=a 3 RTP/AVP 0|m=a 4 RTP/AVP 0|m=a 5 RTP/AVP 0|m=a 6 RTP/AVP 0|m=a 7 RTP/AVP 0|m=a 8 RTP/AVP 0|m=a 9 RTP/AVP 0|m=a 10 RTP/AVP 0|m=a 11 RTP/AVP 0|m=a 12 RTP/AVP 0|m=a 13 RTP/AVP 0|m=a 14 RTP/AVP 0|m=a 15 RTP/AVP 0|m=a 16 RTP/AVP 0|m=a 17 RTP/AVP 0| ; bad ; too_many_streams 284

# a=rtcp (RFC 3605 2.1), a=rtcp-mux (RFC 5761)
v=0|m=audio 5004 RTP/AVP 0|a=rtcp:53020|m=audio 5006 RTP/AVP 0|a=rtcp:53022 IN IP4 126.16.64.4|m=audio 5008 RTP/AVP 0|a=rtcp:53024 IN IP6 2001:2345:6789:ABCD:EF01:2345:6789:ABCD| ; ok ; m=audio:5004:rtp rtcp=53020 m=audio:5006:rtp rtcp=53022 rtcp-at=126.16.64.4 m=audio:5008:rtp rtcp=53024 rtcp-at=2001:2345:6789:ABCD:EF01:2345:6789:ABCD
v=0|m=audio 5004 RTP/AVP 0|a=rtcp:70000|m=audio 5006 RTP/AVP 0|a=rtcp:5007 IN IP4|m=audio 5008 RTP/AVP 0|a=rtcp:|m=audio 5010 RTP/AVP 0|a=rtcp| ; ok ; m=audio:5004:rtp rtcp=0 m=audio:5006:rtp rtcp=5007 rtcp-at=IN IP4! m=audio:5008:rtp m=audio:5010:rtp note=bad_number
v=0|m=audio 5004 RTP/AVP 0|a=rtcp:5010|a=rtcp:5012| ; ok ; m=audio:5004:rtp rtcp=5010
v=0|a=rtcp:5001|m=audio 5004 RTP/AVP 0|a=rtcp-mux|a=rtcp-rsize|a=rtcp-fb:* nack|a=rtcp-xr:x|m=audio 5006 RTP/AVP 0|a=rtcp-mux-only|m=video 5008 RTP/AVP 0|a=rtcp-mux | ; ok ; m=audio:5004:rtp mux m=audio:5006:rtp m=video:5008:rtp mux

# names compare in full and with case
v=0|m=audio 5004 RTP/AVP 0|a=RTCP:1|a=rtcpx:1|a=rtc:1|a=r|a=rt|a=sendonlyx|a=send|a=inactive2|a=middle:1|a=candidates:1|a=setup2:active|a=s|a=g|a=i|a=m|a=c|a=|a=:|a=1| ; ok ; m=audio:5004:rtp

# direction, setup, ICE: session level is the default; BUNDLE (RFC 9143) and mid are not read
v=0|a=inactive|a=setup:actpass|a=ice-ufrag:abcd|m=audio 5004 RTP/AVP 0|m=audio 5006 RTP/AVP 0|a=recvonly|a=sendrecv|a=setup:active|a=ice-ufrag:ef g|m=audio 5008 RTP/AVP 0|a=setup:passive|m=audio 5010 RTP/AVP 0|a=setup:holdconn|m=audio 5012 RTP/AVP 0|a=setup:nonsense| ; ok ; m=audio:5004:rtp inactive actpass ufrag=abcd m=audio:5006:rtp active ufrag=ef g m=audio:5008:rtp inactive passive ufrag=abcd m=audio:5010:rtp inactive holdconn ufrag=abcd m=audio:5012:rtp inactive actpass ufrag=abcd
v=0|a=group:BUNDLE a  vid|a=group:LS x|m=audio 5004 RTP/AVP 0|a=mid:a|m=video 5004 RTP/AVP 0|a=mid:vid|m=video 5008 RTP/AVP 0|a=mid:vi|m=video 5010 RTP/AVP 0|a=mid:x|m=video 5012 RTP/AVP 0| ; ok ; m=audio:5004:rtp m=video:5004:rtp m=video:5008:rtp m=video:5010:rtp m=video:5012:rtp
v=0|a=group:BUNDLE 1|a=group:BUNDLE 2 3|a=group:BUNDLE|a=group|a=group:|m=audio 5004 RTP/AVP 0|a=mid:3|m=audio 0 RTP/AVP 0|a=mid:1|a=bundle-only| ; ok ; m=audio:5004:rtp m=audio:0:rtp
v=0|m=message 7394 TCP/MSRP *|a=path:msrp://192.0.2.1:7394/x;tcp|a=setup:passive|a=msrp-cema|m=message 7394 TCP/MSRP *| ; ok ; m=other:7394:tcp passive msrp cema m=other:7394:tcp msrp

# a=candidate (RFC 8839 5.1), a=remote-candidates (5.2)
v=0|a=candidate:1 1 UDP 1 192.0.2.9 1 typ host|m=audio 5004 RTP/AVP 0|a=candidate:1 1 UDP 2130706431 192.0.2.1 5004 typ host|a=candidate:1 2 udp 2130706430 192.0.2.1 5005 typ host generation 0|a=candidate:2 1 UDP 1 198.51.100.1 51000 typ srflx raddr 192.0.2.1 rport 5004|m=audio 5006 RTP/AVP 0|a=candidate:3 1 TCP 1 192.0.2.1 9 typ host tcptype active|a=candidate:4 1 UDP 1 2001:db8::1 5006 typ relay raddr 192.0.2.1 rport 5006|a=candidate:5 1 UDP 1 7d2c-01.local 5006 typ host|a=candidate:6 1 UDP 1 192.0.2.7 5006 typ prflx raddr 192.0.2.1 rport 1| ; ok ; m=audio:5004:rtp cand=192.0.2.1,5004,host cand=192.0.2.1,5005,host cand=198.51.100.1,51000 m=audio:5006:rtp cand=192.0.2.1,9,tcp,host cand=2001:db8::1,5006 cand=7d2c-01.local?,5006,host cand=192.0.2.7,5006
v=0|m=audio 5004 RTP/AVP 0|a=candidate:1 1 UDP 1 192.0.2.1 5004|a=candidate:1 1 UDP 1 192.0.2.1 5004 typ|a=candidate:1 1 UDP 1 192.0.2.1 5004 host typ|a=candidate:|a=candidate|a=candidate:1 1 UDP 1 192.0.2.1 70000 typ host| ; ok ; m=audio:5004:rtp cand=192.0.2.1,5004 note=bad_number
v=0|m=audio 5004 RTP/AVP 0|a=remote-candidates:1 192.0.2.1 5004 2 192.0.2.1 5005|a=remote-candidates:1 192.0.2.3 5004|m=audio 5006 RTP/AVP 0|a=remote-candidates| ; ok ; m=audio:5004:rtp remote=1 192.0.2.1 5004 2 192.0.2.1 5005 m=audio:5006:rtp
