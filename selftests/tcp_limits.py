#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""SIP over TCP where it ends: limits, the module that goes, hosts that are no phones.

usage: tcp_limits.py [WORD…]       only cases with such a word in their name

Whatever ends the work on a stream, what was held goes on, in order and unedited, and
the connection lives on. Besides: what a stream must not open (NAT slipstreaming), and
how long a sender with Nagle's algorithm waits.

environment: HELPER=sip-strict|sip|none (sip, none: what is lost without ours).
"""

import os
import re
import socket
import struct
import subprocess
import sys
import time

import rawtcp
import streams
import tap
import testnet
from rawtcp import ACK, PSH, Connection, Gateway
from tap import Case, Failed, need
from tcp_segments import HELPER, HOLD, SHORT, agree, asked, request, resend, shut, sound, until

PHONE = testnet.host_address("dect")    # shorter than the outside address: edits grow
NAGLE = 0.05 * testnet.SLOW     # seconds that a message in two writes may take
PROXY = testnet.host_address("proxy")


class Opened:
    """A gateway for one case, with the neighbours of rawtcp.py."""

    def __init__(self):
        self.gateway = Gateway(HELPER)

    def __enter__(self):
        self.gateway.setup()
        return self.gateway

    def __exit__(self, kind, error, _):
        try:
            if kind is Failed:
                raise Failed(f"{error}\nthe last packets:\n{self.gateway.story()}\n{self.gateway.dump()}")
        finally:
            self.gateway.close()


class Auto:
    """A gateway whose rules name no helper, so that the module can be removed."""

    def __init__(self):
        if HELPER != "sip-strict":
            raise testnet.Unsupported("only our module has auto_assign, and can be removed")
        self.gateway = Gateway(HELPER, assign="auto")

    def __enter__(self):
        self.gateway.setup()
        return self.gateway

    def __exit__(self, *_):
        testnet.load_helper(HELPER)
        self.gateway.close()


def grown(gateway, before, **wanted):
    """Counters have grown by so much."""
    now = gateway.counters()
    for name, by in wanted.items():
        need(now[name] - before[name] == by, f"{name} has grown by {now[name] - before[name]}, not {by}")


def ours():
    """What only our module does."""
    if HELPER != "sip-strict":
        raise testnet.Unsupported("only our module holds anything")


# ---- limits ----------------------------------------------------------------------


def hold_time():
    """A message that does not become whole: its part goes on when the time is over."""
    ours()
    with Opened() as gateway:
        gateway.sysctl("tcp_hold_time", 1)
        conn, before = Connection(gateway), gateway.counters()
        first, late = request(conn, 1), request(conn, 2)
        conn.client.send(first.sent)
        agree(conn, first.expected)
        conn.client.send(late.sent[:150])
        gateway.drain(HOLD)
        need(conn.server.data() == first.expected, "a part of a message went on at once")
        agree(conn, first.expected + late.sent[:150], wait=4 * testnet.SLOW)
        conn.client.send(late.sent[150:])
        agree(conn, first.expected + late.sent)
        grown(gateway, before, skip_hold_time=1, tcp_untouched=1)
        shut(conn, first.expected + late.sent, b"")


def hold_max():
    """A message that is longer than may be held goes on unedited; what is behind it is edited."""
    ours()
    with Opened() as gateway:
        gateway.sysctl("tcp_hold_max", 4096)
        for step in (1400, 200):
            conn, before = Connection(gateway), gateway.counters()
            first, long, after = request(conn, 1), request(conn, 2, body=6000), request(conn, 3)
            conn.client.send(first.sent)
            for at in range(0, len(long), step):
                conn.client.send(long.sent[at:at + step])
                gateway.drain(0.001)
                conn.server.reply()
            conn.client.send(after.sent)
            agree(conn, first.expected + long.sent + after.expected)
            grown(gateway, before, skip_hold_max=1)
            shut(conn, first.expected + long.sent + after.expected, b"")


def gap_max():
    """Segments behind one that is lost are held up to the limit, and no byte gets lost."""
    ours()
    with Opened() as gateway:
        gateway.sysctl("tcp_hold_max", 4096)
        conn = Connection(gateway)
        row = [request(conn, n, body=700) for n in range(12)]
        sent, expected = b"".join(m.sent for m in row), b"".join(m.expected for m in row)
        for at in range(100, len(sent), 1000):
            conn.client.send(sent[at:at + 1000], at=at) if at == 100 else \
                gateway.inject("lan0", conn.client.segment(sent[at:at + 1000], at=at))
        gateway.drain(SHORT)
        conn.client.sent = sent
        for _ in range(40):
            at = conn.client.acked
            conn.client.send(sent[at:at + 1000], at=at)
            gateway.drain(SHORT)
            conn.server.reply()
            gateway.drain(SHORT)
            if conn.client.acked == len(sent):
                break
        got = conn.server.data()
        need(len(got) in (len(expected), len(sent)) or conn.client.acked == len(sent),
             f"{len(got)} bytes came, {conn.client.acked} of {len(sent)} were acknowledged")
        sound(conn.server)


# ---- the module, the namespace and devices go --------------------------------------


def module_goes():
    """rmmod with a part held and messages edited: the part goes on, the numbers stay right."""
    with Auto() as gateway:
        for edited, held in ((0, 100), (3, 100), (3, 0)):
            conn = Connection(gateway)
            row = [request(conn, n, 9 * n) for n in range(edited)]
            half = request(conn, 8)
            for message in row:
                conn.client.send(message.sent)
            out = b"".join(m.expected for m in row)
            agree(conn, out)
            if held:
                conn.client.send(half.sent[:held], flags=ACK | PSH)
                gateway.drain(HOLD)
                need(conn.server.data() == out, "a part of a message went on at once")
            rmmod(gateway)
            agree(conn, out + half.sent[:held])
            conn.client.send(half.sent[held:])
            agree(conn, out + half.sent)
            reply = b"SIP/2.0 200 OK\r\n\r\n"
            conn.server.send(reply)
            agree(conn, out + half.sent, reply)
            shut(conn, out + half.sent, reply)
            testnet.load_helper(HELPER)
            gateway.sysctl("auto_assign", 1)


def module_goes_busy():
    """rmmod while data goes on, on a connection that a rule gave to the helper: each byte is right."""
    with Auto() as gateway:
        for _ in range(3):
            conn = Connection(gateway)
            row = [request(conn, n, 9 * n) for n in range(3)]
            for message in row:
                conn.client.send(message.sent)
            out = b"".join(m.expected for m in row)
            agree(conn, out)
            gateway.sysctl("auto_assign", 0)
            long = request(conn, 8, body=400000)        # more than is held
            with subprocess.Popen(["rmmod", "nf_conntrack_sip_strict"], stderr=subprocess.PIPE) as child:
                for at in range(0, len(long), 400):
                    conn.client.send(long.sent[at:at + 400])
                    conn.server.reply()
                    if child.poll() is not None and at > 20000:
                        break
                until(gateway, lambda: child.poll() is not None, "rmmod does not end", 15 * testnet.SLOW)
                need(child.returncode == 0, f"rmmod: {child.stderr.read().decode()}")
            resend(conn, out + long.sent[:len(conn.client.sent) - sum(map(len, row))], (1400,))
            testnet.load_helper(HELPER)
            gateway.sysctl("auto_assign", 1)


def rmmod(gateway):
    """Removes the module, while packets go on."""
    with subprocess.Popen(["rmmod", "nf_conntrack_sip_strict"], stderr=subprocess.PIPE) as child:
        until(gateway, lambda: child.poll() is not None, "rmmod does not end", 15 * testnet.SLOW)
        need(child.returncode == 0, f"rmmod: {child.stderr.read().decode()}")


def older_connection():
    """A connection that is older than the module is left alone, whole."""
    with Auto() as gateway:
        rmmod(gateway)
        conn = Connection(gateway)
        first, second = request(conn, 1), request(conn, 2)
        conn.client.send(first.sent)
        agree(conn, first.sent)
        testnet.load_helper(HELPER)
        gateway.sysctl("auto_assign", 1)
        conn.client.send(second.sent)
        agree(conn, first.sent + second.sent)
        shut(conn, first.sent + second.sent, b"")


def namespace_goes():
    """The namespace ends while parts are held; the kernel's log is looked at."""
    for _ in range(5):
        with Opened() as gateway:
            for _ in range(10):
                conn = asked(Connection(gateway))
                conn.client.send(request(conn, 1).sent[:200])
                conn.server.send(b"SIP/2.0 200 OK\r\nVia: x")
            gateway.drain(SHORT)


def device_goes():
    """A device goes while parts are held, comes again, and what is new works."""
    for device in ("lan0", "wan0"):
        with Opened() as gateway:
            held = [asked(Connection(gateway)) for _ in range(5)]
            for conn in held:
                conn.client.send(request(conn, 1).sent[:200])
            gateway.drain(SHORT)
            gateway.run("gw", f"ip link set {device} down")
            time.sleep(1.2)     # the early acknowledgment has been given, the timer runs
            gateway.run("gw", f"ip link set {device} up")
            if device == "wan0":
                gateway.run("gw", f"ip route replace default via {testnet.ROUTER} dev wan0")
            else:
                gateway.run("gw", "ip route replace 192.168.111.0/24 dev lan0")
            conn = Connection(gateway)
            message = request(conn, 1)
            conn.client.send(message.sent)
            agree(conn, message.expected)


# ---- real sockets --------------------------------------------------------------------


class Talk:
    """A phone and the proxy, with sockets of the kernel."""

    def __init__(self, **more):
        self.net = testnet.Net(HELPER, **more)
        self.net.setup()
        self.streams = streams.Streams(self.net)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        try:
            if kind is Failed:
                raise Failed(f"{error}\n{self.net.dump()}")
        finally:
            self.streams.close()
            self.net.close()

    def pair(self, side="lan", address="192.168.1.20", port=5060, mss=None):
        """Both ends of a new connection."""
        if ("proxy", port) not in self.streams.listeners:
            self.streams.socket("proxy", port)
        listener = self.streams.listeners[("proxy", port)]
        self.net.enter(side)
        client = socket.socket()
        self.net.enter(None)
        if mss:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, mss)
        client.bind((address, 0))
        client.settimeout(5 * testnet.SLOW)
        client.connect((PROXY, port))
        server, peer = listener.accept()
        server.settimeout(5 * testnet.SLOW)
        return client, server, peer


def options(port, where, body=0):
    """A request; its Via and Contact name where."""
    return (f"OPTIONS sip:x@{PROXY} SIP/2.0\r\nVia: SIP/2.0/TCP {where};branch=z9hG4bK{port};rport\r\n"
            f"From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: {port}@d\r\nCSeq: 1 OPTIONS\r\n"
            f"Contact: <sip:a@{where}>\r\nContent-Length: {body}\r\n\r\n" + "b" * body).encode()


def receive(sock, size):
    """So many bytes, or what came until nothing more does."""
    got = b""
    try:
        while len(got) < size:
            data = sock.recv(65536)
            if not data:
                break
            got += data
    except TimeoutError:
        pass
    return got


def exchange(talk, side, address):
    """Messages in two writes: with Nagle's algorithm one waits for the other. All must be quick."""
    seen, times = testnet.WAN_GW if HELPER != "none" else None, []
    client, server, peer = talk.pair(side, address)
    port = client.getsockname()[1]
    sent = options(port, f"{address}:{port}", 300)
    expected = options(port, f"{seen or address}:{peer[1] if seen else port}", 300)
    cut = sent.index(b"\r\n\r\n") + 4
    for _ in range(20):
        begin = time.monotonic()
        client.sendall(sent[:cut])
        client.sendall(sent[cut:])
        got = receive(server, len(expected))
        times.append(time.monotonic() - begin)
        need(got == expected, f"came: {got[:400]!r}\nnot:  {expected[:400]!r}")
        server.sendall(b"\r\n")
        receive(client, 2)
    client.close()
    server.close()
    # The middle one: on a busy machine any single one may wait for the machine.
    usual = sorted(times)[len(times) // 2]
    print(f"a message took {usual * 1000:.0f} ms, the slowest {max(times) * 1000:.0f}")
    need(usual < NAGLE, f"that is more than {NAGLE * 1000:.0f} ms")


def nagle():
    """Head and body in two writes of a sender that waits for acknowledgments."""
    with Talk() as talk:
        exchange(talk, "lan", PHONE)


def local_sender():
    """A program on the gateway itself, whose address is translated too."""
    with Talk(assign="auto" if HELPER == "sip-strict" else "nft") as talk:
        exchange(talk, "gw", "192.168.1.1")


HERE_SIX, PHONE_SIX = "2001:db8:1::1", "2001:db8:1::20"


def six(segment, behind):
    """Its packet as one of IPv6, behind a Destination Options header of so many bytes."""
    ends = socket.inet_pton(socket.AF_INET6, PHONE_SIX) + socket.inet_pton(socket.AF_INET6, HERE_SIX)
    tcp = bytearray(segment.bytes()[20:])
    tcp[16:18] = b"\0\0"
    check = rawtcp.checksum(ends + struct.pack("!II", len(tcp), 6) + bytes(tcp))
    struct.pack_into("!H", tcp, 16, check)
    # An option for experiments (RFC 4727), to be skipped: padding may not be that long.
    options = struct.pack("!BBBB", 6, behind // 8 - 1, 0x1e, behind - 4) + bytes(behind - 4)
    return struct.pack("!IHBB", 6 << 28, behind + len(tcp), 60, 64) + ends + options + bytes(tcp)


def answers(gateway):
    """Sequence numbers of the SYN-ACKs of IPv6 that come out to the phones."""
    found = []
    for fd in rawtcp.ready([gateway.tuns["lan0"]], 0.1):
        packet = os.read(fd, 70000)[rawtcp.VNET.size:]
        if packet[0] >> 4 == 6 and packet[6] == 6 and packet[53] & rawtcp.SYN:
            found.append(struct.unpack_from("!I", packet, 44)[0])
    return found


def behind_options():
    """IPv6 options before TCP, to a program on the gateway: read in parts, and left alone if long."""
    ours()
    with Opened() as gateway:
        gateway.write("gw", "/proc/sys/net/ipv6/conf/lan0/disable_ipv6", 0)
        gateway.run("gw", f"ip addr add {HERE_SIX}/64 dev lan0 nodad")
        gateway.sysctl("auto_assign", 1)
        gateway.enter("gw")
        listener = socket.create_server((HERE_SIX, 5060), family=socket.AF_INET6)
        gateway.enter(None)
        with listener:
            listener.settimeout(2 * testnet.SLOW)
            for port, behind, alone in ((20001, 8, 0), (20002, 128, 1)):
                before = gateway.counters()
                ask_behind(gateway, listener, port, behind)
                grown(gateway, before, tcp_untouched=alone, tcp_holds=1 - alone)


def ask_behind(gateway, listener, port, behind):
    """A request in two segments, each behind so many bytes of options."""
    def send(*args, **more):
        segment = rawtcp.Segment((rawtcp.INSIDE, port), (rawtcp.INSIDE, 5060), *args, **more)
        os.write(gateway.tuns["lan0"], rawtcp.VNET.pack(*6 * (0,)) + six(segment, behind))

    isn, found, end = 1000, [], time.monotonic() + 2 * testnet.SLOW
    send(isn, flags=rawtcp.SYN)
    while not found and time.monotonic() < end:
        found = answers(gateway)
    need(found, f"behind {behind} bytes of options the SYN was not read")
    peer, sent = found[0] + 1, options(port, f"[{PHONE_SIX}]:{port}")
    send(isn + 1, peer)
    send(isn + 1, peer, data=sent[:100])
    send(isn + 101, peer, data=sent[100:])
    server = listener.accept()[0]
    with server:
        # Ended by a reset: nobody answers its FIN, and it would hold the namespace.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.settimeout(2 * testnet.SLOW)
        got = receive(server, len(sent))
    need(got == sent, f"behind {behind} bytes of options came {got!r}")


SYNPROXY = """table ip guard {
    chain raw {
        type filter hook prerouting priority raw;
        iifname lan0 tcp dport 5060 tcp flags syn notrack
    }
    chain pass {
        type filter hook forward priority -5;
        iifname lan0 tcp dport 5060 ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm
        ct state invalid drop
    }
}"""


def synproxy():
    """Behind a SYN proxy, which translates numbers itself: left alone, and all arrives."""
    with Talk() as talk:
        talk.net.write("gw", "/proc/sys/net/netfilter/nf_conntrack_tcp_loose", 0)
        try:
            talk.net.run("gw", "nft -f -", stdin=SYNPROXY)
        except RuntimeError as err:
            raise testnet.Unsupported(f"no synproxy here: {err}") from None
        for _ in range(3):
            client, server, _ = talk.pair()
            port = client.getsockname()[1]
            sent = options(port, f"192.168.1.20:{port}", 900)
            client.sendall(sent[:200])
            client.sendall(sent[200:])
            got = receive(server, len(sent))
            need(got == sent, f"came: {got[:400]!r}\nnot:  {sent[:400]!r}")
            client.close()
            server.close()


def slipstream():
    """A web page's POST with a REGISTER at a segment's begin: no pinhole, no byte changed."""
    with Talk() as talk:
        for mss in (536, 1448):
            client, server, _ = talk.pair(mss=mss)
            size = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
            register = (b"REGISTER sip:attacker.example;transport=TCP SIP/2.0\r\n"
                        b"Via: SIP/2.0/TCP 192.168.1.20:5060;branch=z9hG4bKslip\r\n"
                        b"From: <sip:x@attacker.example>;tag=1\r\nTo: <sip:x@attacker.example>\r\n"
                        b"Call-ID: slip@192.168.1.20\r\nCSeq: 1 REGISTER\r\n"
                        b"Contact: <sip:x@192.168.1.20:8080;transport=TCP>\r\nExpires: 3600\r\n"
                        b"Content-Length: 0\r\n\r\n")
            head = b"POST / HTTP/1.1\r\nHost: attacker.example\r\nContent-Length: 9000\r\n\r\n"
            page = head + b"x" * (4 * size - len(head)) + register + b"x" * (2 * size)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(page), size):
                client.sendall(page[at:at + size], socket.MSG_EOR)
            got = receive(server, len(page))
            at = got.find(b"REGISTER")
            server.sendall(got[at:at + len(register)].replace(register[:register.index(b"\r")],
                                                              b"SIP/2.0 200 OK"))
            receive(client, 100)
            pinholes = talk.net.expectations()
            need(not pinholes, "a web page has opened: " + "\n".join(pinholes))
            need(got == page, f"bytes of a web page changed, at {first_difference(got, page)}")
            client.close()
            server.close()


def first_difference(one, other):
    """Where two texts differ."""
    return next((i for i, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))


def full_segment():
    """A full segment that grows by the rewriting arrives, at any size, and quickly."""
    with Talk() as talk:
        for mss in (536, 1200, 1448):
            client, server, peer = talk.pair(address=PHONE, mss=mss)
            port = client.getsockname()[1]
            size = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
            where = f"{testnet.WAN_GW}:{peer[1]}" if HELPER != "none" else f"{PHONE}:{port}"
            for total in (size, 2 * size, 5 * size):
                fill = total - len(options(port, f"{PHONE}:{port}"))
                fill -= len(str(fill)) - 1
                sent, expected = options(port, f"{PHONE}:{port}", fill), options(port, where, fill)
                begin = time.monotonic()
                client.sendall(sent)
                got = receive(server, len(expected))
                took = time.monotonic() - begin
                need(got == expected, f"{len(got)} bytes of {len(expected)} came; the first wrong one "
                     f"at {first_difference(got, expected)}")
                need(took < 0.18 * testnet.SLOW, f"{total} bytes took {took * 1000:.0f} ms, as if repeated")
            client.close()
            server.close()


SUPER = """table ip super {
    counter seen { }
    chain watch {
        type filter hook prerouting priority -300;
        iifname lan0 meta length > 1500 counter name seen
    }
}"""


def listed():
    """A super-packet that is a list of segments (rx-gro-list): each has numbers of its own."""
    with Talk() as talk:
        net = talk.net
        net.sysctl("tcp_hold_max", 4096)
        net.run("lan", "ethtool -K eth0 tso off gso off")
        net.run("gw", "ethtool -K lan0 gro on rx-gro-list on")
        net.run("gw", "ethtool -K wan0 tso off gso off tx-gso-list off")
        # What comes one by one waits for more.
        net.run("gw", "unshare -m sh -c 'mount -t sysfs sysfs /sys && "
                "echo 5000000 >/sys/class/net/lan0/gro_flush_timeout'")
        net.run("gw", "nft -f -", stdin=SUPER)
        client, server, peer = talk.pair(address=PHONE)
        port = client.getsockname()[1]
        where = f"{testnet.WAN_GW}:{peer[1]}" if HELPER != "none" else f"{PHONE}:{port}"
        # The second is too long to be held, and goes on as it is.
        first, expected = options(port, f"{PHONE}:{port}"), options(port, where)
        long = options(port, f"{PHONE}:{port}", 60000)
        long = long[:-60000] + b"".join(b"%05d " % i for i in range(10000))
        for sent, came in ((first, expected), (long, long), (first, expected)):
            client.sendall(sent)
            got = receive(server, len(came))
            need(got == came, f"{len(got)} bytes of {len(came)} came; the first wrong one at "
                 f"{first_difference(got, came)}")
        # Kernels before 6.10 have no such list for TCP, some no GRO between namespaces.
        if testnet.kernel() >= (6, 10):
            seen = net.run("gw", "nft list counter ip super seen", quiet=True)
            need("packets 0 " not in seen, "nothing was put together on its way")
        client.close()
        server.close()


BRIDGE = ["link add bridge type bridge", "link set lan0 master bridge", "link set wan0 master bridge",
          "link set bridge up"]


def bridged():
    """Bridged traffic that passes the IP hooks: a part of a message is never held."""
    subprocess.run(["modprobe", "br_netfilter"], check=False)
    with Talk(nat="none", filtered=False) as talk:
        net = talk.net
        net.run("gw", "ip addr flush dev lan0")
        net.run("gw", "ip addr flush dev wan0")
        net.run("gw", "ip -batch -", stdin="\n".join(BRIDGE) + "\n")
        try:
            net.write("gw", "/proc/sys/net/bridge/bridge-nf-call-iptables", 1)
        except OSError as err:
            raise testnet.Unsupported(f"no br_netfilter: {err}") from None
        net.run("lan", f"ip route replace {PROXY}/32 dev eth0")
        net.run("wan", "ip route replace 192.168.1.0/24 dev eth0")
        client, server, _ = talk.pair()
        sent = options(1, "192.168.1.20:5060")
        client.sendall(sent[:200])
        server.settimeout(2 * testnet.SLOW)
        got = receive(server, 200)
        need(got == sent[:200], f"of the first part came {got!r}")
        client.sendall(sent[200:])
        got += receive(server, len(sent) - 200)
        need(got == sent, f"came: {got!r}")
        if HELPER == "sip-strict":
            need(not net.counters()["tcp_holds"], "something was held on a bridge")
        client.close()
        server.close()


ALONE = (module_goes, module_goes_busy, older_connection)
CASES = [Case(f.__name__.replace("_", "-"), f, alone=f in ALONE) for f in (
    hold_time, hold_max, gap_max, namespace_goes, device_goes, nagle, local_sender, behind_options, synproxy,
    slipstream, full_segment, listed, bridged, module_goes, module_goes_busy, older_connection)]

if __name__ == "__main__":
    sys.exit(tap.main(CASES, ("ip", "nft", "conntrack", "ethtool"), 3))
