#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""scripts/sip-strict without a kernel: captures made here, and files of made-up machines.

Prints TAP. Each capture is written byte by byte here, so that its reader agrees
with the formats and not with itself.
"""

import contextlib
import io
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "..", "..", "scripts")
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(SCRIPTS, "sip-strict.d"))

# pylint: disable=wrong-import-position
from sip_strict import cli, metrics, rules, trace   # noqa: E402

PHONE, GATE, PROXY = "192.168.1.20", "198.51.100.1", "203.0.113.5"
PHONE6, PROXY6 = "fd00::20", "2001:db8::5"
FOLDER = tempfile.mkdtemp(prefix="sip-strict-unit-")
# The tool is built by a make of its own: what this make was told (O=, SAN=) is not for it.
for _name in ("MAKEFLAGS", "MAKEOVERRIDES", "O", "SAN"):
    os.environ.pop(_name, None)


class Failed(Exception):
    """What should have held did not."""


def need(condition, text):
    """Fails with a text."""
    if not condition:
        raise Failed(text)


def same(got, wanted):
    """Fails where they differ."""
    need(got == wanted, f"got {got!r}, not {wanted!r}")


def run(*words, codes=(0, 1)):
    """The tool in this process: its output."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        sys.argv = ["sip-strict", *words]
        code = cli.main()
    need(code in codes, f"sip-strict {' '.join(words)}: exit code {code}")
    return out.getvalue()


def explain(*words):
    """explain, as data."""
    return json.loads(run("explain", *words, "--json"))


# ---- packets -----------------------------------------------------------------

def address(text):
    """An address as bytes."""
    if ":" not in text:
        return bytes(int(part) for part in text.split("."))
    head, _, tail = text.partition("::")
    parts = [head.split(":") if head else [], tail.split(":") if tail else []]
    words = parts[0] + ["0"] * (8 - len(parts[0]) - len(parts[1])) + parts[1]
    return b"".join(struct.pack("!H", int(word, 16)) for word in words)


def udp(sport, dport, data):
    """A UDP datagram."""
    return struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data


def tcp(sport, dport, seq, data, flags=0x18):
    """A TCP segment."""
    return struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, 1, 0x50, flags, 1000, 0, 0) + data


def ip(src, dst, proto, data, ident=1, frag=0):
    """An IPv4 or IPv6 packet."""
    if ":" in src:
        return struct.pack("!IHBB", 6 << 28, len(data), proto, 64) + address(src) + address(dst) + data
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), ident, frag, 64, proto, 0) + address(src) + \
        address(dst) + data


def ether(data, tags=()):
    """An Ethernet frame, padded."""
    kind = 0x86dd if data[0] >> 4 == 6 else 0x0800
    head = bytes(12)
    for tpid, tag in tags:
        head += struct.pack("!HH", tpid, tag)
    return head + struct.pack("!H", kind) + data + bytes(max(0, 46 - len(data)))


def pcap(name, packets, link=1, order="<", snap=0):
    """A capture file: (time, bytes) each."""
    path = os.path.join(FOLDER, name)
    with open(path, "wb") as handle:
        handle.write(struct.pack(order + "IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link))
        for when, data in packets:
            kept = data[:snap] if snap else data
            handle.write(struct.pack(order + "IIII", int(when), int(when % 1 * 1000000 + 0.5), len(kept), len(data)))
            handle.write(kept)
    return path


def pcapng(name, packets):
    """The same as pcapng."""
    path = os.path.join(FOLDER, name)
    with open(path, "wb") as handle:
        handle.write(struct.pack("<IIIHHqI", 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0, -1, 28))
        handle.write(struct.pack("<IIHHII", 1, 20, 1, 0, 262144, 20))
        for when, data in packets:
            padded = data + bytes(-len(data) % 4)
            micro = int(when * 1000000)
            handle.write(struct.pack("<IIIIIII", 6, 32 + len(padded), 0, micro >> 32, micro & 0xffffffff, len(data),
                                     len(data)) + padded + struct.pack("<I", 32 + len(padded)))
    return path


def sip(first, host=PHONE, branch="z9hG4bK-1", cseq="1 INVITE", body="", **fields):
    """A message; a header of None is left out."""
    head = {"Via": f"SIP/2.0/UDP {host}:5060;branch={branch}", "From": f"<sip:alice@{PHONE}>;tag=a",
            "To": "<sip:bob@example.com>", "Call-ID": f"call@{PHONE}", "CSeq": cseq, "Max-Forwards": "70",
            "Contact": f"<sip:alice@{host}:5060>"}
    head.update({key.replace("_", "-"): value for key, value in fields.items()})
    if body:
        head.setdefault("Content-Type", "application/sdp")
    head.setdefault("Content-Length", str(len(body)))
    lines = [first] + [f"{key}: {value}" for key, value in head.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def sdp(host=PHONE, port=16384, origin=PHONE):
    """A description with one audio stream."""
    return (f"v=0\r\no=alice 1 1 IN IP4 {origin}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0\r\n")


INVITE = sip("INVITE sip:bob@example.com SIP/2.0", body=sdp())


def out(data=INVITE, src=PHONE, dst=PROXY, sport=5060, dport=5060):
    """The packet of a message that goes out."""
    return ip(src, dst, 17, udp(sport, dport, data))


def labels(message):
    """What would change, by name."""
    return [change["label"] for change in message["changes"]]


def is_invite(path):
    """A capture with INVITE in it, as it should be explained."""
    data = explain(path)
    same(len(data["messages"]), 1)
    same(labels(data["messages"][0]), ["Via", "Contact", "c="])
    return data


# ---- reading captures --------------------------------------------------------

def links():
    """Every link type, tags, byte orders."""
    packet = out()
    sll = struct.pack("!HHH8sH", 0, 1, 6, bytes(8), 0x0800)
    sll2 = struct.pack("!HHIHBB8s", 0x0800, 0, 2, 1, 0, 6, bytes(8))
    pppoe = bytes(12) + struct.pack("!HBBHHH", 0x8864, 0x11, 0, 1, len(packet) + 2, 0x21)
    for name, link, frame in (("ether", 1, ether(packet)), ("vlan", 1, ether(packet, [(0x8100, 5)])),
                              ("qinq", 1, ether(packet, [(0x88a8, 5), (0x8100, 7)])), ("pppoe", 1, pppoe + packet),
                              ("sll", 113, sll + packet), ("sll2", 276, sll2 + packet), ("raw", 101, packet),
                              ("ipv4", 228, packet), ("null", 0, struct.pack("<I", 2) + packet),
                              ("loop", 108, struct.pack("!I", 2) + packet)):
        try:
            is_invite(pcap(name + ".pcap", [(1.5, frame)], link))
            is_invite(pcap(name + ".pcap", [(1.5, frame)], link, ">"))
        except Failed as err:
            raise Failed(f"{name}: {err}") from None
    is_invite(pcapng("ng.pcap", [(1.5, ether(packet))]))


def fragments():
    """Datagrams in fragments, in any order, twice, and one that is never whole."""
    whole = udp(5060, 5060, INVITE)
    parts = [(off, whole[off:off + 160]) for off in range(0, len(whole), 160)]
    for order in (parts, parts[::-1], parts + parts[:1], [parts[1], *parts]):
        frames = [(1, ether(ip(PHONE, PROXY, 17, data, 7, off // 8 | (0x2000 if off + 160 < len(whole) else 0))))
                  for off, data in order]
        is_invite(pcap("frag.pcap", frames))
    same(explain(pcap("frag.pcap", [(1, ether(ip(PHONE, PROXY, 17, parts[0][1], 7, 0x2000)))]))["messages"], [])
    six = [(off, whole[off:off + 160]) for off in range(0, len(whole), 160)]
    frames = [(1, ether(ip(PHONE6, PROXY6, 44, struct.pack("!BBHI", 17, 0, off | (off + 160 < len(whole)), 9) + data)))
              for off, data in six[::-1]]
    same(len(explain(pcap("frag6.pcap", frames))["messages"]), 1)


def segments():
    """TCP: split anywhere, out of order, repeated, several in one, from the middle, behind a gap."""
    first = INVITE.replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP")
    second = sip("BYE sip:bob@example.com SIP/2.0", cseq="2 BYE", branch="z9hG4bK-2").replace(b"/UDP", b"/TCP")
    stream = first + b"\r\n\r\n" + second

    def read(pieces, syn=True):
        frames = [(1, ether(ip(PHONE, PROXY, 6, tcp(5060, 5060, 999, b"", 2))))] if syn else []
        frames += [(2, ether(ip(PHONE, PROXY, 6, tcp(5060, 5060, 1000 + off, data)))) for off, data in pieces]
        return [one["title"] for one in explain(pcap("tcp.pcap", frames))["messages"]]

    both = ["INVITE", "BYE"]
    for size in (1, 7, 100, 536, 5000):
        pieces = [(off, stream[off:off + size]) for off in range(0, len(stream), size)]
        same(read(pieces), both)
        if 1 < len(pieces) < 60:
            same(read(pieces[::-1]), both)
            same(read(pieces + pieces), both)
    half = len(first) // 2
    same(read([(0, stream[:half + 20]), (half, stream[half:])]), both)      # overlapping
    same(read([(0, stream)], syn=False), both)
    same(read([(half, stream[half:len(first) + 4]), (len(first) + 4, second)], syn=False), ["BYE"])
    # NAT slipstreaming: a stream that does not begin as SIP never becomes SIP.
    http = b"POST / HTTP/1.1\r\nContent-Length: 999\r\n\r\n"
    same(read([(0, http), (len(http), second)]), [])
    # Something is missing for good.
    gap = [(0, first[:50]), (60, first[60:])]
    byes = [second.replace(b"2 BYE", b"%03d BYE" % i) for i in range(70)]
    tail = [(len(first) + i * len(byes[i]), byes[i]) for i in range(3, 70)]
    got = read(gap + tail)
    need(len(got) > 50 and set(got) == {"BYE"}, f"behind a gap: {set(got)}, {len(got)}")


def odd_packets():
    """Cut, broken and foreign packets are counted, and do not matter."""
    packet = ether(out())
    data = explain(pcap("cut.pcap", [(1, packet)], snap=100))
    same((data["messages"], data["capture"]["cut"]), ([], 1))
    need("tcpdump -s 0" in run("explain", os.path.join(FOLDER, "cut.pcap")), "the remedy is not said")
    broken = [packet[:cut] for cut in range(len(packet))]
    data = explain(pcap("broken.pcap", [(1, one) for one in broken] + [(2, packet)]))
    same(len(data["messages"]), 1)
    same(data["capture"]["packets"], len(packet) + 1)
    arp = bytes(12) + b"\x08\x06" + bytes(46)
    same(len(explain(pcap("arp.pcap", [(1, arp), (2, packet)]))["messages"]), 1)
    with open(os.path.join(FOLDER, "ether.pcap"), "rb") as handle:
        whole = handle.read()
    with open(os.path.join(FOLDER, "torn.pcap"), "wb") as handle:
        handle.write(whole + whole[24:60])
    same(len(explain(os.path.join(FOLDER, "torn.pcap"))["messages"]), 1)


# ---- one capture -------------------------------------------------------------

def what_would_change():
    """Edits with their values; what is kept, with the rule; the port of a second phone."""
    data = explain(pcap("one.pcap", [(1, ether(out())), (2, ether(out(INVITE.replace(PHONE.encode(), b"192.168.1.21"),
                                                                      "192.168.1.21")))]), "--outside", "192.0.2.7")
    one, two = data["messages"]
    same([(c["label"], c["old"], c["new"]) for c in one["changes"]],
         [("Via", PHONE, "192.0.2.7"), ("Contact", PHONE, "192.0.2.7"), ("Content-Length", "98", "95"),
          ("c=", PHONE, "192.0.2.7")])
    same(sorted(kept["label"] for kept in one["kept"]), ["Call-ID", "From", "o="])
    need(all(kept["why"] and kept["rfc"] for kept in one["kept"]), f"{one['kept']}")
    same([c["line_new"] for c in two["changes"]][0], "Via: SIP/2.0/UDP 192.0.2.7:5061;branch=z9hG4bK-1")


def why_nothing():
    """A reason is given where nothing would change."""
    bad = INVITE.replace(b"CSeq: 1 INVITE", b"CSeq: 1 BYE")
    fqdn = sip("OPTIONS sip:b@example.com SIP/2.0", host="phone.example.com", cseq="1 OPTIONS")
    data = explain(pcap("why.pcap", [(1, ether(out(bad))), (2, ether(out(fqdn))), (3, ether(out(src=GATE))),
                                     (4, ether(out(dst="192.168.1.10")))]))
    malformed, named, outside, local = data["messages"]
    same(malformed["malformed"], "bad_cseq")
    need("CSeq" in malformed["why"], malformed["why"])
    same([note["reason"] for note in named["notes"]], ["fqdn"])
    need(named["notes"][0]["line"].startswith("Via:"), f"{named['notes']}")
    need("neither end is inside" in outside["why"] and "both ends are inside" in local["why"], f"{outside}, {local}")
    same(labels(explain(os.path.join(FOLDER, "why.pcap"), "--inside", "192.168.1.16/28")["messages"][3]),
         ["Via", "Contact", "c="])


def six():
    """IPv6 is not translated, unless --outside6 says so."""
    message = sip("OPTIONS sip:b@example.com SIP/2.0", host=f"[{PHONE6}]", cseq="1 OPTIONS")
    path = pcap("six.pcap", [(1, ether(out(message, PHONE6, PROXY6)))])
    same(labels(explain(path)["messages"][0]), [])
    same(labels(explain(path, "--outside6", "2001:db8:1::1")["messages"][0]), ["Via", "Contact"])


# ---- two captures ------------------------------------------------------------

def sides(sent, got, outward=True, more=()):
    """What explain says of a message that went through a gateway."""
    if outward:
        lan, wan = out(sent), out(got, GATE)
    else:
        lan, wan = out(got, PROXY, PHONE), out(sent, PROXY, GATE)
    lans = [(t, ether(p)) for t, p in more if p[12:16] != address(GATE) and p[16:20] != address(GATE)]
    wans = [(t, ether(p)) for t, p in more if p[12:16] == address(GATE) or p[16:20] == address(GATE)]
    return explain("--lan", pcap("lan.pcap", [(5, ether(lan)), *lans]),
                   "--wan", pcap("wan.pcap", [(5 if outward else 4.999, ether(wan)), *wans]))


def verdicts(data):
    """label -> verdict of the last message."""
    return {change["label"]: change["verdict"] for change in data["messages"][-1]["changes"]}


GOOD = INVITE.replace(b"UDP " + PHONE.encode(), b"UDP " + GATE.encode()).replace(
    b"alice@" + PHONE.encode() + b":", b"alice@" + GATE.encode() + b":").replace(
        b"c=IN IP4 " + PHONE.encode(), b"c=IN IP4 " + GATE.encode()).replace(
            b"Content-Length: %d" % len(sdp()), b"Content-Length: %d" % len(sdp(GATE)))
RIGHT = {"Via": "right", "Contact": "right", "c=": "right"}


def right():
    """A gateway that does as it should, also with ports of its own."""
    same(verdicts(sides(INVITE, GOOD)), RIGHT)
    moved = GOOD.replace(b"m=audio 16384", b"m=audio 40002")
    same(verdicts(sides(INVITE, moved)), {**RIGHT, "m=": "right"})


def wrong():
    """Each kind of fault, one at a time."""
    gate, phone = GATE.encode(), PHONE.encode()
    for label, verdict, got in (
            ("From", "wrong", GOOD.replace(b"<sip:alice@" + phone + b">", b"<sip:alice@" + gate + b">")),
            ("Call-ID", "wrong", GOOD.replace(b"call@" + phone, b"call@" + gate)),
            ("o=", "wrong", GOOD.replace(b"1 IN IP4 " + phone, b"1 IN IP4 " + gate)),
            ("Max-Forwards", "wrong", GOOD.replace(b"Max-Forwards: 70", b"Max-Forwards: 69")),
            ("Max-Forwards", "wrong", GOOD.replace(b"Max-Forwards: 70\r\n", b"")),
            ("X-Gateway", "wrong", GOOD.replace(b"Max-Forwards", b"X-Gateway: yes\r\nMax-Forwards")),
            ("Request-URI", "wrong", GOOD.replace(b"sip:bob@example.com SIP", b"sip:bob@203.0.113.9 SIP")),
            ("Content-Length", "wrong", GOOD.replace(b"Content-Length: %d" % len(sdp(GATE)), b"Content-Length: 99")),
            ("m=", "wrong", GOOD.replace(b"m=audio 16384", b"m=audio 0")),
            ("Contact", "wrong", GOOD.replace(b"alice@" + gate + b":5060", b"alice@192.0.2.3:5060")),
            ("Contact", "missed", GOOD.replace(b"alice@" + gate + b":5060", b"alice@" + phone + b":5060")),
            ("c=", "missed", GOOD.replace(b"c=IN IP4 " + gate, b"c=IN IP4 " + phone)),
            ("Via", "missed", GOOD.replace(b"UDP " + gate, b"UDP " + phone))):
        need(got != GOOD, f"{label}: the test changes nothing")
        data = sides(INVITE, got)
        found = verdicts(data)
        bad = {key: value for key, value in found.items() if value != "right"}
        # A body that was left alone is as long as before: the same fault once more is none.
        bad.pop("Content-Length", None) if label in ("c=", "o=", "m=") else None
        same(bad, {label: verdict})
        change = [c for c in data["messages"][-1]["changes"] if c["label"] == label][0]
        need(change["rfc"] and (change["why"] or change["line_expected"]), f"{change}")
        need(label in run("explain", "--lan", os.path.join(FOLDER, "lan.pcap"), "--wan",
                          os.path.join(FOLDER, "wan.pcap"), "--brief", codes=(1,)), f"{label} is not in the text")


def back():
    """Inwards: what was put outside is taken back, by what was written."""
    answer = sip("SIP/2.0 200 OK", Contact=f"<sip:bob@{PROXY}>")
    seen = answer.replace(b"UDP " + PHONE.encode(), b"UDP " + GATE.encode())
    first = [(1, out()), (1, out(GOOD, GATE))]
    same(verdicts(sides(seen, answer, False, first)), {"Via": "right"})
    same(verdicts(sides(seen, seen, False, first)), {"Via": "missed"})
    call = sip(f"BYE sip:alice@{GATE}:5060 SIP/2.0", host=PROXY, branch="z9hG4bK-x", cseq="7 BYE", Contact=None,
               To=f"<sip:alice@{PHONE}>;tag=a", From="<sip:bob@example.com>;tag=b")
    same(verdicts(sides(call, call.replace(f"@{GATE}:5060 SIP".encode(), f"@{PHONE}:5060 SIP".encode()), False, first)),
         {"Request-URI": "right"})


def clocks_and_copies():
    """Clocks an hour apart, repeated and lost messages."""
    begin = 5000
    lan = pcap("lan.pcap", [(begin + t, ether(out())) for t in (0, 0.5, 1.5)])
    for clock in (-3600, 0, 3600):
        for copies, arrived in (((0, 0.5, 1.5), [True] * 3), ((0, 1.5), [True, False, True]),
                                ((0,), [True, False, False])):
            wan = pcap("wan.pcap", [(begin + clock + t, ether(out(GOOD, GATE))) for t in copies])
            data = explain("--lan", lan, "--wan", wan)
            same((clock, copies, [one["arrived"] for one in data["messages"]]), (clock, copies, arrived))
    data = explain("--lan", os.path.join(FOLDER, "both.pcap"), "--wan", pcap("both.pcap", [
        (1.0, ether(out())), (1.0004, ether(out(GOOD, GATE)))]))
    same([one["arrived"] for one in data["messages"]], [True])


def media():
    """RTP that leaves from another port than the SDP says, and RTP that is lost."""
    rtp = b"\x80\0" + bytes(170)

    def flow(src, sport, dst, dport, count):
        return [(6 + i / 50, ip(src, dst, 17, udp(sport, dport, rtp))) for i in range(count)]

    good = (flow(PHONE, 16384, PROXY, 31000, 20) + flow(GATE, 16384, PROXY, 31000, 20) +
            flow(PROXY, 31000, GATE, 16384, 20) + flow(PROXY, 31000, PHONE, 16384, 20))
    same([one["faults"] for one in sides(INVITE, GOOD, True, good)["media"]], [[]])
    moved = flow(PHONE, 16384, PROXY, 31000, 20) + flow(GATE, 1029, PROXY, 31000, 20)
    fault = sides(INVITE, GOOD, True, moved)["media"][0]["faults"]
    need(len(fault) == 1 and f"{GATE}:1029" in fault[0], f"{fault}")
    lost = flow(PROXY, 31000, GATE, 16384, 20)
    need("20 packets from outside" in sides(INVITE, GOOD, True, lost)["media"][0]["faults"][0], "lost media is not said")


def page():
    """The ladder holds the bytes of the wire escaped, and fetches nothing."""
    evil = INVITE.replace(b"Max-Forwards: 70", b"Subject: <script src=//x>&\x00\xff")
    target = os.path.join(FOLDER, "page.html")
    run("explain", pcap("evil.pcap", [(1, ether(out(evil)))]), "--html", target)
    with open(target, encoding="utf-8") as handle:
        text = handle.read()
    need("&lt;script src=//x&gt;&amp;" in text and "<script" not in text, "not escaped")
    need("src=" not in text.replace("src=//x", "") and "href" not in text and "@import" not in text, "it fetches")
    need(text.count('class="chip would"') == 3 + 3, "the changes are not marked")


# ---- rule sets ---------------------------------------------------------------

def forward(*lines, save=True):
    """Does such a FORWARD chain of iptables drop related packets for certain?"""
    text = "*filter\n:FORWARD DROP [0:0]\n:LAN - [0:0]\n" + "".join(f"-A {line}\n" for line in lines) + "COMMIT\n"
    packet = rules.Packet(["ppp0"], (16384, 32767), "sip-strict", "ipv4")
    return bool(rules.droppers({}, rules.iptables(text, "ip", "iptables"), packet)) if save else None


def firewalls():
    """What lets related packets in, and what does not."""
    established = "FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT"
    lan = "FORWARD -i eth0 -j ACCEPT"
    for lines, drops in (((established, lan), True), ((established.replace("ESTABL", "RELATED,ESTABL"), lan), False),
                         (("FORWARD -m state --state RELATED,ESTABLISHED -j ACCEPT",), False),
                         (("FORWARD -j LAN", "LAN -m conntrack --ctstate RELATED -j ACCEPT"), False),
                         (("FORWARD -g LAN", "LAN -m conntrack --ctstate ESTABLISHED -j ACCEPT"), True),
                         (("FORWARD -j LAN", "LAN -j RETURN", "LAN -m conntrack --ctstate RELATED -j ACCEPT"), True),
                         (("FORWARD -i ppp+ -j ACCEPT",), False), (("FORWARD ! -i eth0 -j ACCEPT",), False),
                         (("FORWARD ! -i ppp0 -j ACCEPT",), True), (("FORWARD -p tcp -j ACCEPT",), True),
                         (("FORWARD -p udp -m udp --dport 5060 -j ACCEPT",), True),
                         (("FORWARD -p udp -m udp --dport 16384:32767 -j ACCEPT",), False),
                         (("FORWARD -m mark --mark 0x1 -j ACCEPT",), False),
                         (("FORWARD -m helper --helper ftp -m conntrack --ctstate RELATED -j ACCEPT",), True),
                         (("FORWARD -m helper --helper sip-strict -j ACCEPT",), False),
                         (("FORWARD -m conntrack ! --ctstate INVALID -j ACCEPT",), False),
                         (("FORWARD -j DROP", "FORWARD -m conntrack --ctstate RELATED -j ACCEPT"), True)):
        same((lines, forward(*lines)), (lines, drops))


def nft_rule(*exprs):
    """A rule as nft -j has it."""
    return {"rule": {"family": "inet", "table": "f", "chain": "forward", "handle": 1, "expr": list(exprs)}}


def match(left, right, op="=="):
    """A match as nft -j has it."""
    return {"match": {"op": op, "left": left, "right": right}}


def nft_firewalls():
    """The same in nftables' own words."""
    state, helper = {"ct": {"key": "state"}}, {"ct": {"key": "helper"}}
    iif, dport = {"meta": {"key": "iifname"}}, {"payload": {"protocol": "udp", "field": "dport"}}
    accept = {"accept": None}
    for exprs, drops in ((([match(state, "established"), accept],), True),
                         (([match(state, ["established", "related"], "in"), accept],), False),
                         (([match(state, {"set": ["established", "related"]}), accept],), False),
                         (([match(state, "invalid", "!="), accept],), False),
                         (([match(state, "related"), match(helper, "ftp"), accept],), True),
                         (([match(state, "related"), match(helper, "sip-strict"), accept],), False),
                         (([match(iif, "lan0"), accept],), True), (([match(iif, "ppp*"), accept],), False),
                         (([match(iif, {"set": ["lan0", "lan1"]}), accept],), True),
                         (([match(dport, 5060), accept],), True), (([match(dport, {"set": [5060, 5061]}), accept],), True),
                         (([match(dport, {"range": [10000, 60000]}), accept],), False),
                         (([match(dport, "@media"), accept],), False),
                         (([match({"meta": {"key": "l4proto"}}, "tcp"), accept],), True),
                         (([{"counter": {}}, {"jump": {"target": "nowhere"}}],), False),
                         (([{"drop": None}], [accept]), True), (([accept], [{"drop": None}]), False),
                         (([{"reject": {"type": "icmp"}}],), True)):
        items = [{"chain": {"family": "inet", "table": "f", "name": "forward", "type": "filter", "hook": "forward",
                            "prio": 0, "policy": "drop"}}] + [nft_rule(*one) for one in exprs]
        packet = rules.Packet(["ppp0"], (16384, 32767), "sip-strict", "ipv4")
        found = rules.droppers(rules.nft(json.dumps({"nftables": items})), {}, packet)
        same((exprs, bool(found)), (exprs, drops))


def places():
    """Where a rule of nftables cannot give a helper."""
    def fault(hook, priority, *more, family="inet", jump=None):
        items = [{"ct helper": {"family": family, "table": "f", "name": "h", "type": "sip-strict", "protocol": "udp"}},
                 {"chain": {"family": family, "table": "f", "name": "forward", "type": "filter", "hook": hook,
                            "prio": priority, "policy": "accept"} if hook else
                           {"family": family, "table": "f", "name": "forward"}},
                 nft_rule(*more, {"ct helper": "h"})]
        if jump:
            items += [{"chain": {"family": family, "table": "f", "name": "base", "hook": jump, "prio": 0, "type": "filter",
                                 "policy": "accept"}}, nft_rule({"jump": {"target": "forward"}})]
            items[-1]["rule"]["chain"] = "base"
        text = json.dumps({"nftables": items}).replace('"family": "inet"', f'"family": "{family}"')
        found = rules.assignments(rules.nft(text), {})[0]["fault"]
        return found and found[0]

    state = {"ct": {"key": "state"}}
    for wanted, got in ((None, fault("prerouting", 0)), (None, fault("prerouting", -199)), (None, fault("forward", 0)),
                        (None, fault("output", -100)), (None, fault("postrouting", 100)),
                        (None, fault("prerouting", 0, match(state, ["new", "established"], "in"))),
                        (None, fault(None, 0, jump="prerouting")),
                        ("early", fault("prerouting", -200)), ("early", fault("output", -300)),
                        ("early", fault("ingress", 0, family="netdev")), ("late", fault("postrouting", 300)),
                        ("late", fault("input", 2147483647)), ("unused", fault(None, 0)),
                        ("late", fault("prerouting", 0, match(state, "established")))):
        same(got, wanted)


def assignments():
    """Rules of iptables that give a helper, with their ports; a map of nftables that does."""
    ruleset = [{"ct helper": {"family": "ip", "table": "f", "name": name, "type": kind, "protocol": "udp"}}
               for name, kind in (("a", "sip-strict"), ("b", "sip-observe"))]
    ruleset += [{"chain": {"family": "inet", "table": "f", "name": "forward", "type": "filter", "hook": "forward",
                           "prio": 0, "policy": "drop"}},
                nft_rule({"ct helper": {"map": {"key": {"payload": {"protocol": "udp", "field": "dport"}},
                                                "data": {"set": [[5060, "a"], [5070, "b"]]}}}})]
    found = rules.assignments(rules.nft(json.dumps({"nftables": ruleset}).replace('"ip"', '"inet"')), {})
    same([(one["helper"], one["ports"], one["fault"]) for one in found],
         [("sip-strict", [(5060, 5060), (5070, 5070)], None), ("sip-observe", [(5060, 5060), (5070, 5070)], None)])
    text = ("*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -m udp --dport 5060:5062 -j CT --helper sip-strict\n"
            "-A PREROUTING -p udp -m multiport --dports 5080,6000:6001 -j CT --helper sip\n"
            "-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\n-A PREROUTING -j CT --notrack\nCOMMIT\n")
    found = rules.assignments({}, rules.iptables(text, "ip", "iptables"))
    same([(one["helper"], one["ports"]) for one in found],
         [("sip-strict", [(5060, 5062)]), ("sip", [(5080, 5080), (6000, 6001)]), ("ftp", [(21, 21)])])
    same(found[1]["delete"], "iptables -t raw -D PREROUTING -p udp -m multiport --dports 5080,6000:6001 -j CT "
                             "--helper sip")


# ---- status of made-up machines ----------------------------------------------

STAT = "messages 10\nedit_failed 0\nedit_contact 4\nhelper_lost {helper_lost}\nskip_other_host {other_host}\nskip_other_nat {other_nat}\nskip_no_port {no_port}\ndialogs_now 1\n"
RULES = {"nftables": [
    {"table": {"family": "inet", "name": "t"}},
    {"ct helper": {"family": "inet", "table": "t", "name": "s", "type": "sip-strict", "protocol": "udp"}},
    {"chain": {"family": "inet", "table": "t", "name": "c", "type": "filter", "hook": "prerouting", "prio": 0,
               "policy": "accept"}},
    {"rule": {"family": "inet", "table": "t", "chain": "c", "handle": 3, "expr": [
        {"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 5060}},
        {"ct helper": "s"}]}}]}


def machine(files=None, commands=None, **stat):
    """What status says of a machine with these files, beside those of a good one."""
    root = tempfile.mkdtemp(dir=FOLDER)
    base = "proc/sys/net/netfilter/"
    every = {"proc/modules": "nf_conntrack_sip_strict 1 0 - Live 0x0\n", "proc/sys/kernel/osrelease": "6.1.0\n",
             "sys/module/nf_conntrack_sip_strict/version": "1.2\n",
             "proc/net/nf_conntrack_sip_strict": "", base + "nf_conntrack_expect_max": "1024\n",
             "proc/net/stat/nf_conntrack_sip_strict": STAT.format(**{"other_host": 0, "other_nat": 0, "no_port": 0, "helper_lost": 0,
                                                                     **stat})}
    every.update({base + "nf_conntrack_sip_strict/" + key: value + "\n" for key, value in {
        "mode": "1", "auto_assign": "0", "publish_expect": "256", "media_port_min": "16384", "media_port_max": "32767",
        "dialog_max": "16384", "host_max": "8192", "media_host": "0", "external_addr4": ""}.items()})
    every.update({"commands/" + key: value for key, value in {"nft_-j_list_ruleset": json.dumps(RULES), "conntrack_-L_-f_ipv4_-p_udp": "",
                                                              **(commands or {})}.items()})
    every.update(files or {})
    for path, text in every.items():
        if text is not None:
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as handle:
                handle.write(text)
    return root


def ids(root, kind="problems"):
    """The names of problems or notes."""
    return [one["id"] for one in json.loads(run("status", "--root", root, "--json"))[kind]]


KNOBS = "proc/sys/net/netfilter/nf_conntrack_sip_strict/"


def good_machine():
    """No problem, exit code 0."""
    root = machine()
    same(ids(root), [])
    need("no problem found" in run("status", "--root", root, codes=(0,)), "not fine")


def settings():
    """Files of sysctl.d: which one counts, and which not."""
    conf = "net.netfilter.nf_conntrack_sip_strict."
    for files, wanted in (({"etc/sysctl.d/90-x.conf": conf + "mode = 2\n"}, ["setting_differs"]),
                          ({"etc/sysctl.d/90-x.conf": conf + "mode = 1\n"}, []),
                          ({"etc/sysctl.d/90-x.conf": "# " + conf + "mode = 2\n; " + conf + "mode=0\n"}, []),
                          ({"etc/sysctl.d/90-x.conf": "-net/netfilter/nf_conntrack_sip_strict/mode=0\n"},
                           ["setting_differs"]),
                          # An earlier folder's file of the same name hides the later one.
                          ({"usr/lib/sysctl.d/50-a.conf": conf + "mode=2\n", "etc/sysctl.d/50-a.conf": "\n"}, []),
                          # The last file by name counts.
                          ({"etc/sysctl.d/10-a.conf": conf + "mode=2\n", "usr/lib/sysctl.d/50-a.conf": conf + "mode=1\n"},
                           []),
                          ({"etc/sysctl.d/10-a.conf": conf + "mode=1\n", "etc/sysctl.conf": conf + "mode=0\n"},
                           ["setting_differs"])):
        same((files, ids(machine(files))), (files, wanted))


def not_known():
    """What cannot be read is said, and nothing is made of it."""
    blind = machine({"commands/nft_-j_list_ruleset": None, "commands/conntrack_-L_-f_ipv4_-p_udp": None})
    same((ids(blind), ids(blind, "notes")), ([], ["no_conntrack", "no_rules_seen"]))


FLOW = "udp 17 29 src=192.168.1.2 dst=203.0.113.5 sport=5060 dport={0} src=203.0.113.5 dst=198.51.100.1 sport={0} " \
       "dport=5060 mark=0 {1}use=1\n"


def flows():
    """Flows without the helper: why, by what rules and counters say."""
    bare, served = FLOW.format(5060, ""), FLOW.format(5080, "helper=sip-strict ")

    def said(port, flows, narrow=False, **stat):
        ruleset = json.loads(json.dumps(RULES).replace("5060", str(port)))
        if narrow:
            ruleset["nftables"][-1]["rule"]["expr"].insert(0, match({"payload": {"protocol": "ip", "field": "daddr"}},
                                                                     "203.0.113.5"))
        root = machine(commands={"nft_-j_list_ruleset": json.dumps(ruleset), "conntrack_-L_-f_ipv4_-p_udp": flows}, **stat)
        return ids(root), ids(root, "notes")

    same(said(5060, bare), (["flows_without_helper"], []))
    same(said(5060, bare, True), ([], ["flows_without_helper"]))
    same(said(5060, bare, helper_lost=1), ([], ["helper_lost"]))
    same(said(5080, bare), (["wrong_port"], []))
    same(said(5080, ""), (["wrong_port"], []))
    same(said(5080, served), ([], []))
    same(said(5080, served + bare), (["wrong_port"], []))


def six_firewall():
    """The filter of IPv6 counts where flows of IPv6 are served."""
    text = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate {0} -j ACCEPT\nCOMMIT\n"
    flow = FLOW.replace("192.168.1.2", "fd00::2").format(5060, "helper=sip-strict ")
    for flows_six, states, wanted in ((flow, "ESTABLISHED", ["related_dropped"]), ("", "ESTABLISHED", []),
                                      (flow, "RELATED,ESTABLISHED", [])):
        same(ids(machine({"proc/net/if_inet6": "20010db8000000000000000000000001 02 40 00 80     wan0\n"},
                         {"conntrack_-L_-f_ipv6_-p_udp": flows_six, "ip6tables-save": text.format(states)})), wanted)


def loading():
    """Why a module is not loaded."""
    gone = {KNOBS + name: None for name in ("mode", "auto_assign", "publish_expect", "media_port_min", "media_port_max",
                                            "dialog_max", "host_max", "media_host", "external_addr4")}
    gone["proc/modules"] = ""
    path = {"modinfo_-n_nf_conntrack_sip_strict": "/lib/modules/6.1.0/updates/x.ko\n"}
    same(ids(machine(gone)), ["not_installed"])
    same(ids(machine(gone, path)), ["not_loaded"])
    same(ids(machine(gone, {**path, "dmesg": "[ 1.0] Loading of unsigned module is rejected\n"})), ["secure_boot"])
    same(ids(machine(gone, {**path, "dmesg": "[ 1.0] nf_conntrack_sip_strict: the name sip is held by another helper\n"})),
         ["load_failed"])


def limits():
    """Sizes and counters that mean trouble."""
    same(ids(machine(no_port=3)), ["no_port"])
    same(ids(machine({KNOBS + "media_port_max": "16400\n"})), ["port_range"])
    same(ids(machine({"proc/sys/net/netfilter/nf_conntrack_count": "999\n",
                      "proc/sys/net/netfilter/nf_conntrack_max": "1000\n"})), ["conntrack_full"])
    same(ids(machine({"proc/sys/net/netfilter/nf_conntrack_expect_max": "64\n"}), "notes"), ["expect_max"])
    same(ids(machine({"sys/module/nf_conntrack/parameters/expect_hashsize": "64\n"}), "notes"), ["expect_table"])
    same(ids(machine(other_host=2), "notes"), ["other_host"])
    same(ids(machine({KNOBS + "media_host": "1\n"}, other_host=2), "notes"), [])
    same(ids(machine({KNOBS + "mode": "2\n"}), "notes"), ["mode_observe"])
    same(ids(machine({"proc/modules": "openvswitch 1 0 - Live 0x0\n"}), "notes"), ["not_routed"])


def others():
    """In-tree, automatic or by flows; another NAT in the path."""
    flow = "udp 17 29 src=192.168.1.2 dst=203.0.113.5 sport=5060 dport=5060 src=203.0.113.5 dst=198.51.100.1 " \
           "sport=5060 dport=5060 mark=0 helper=sip use=1\n"
    same(ids(machine(commands={"conntrack_-L_-f_ipv4_-p_udp": flow})), ["in_tree_assigned"])
    same(ids(machine({"proc/modules": "nf_conntrack_sip 1 0 - Live 0x0\n",
                      "proc/sys/net/netfilter/nf_conntrack_helper": "1\n"})), ["in_tree_assigned"])
    same(ids(machine({"proc/modules": "nf_conntrack_sip 1 0 - Live 0x0\n"}), "notes"), ["in_tree_loaded"])
    # Under the name of the in-tree helper ours stands in for it.
    named = json.loads(json.dumps(RULES).replace("sip-strict", "sip"))
    same(ids(machine({"sys/module/nf_conntrack_sip_strict/parameters/helper_name": "sip\n"},
                     {"nft_-j_list_ruleset": json.dumps(named), "conntrack_-L_-f_ipv4_-p_udp": flow})), [])
    call = ("kind=registration contact=192.168.1.20:5060 out=198.51.100.1:5060 proto=udp peer=203.0.113.5 zone=0 "
            "state=live expires=30 other_nat=192.0.2.80 other_alg=1\n")
    root = machine({"proc/net/nf_conntrack_sip_strict": call}, other_nat=1)
    same(ids(root, "notes"), ["beyond"])
    for words in (("status", "--root", root), ("calls", "--root", root)):
        said = run(*words)
        need("192.0.2.80" in said and "another ALG" in said, said)


CALL = ("kind=call call_id=a\\x20b dir=out inside=192.168.1.20:5060 outside=203.0.113.5:5060 zone=0 state=confirmed "
        "observe=0 emergency=0 held=0 legs=1 age=34 answered=30 idle=2 expires=43198 verdict=outside_not_heard "
        "other_nat=- other_alg=0 new_key=7 media=audio,kind=rtp,mline=0,in=192.168.1.20:16384,out=198.51.100.1:16384,"
        "proto=udp,open=1,entries=1,packets_out=1500,packets_in=0,bytes_out=300000,bytes_in=0,refused=0,offloaded=0,"
        "published=1\n")


def calls_and_metrics():
    """A list with keys that nobody knows yet; metrics that a parser takes."""
    root = machine({"proc/net/nf_conntrack_sip_strict": CALL})
    call = json.loads(run("calls", "--root", root, "--json"))["calls"][0]
    same((call["call_id"], call["one_way"], call["media"][0]["packets_out"], call["new_key"]), ("a b", True, 1500, "7"))
    need("! the outside is not heard" in run("calls", "--root", root), "one-way is not marked")
    same(json.loads(run("calls", "--root", root, "--json", "--address", "192.168.1.2"))["calls"], [])
    same(len(json.loads(run("calls", "--root", root, "--json", "--address", "198.51.100.1:16384"))["calls"]), 1)
    with subprocess.Popen([sys.executable, os.path.join(SCRIPTS, "sip-strict"), "calls", "--root", root, "--json",
                           "--watch", "0.1"], stdout=subprocess.PIPE, text=True) as watching:
        seen = [json.loads(watching.stdout.readline()) for _ in range(2)]
        watching.kill()
    same([len(one["calls"]) for one in seen], [1, 1])
    text = run("metrics", "--root", root)
    need(text.endswith("# EOF\n"), text[-40:])
    names = set()
    for line in text.splitlines()[:-1]:
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            need(name not in names and kind in ("counter", "gauge"), line)
            names.add(name)
        elif not line.startswith("# HELP "):
            need(line.startswith(name + ("_total" if kind == "counter" else "")) and line.rsplit(" ", 1)[1].isdigit(), line)
    need('sip_strict_live_calls_by_verdict{verdict="outside_not_heard"} 1' in text, "the one-way call is not counted")
    need("sip_strict_edit_failed_total 0\n" in text and 'field="contact"} 4' in text and 'field="failed"' not in text,
         "edit_failed is no field")
    same(metrics.text({"families": [{"name": "x", "type": "gauge", "help": "h", "samples": [
        {"labels": {"a": 'b"\\\n'}, "value": 1}]}]}), '# TYPE x gauge\n# HELP x h\nx{a="b\\"\\\\\\n"} 1\n# EOF')


def traces():
    """Lines of the trace, and to which message edits belong."""
    head = "    <...>-7  [{0:03d}] ..s1.    12.345678: sip_strict_{1}: netns=5 "
    message = trace.parse(head.format(1, "message") + "proto=udp request=INVITE status=0 cseq=1 src=192.168.1.20:5060 "
                          "dst=203.0.113.5:5060 outcome=edited edits=1 len=10 new_len=12 call_id=x", 0)
    other = trace.parse(head.format(0, "message") + "proto=udp request=BYE status=0 cseq=1 src=10.0.0.1:5060 "
                        "dst=203.0.113.5:5060 outcome=kept edits=0 len=10 new_len=10 call_id=y", 0)
    edit = trace.parse(head.format(1, "edit") + "field=contact off=5 len=2 new_len=4 old=a\\x0db new=c call_id=x", 0)
    skip = trace.parse(head.format(0, "skip") + "reason=fqdn off=20 from=4 around=Contact:\\x20<sip:bob@ex>\\x0d\\x0a "
                       "call_id=y", 0)
    wants = trace.Filter(None, "192.168.1.20", 5)
    same([wants.wants(one) for one in (message, other, edit, skip)], [True, False, True, False])
    same(trace.Filter(None, None, 6).wants(message), False)
    same(trace.event_text(edit), "    contact: a\\x0db -> c")
    lines = trace.event_text(skip).split("\n")
    same((lines[1].strip()[0], len(lines[2]) - 1), ("C", 6 + 16))
    end = trace.parse(head.format(0, "call_end") + "dir=out inside=192.168.1.20:5060 outside=203.0.113.5:5060 "
                      "duration_ms=30500 verdict=refused_other_source why=bye streams=1 call_id=x media=audio,kind=rtp,"
                      "mline=0,in=192.168.1.20:16384,out=198.51.100.1:16384,packets_out=9,packets_in=0,bytes_out=9,"
                      "bytes_in=0,refused=4,verdict=refused_other_source", 0)
    text = trace.log_text(end)
    need("30.5 s, bye, out 9 in 0 refused 4, refused_other_source: the outside is not heard" in text, text)
    same(trace.parse("something else", 0), None)
    lost = trace.parse("CPU:1 [LOST 34 EVENTS]", 0)
    need(trace.Filter("x", "y", 5).wants(lost) and "34 events were lost" in trace.log_text(lost), f"{lost}")


def installed():
    """make install: the program finds its parts where they are put."""
    target = os.path.join(FOLDER, "dest")
    done = subprocess.run(["make", "-s", "-C", os.path.join(SCRIPTS, "sip-strict.d"), "install", f"DESTDIR={target}"],
                          capture_output=True, text=True, check=False)
    need(done.returncode == 0, done.stderr)
    tool = os.path.join(target, "usr/local/sbin/sip-strict")
    done = subprocess.run([tool, "explain", os.path.join(FOLDER, "ether.pcap"), "--json"], capture_output=True, text=True,
                          check=False)
    need(done.returncode == 0, done.stderr)
    same(labels(json.loads(done.stdout)["messages"][0]), ["Via", "Contact", "c="])


def bad_input():
    """One line and exit code 2."""
    with open(os.path.join(FOLDER, "words"), "w", encoding="utf-8") as handle:
        handle.write("this is no capture, but it is long enough to be looked at\n")
    with open(os.path.join(FOLDER, "empty"), "w", encoding="utf-8"):
        pass
    pcap("other.pcap", [(1, ether(out(INVITE.replace(b"z9hG4bK-1", b"z9hG4bK-other"))))])
    tool = os.path.join(SCRIPTS, "sip-strict")
    for line in ("explain", "explain /nowhere.pcap", "explain empty", "explain words", "explain --lan words",
                 "explain /tmp", "calls --watch 0", "calls --watch x", "trace -n -1", "nonsense", "",
                 "status --root /nowhere", "metrics -o /nowhere/x", "explain --inside x ether.pcap",
                 "explain --outside x ether.pcap", "explain ether.pcap --html /nowhere/x", "calls --root .",
                 "trace --root .", "explain --lan ether.pcap --wan other.pcap"):
        done = subprocess.run([sys.executable, tool, *line.split()], capture_output=True, text=True, timeout=60,
                              check=False, cwd=FOLDER)
        same((line, done.returncode), (line, 2))
        last = done.stderr.strip().splitlines()
        need(last and re.match(r"sip-strict( \w+)?: ", last[-1]) and "Traceback" not in done.stderr and not done.stdout,
             f"sip-strict {line} says: {done.stderr}")


def documents():
    """Man page and completion name each verb and option; the man page each problem."""
    with open(os.path.join(SCRIPTS, "..", "docs", "man", "sip-strict.8"), encoding="utf-8") as handle:
        manual = handle.read().replace("\\-", "-")
    with open(os.path.join(SCRIPTS, "sip-strict.d", "completion.bash"), encoding="utf-8") as handle:
        completion = handle.read()
    verbs = next(action for action in cli.parser()._actions if hasattr(action, "choices") and action.choices)
    for verb, one in verbs.choices.items():
        need(f".SS {verb}" in manual and verb in completion, verb)
        for action in one._actions:
            for option in action.option_strings:
                # Where there is a long name, the short one needs no completion.
                need(option in completion or not option.startswith("--"), f"completion: {verb} {option}")
                need(option in manual or option in ("-h", "--help"), f"man page: {verb} {option}")
    with open(os.path.join(SCRIPTS, "sip-strict.d", "sip_strict", "status.py"), encoding="utf-8") as handle:
        found = re.findall(r'status\.problem\("(\w+)"', handle.read())
    need(len(found) > 10, f"problems: {found}")
    for problem in found:
        need(problem in manual, f"man page: {problem}")


CASES = (documents, links, fragments, segments, odd_packets, what_would_change, why_nothing, six, right, wrong, back,
         clocks_and_copies, media, page, firewalls, nft_firewalls, places, assignments, good_machine, settings, not_known, flows, six_firewall, loading, limits, others,
         calls_and_metrics, traces, bad_input, installed)


def main():
    """TAP."""
    failed = 0
    print("TAP version 13")
    print(f"1..{len(CASES)}")
    for number, case in enumerate(CASES, 1):
        reason = ""
        try:
            case()
        except Failed as err:
            reason = str(err)
        except Exception as err:    # pylint: disable=broad-except
            reason = f"{type(err).__name__}: {err}"
        failed += bool(reason)
        print(f"{'not ok' if reason else 'ok'} {number} - {case.__name__}: {case.__doc__}")
        if reason:
            print("# " + reason.replace("\n", "\n# "))
        sys.stdout.flush()
    subprocess.run(["rm", "-rf", FOLDER], check=False)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
