# SPDX-License-Identifier: GPL-2.0-only
#
# Bodies: header and body ; ok ; the parts that matter, each with the number of
# the one around it, its own Content-Length, and its bytes ("|" is CRLF; see body.c)

# one body: the type decides, not the look (RFC 3261 20.15)
Content-Type: application/sdp||v=0| ; ok ; sdp {v=0|}
c:application/SDP ; charset="x;y" ||v=0| ; ok ; sdp {v=0|}
Content-Type: Application /| SDP;a=b||v=0| ; ok ; sdp {v=0|}
Content-Type: application/sdp|| ; ok ; 
|v=0|c=IN IP4 192.0.2.1| ; ok ; 
Content-Type: text/plain||v=0| ; ok ; 
Content-Type: application/sdpfrag||v=0| ; ok ; 
Content-Type: application/trickle-ice-sdpfrag||v=0| ; ok ; 
Content-Type: application/sdp+xml||v=0| ; ok ; 
Content-Type: application/sdp x||v=0| ; ok ; 
Content-Type: applications/sdp||v=0| ; ok ; 
Content-Type: application||v=0| ; ok ; 
Content-Type: application/||v=0| ; ok ; 
Content-Type: ;application/sdp||v=0| ; ok ; 
Content-Type: message/sipfrag||SIP/2.0 200 OK|Content-Type: application/sdp||v=0| ; ok ; 
# encryption (RFC 3261 23), encoding (20.12), disposition (20.11; RFC 3959)
Content-Type: application/pkcs7-mime;smime-type=enveloped-data||x ; ok ; note=body_encoded
Content-Type: application/sdp|Content-Encoding: gzip||x ; ok ; note=body_encoded
Content-Type: application/sdp|e: identity||v=0| ; ok ; sdp {v=0|}
Content-Type: application/sdp|Content-Encoding: identity, gzip||v=0| ; ok ; note=body_encoded
Content-Type: multipart/mixed;boundary=b|Content-Encoding: deflate||x ; ok ; note=body_encoded
Content-Type: application/sdp|Content-Disposition: SESSION ;handling=required||v=0| ; ok ; sdp {v=0|}
Content-Type: application/sdp|Content-Disposition: early-session||v=0| ; ok ; sdp {v=0|}
Content-Type: application/sdp|Content-Disposition: render||v=0| ; ok ; note=sdp_no_offer
Content-Type: application/sdp|Content-Disposition: sessions||v=0| ; ok ; note=sdp_no_offer
Content-Type: application/sdp|Content-Disposition: session x||v=0| ; ok ; note=sdp_no_offer
Content-Type: text/plain|Content-Disposition: session||v=0| ; ok ; 

# RFC 2046 5.1.1: preamble, parts, epilogue; quoted and bare boundary
Content-Type: multipart/mixed;boundary=b||v=0|--b|Content-Type: application/sdp||v=0|m=1|--b|Content-Type: application/isup;version=x||v=0|--b--|v=0| ; ok ; multipart {v=0|--b|Content-Type: application/sdp||v=0|m=1|--b|Content-Type: application/isup;version=x||v=0|--b--|v=0|} sdp^0 {v=0|m=1}
Content-Type: multipart/mixed; x="boundary=c"; BOUNDARY = "b; c"||--b; c|Content-Type: application/sdp||v=0|--b; c-- ; ok ; multipart {--b; c|Content-Type: application/sdp||v=0|--b; c--} sdp^0 {v=0}
Content-Type: multipart/related;type="application/sdp";boundary=b||--b \t |Content-Type: application/sdp||v=0||--b-- ; ok ; multipart {--b \t |Content-Type: application/sdp||v=0||--b--} sdp^0 {v=0|}
# line ends; no last delimiter; nothing between
Content-Type: multipart/mixed;boundary=b||--b\nContent-Type: application/sdp\n\nv=0\n--b--\n ; ok ; multipart {--b\nContent-Type: application/sdp\n\nv=0\n--b--\n} sdp^0 {v=0}
Content-Type: multipart/mixed;boundary=b||--b|Content-Type: application/sdp||v=0| ; ok ; multipart {--b|Content-Type: application/sdp||v=0|} sdp^0 {v=0|}
Content-Type: multipart/mixed;boundary=b||--b|Content-Type: application/sdp||--b-- ; ok ; multipart {--b|Content-Type: application/sdp||--b--} sdp^0 {}
Content-Type: multipart/mixed;boundary=b||--b|Content-Type: application/sdp|--b-- ; ok ; multipart {--b|Content-Type: application/sdp|--b--}
Content-Type: multipart/mixed;boundary=b||--b|Content-Type: application/sdp ; ok ; multipart {--b|Content-Type: application/sdp}
Content-Type: multipart/mixed;boundary=b||--b||v=0|--b|x||v=0|--b--|--b|Content-Type: application/sdp||v=0| ; ok ; multipart {--b||v=0|--b|x||v=0|--b--|--b|Content-Type: application/sdp||v=0|}
# what only looks like a delimiter
Content-Type: multipart/mixed;boundary=b||--b|Content-Type: application/sdp||v=0|--bb|-- b|--b-|--b--x|x--b| --b|--|--c|--b|| ; ok ; multipart {--b|Content-Type: application/sdp||v=0|--bb|-- b|--b-|--b--x|x--b| --b|--|--c|--b||} sdp^0 {v=0|--bb|-- b|--b-|--b--x|x--b| --b|--|--c}
# header of a part: compact, folded, in any case, with its own length
Content-Type: multipart/mixed;boundary=b||--b|l : 5|X: y|content-DISPOSITION:|\tsession|c: application/|  sdp||v=0|--b-- ; ok ; multipart {--b|l : 5|X: y|content-DISPOSITION:|\tsession|c: application/|  sdp||v=0|--b--} sdp^0 length=5 {v=0}
Content-Type: multipart/mixed;boundary=b||--b|X:|  y|c: application/sdp|  \t | ;a=b|Content-Length:|  |  5||v=0|--b-- ; ok ; multipart {--b|X:|  y|c: application/sdp|  \t | ;a=b|Content-Length:|  |  5||v=0|--b--} sdp^0 length=5 {v=0}
Content-Type: multipart/mixed;boundary=b||--b| folded: nothing|Content-Type: application/sdp|Content-Length: 005||v=0|--b-- ; ok ; multipart {--b| folded: nothing|Content-Type: application/sdp|Content-Length: 005||v=0|--b--} sdp^0 length=005 {v=0}
Content-Type: multipart/mixed;boundary=b||--b|Content-Type: application/sdp|Content-Encoding: gzip||x|--b|Content-Type: application/sdp|Content-Transfer-Encoding: base64||x|--b|Content-Type: application/sdp|Content-Transfer-Encoding: Binary||v=0|--b-- ; ok ; multipart {--b|Content-Type: application/sdp|Content-Encoding: gzip||x|--b|Content-Type: application/sdp|Content-Transfer-Encoding: base64||x|--b|Content-Type: application/sdp|Content-Transfer-Encoding: Binary||v=0|--b--} sdp^0 {v=0} note=body_encoded
Content-Type: multipart/mixed;boundary=b||--b|Content-Type: application/sdp|Content-Disposition: icon||v=0|--b-- ; ok ; multipart {--b|Content-Type: application/sdp|Content-Disposition: icon||v=0|--b--} note=sdp_no_offer
# boundaries that are none
Content-Type: multipart/mixed||--b|Content-Type: application/sdp||v=0| ; ok ; note=bad_value
Content-Type: multipart/mixed;boundary=||--|Content-Type: application/sdp||v=0| ; ok ; note=bad_value
Content-Type: multipart/mixed;boundary=""||--|Content-Type: application/sdp||v=0| ; ok ; note=bad_value
Content-Type: multipart/mixed;boundary="b||--b|Content-Type: application/sdp||v=0| ; ok ; note=bad_value
# nested: a delimiter outside ends all that is open inside
Content-Type: multipart/mixed;boundary=a||--a|Content-Type: multipart/alternative;boundary=b|Content-Length: 9||--b|Content-Type: application/sdp||v=0|--b--|end|--a|Content-Type: application/sdp||v=1|--a-- ; ok ; multipart {--a|Content-Type: multipart/alternative;boundary=b|Content-Length: 9||--b|Content-Type: application/sdp||v=0|--b--|end|--a|Content-Type: application/sdp||v=1|--a--} multipart^0 length=9 {--b|Content-Type: application/sdp||v=0|--b--|end} sdp^1 {v=0} sdp^0 {v=1}
Content-Type: multipart/mixed;boundary=a||--a|Content-Type: multipart/mixed;boundary=ab||--ab|Content-Type: application/sdp||v=0|--a|Content-Type: application/sdp||v=1|--ab|--a-- ; ok ; multipart {--a|Content-Type: multipart/mixed;boundary=ab||--ab|Content-Type: application/sdp||v=0|--a|Content-Type: application/sdp||v=1|--ab|--a--} multipart^0 {--ab|Content-Type: application/sdp||v=0} sdp^1 {v=0} sdp^0 {v=1|--ab}
# three levels are looked into, a fourth is not
Content-Type: multipart/mixed;boundary=a||--a|c: multipart/mixed;boundary=b||--b|c: multipart/mixed;boundary=c||--c|c: application/sdp||v=0|--c--|--b--|--a-- ; ok ; multipart {--a|c: multipart/mixed;boundary=b||--b|c: multipart/mixed;boundary=c||--c|c: application/sdp||v=0|--c--|--b--|--a--} multipart^0 {--b|c: multipart/mixed;boundary=c||--c|c: application/sdp||v=0|--c--|--b--} multipart^1 {--c|c: application/sdp||v=0|--c--} sdp^2 {v=0}
Content-Type: multipart/mixed;boundary=a||--a|c: multipart/mixed;boundary=b||--b|c: multipart/mixed;boundary=c||--c|c: multipart/mixed;boundary=d||--d|c: application/sdp||v=0|--c--|--b--|--a-- ; bad ; too_many_parts multipart {--a|c: multipart/mixed;boundary=b||--b|c: multipart/mixed;boundary=c||--c|c: multipart/mixed;boundary=d||--d|c: application/sdp||v=0|--c--|--b--|--a--} multipart^0 {--b|c: multipart/mixed;boundary=c||--c|c: multipart/mixed;boundary=d||--d|c: application/sdp||v=0|--c--|--b--} multipart^1 {--c|c: multipart/mixed;boundary=d||--d|c: application/sdp||v=0|--c--}
