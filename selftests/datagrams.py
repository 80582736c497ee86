#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""SIP over UDP in every shape that a datagram can have.

usage: datagrams.py [WORD…]        only cases with such a word in their name

Larger than the MTU before or after the edit, in fragments, many in one buffer of the
kernel (UDP_SEGMENT, rx-gro-list), seen by a capture on the way, without a checksum, with
one that the receiver verifies. Each arrives once, edited as if it had come alone.

environment: HELPER=sip-strict|sip|none.
"""

import os
import re
import socket
import struct
import sys

import tap
import testnet
from tap import Case, need

HELPER = os.environ.get("HELPER", "sip-strict")
SO_NO_CHECK, UDP_SEGMENT, UDP_NO_CHECK6_TX, UDP_NO_CHECK6_RX = 11, 103, 101, 102
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PMTUDISC_DONT, PMTUDISC_DO = 10, 23, 0, 2
ROOM = {"4": 1500 - 28, "6": 1500 - 48}     # what a packet has for a message,
FIRST = {"4": 1480 - 8, "6": 1448 - 8}      # and the first one of several
COUNT = """table inet watch {
    counter buffers { }
    chain look { type filter hook prerouting priority -150; iifname lan0 udp dport 5060 counter name buffers; }
}"""


class Opened(testnet.Net):
    """The network of one case."""

    def __init__(self, family):
        super().__init__(HELPER, family=family)
        self.inside = self.address("dect")      # shorter than the outside address: edits grow
        self.outside = self.own(testnet.WAN_GW)

    def __enter__(self):
        self.setup()
        self.run("gw", "nft -f -", stdin=COUNT)
        self.phone, self.proxy = self.socket("dect", 5060), self.socket("proxy", 5060)
        self.before = self.counters()
        return self

    def __exit__(self, *_):
        self.close()

    def options(self, number, pad=0, contacts=0):
        """An OPTIONS of the phone, as it leaves it."""
        contact = f"Contact: {self.contact(self.inside)}\r\n" * contacts
        proxy = testnet.endpoint(self.address("proxy"), 5060)
        return (f"OPTIONS sip:{proxy} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {testnet.endpoint(self.inside, 5060)};branch=z9hG4bK-{number:06};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:a@{proxy}>;tag=1\r\nTo: <sip:{proxy}>\r\n"
                f"Call-ID: {number:06}@{self.inside}\r\nCSeq: 1 OPTIONS\r\n{contact}X-Pad: {'x' * pad}\r\n"
                "Content-Length: 0\r\n\r\n").encode()

    @staticmethod
    def contact(address):
        """A Contact of the phone."""
        return f"<sip:a@{testnet.endpoint(address, 5060)}>"

    def sized(self, number, size, contacts=0):
        """An OPTIONS of so many bytes."""
        pad = size - len(self.options(number, 0, contacts))
        need(pad >= 0, f"{size} bytes are too few")
        return self.options(number, pad, contacts)

    def edited(self, message):
        """As the outside must get it: the topmost Via, its Contacts, and nothing else."""
        if HELPER == "none":
            return message
        message = message.replace(self.contact(self.inside).encode(), self.contact(self.outside).encode())
        return message.replace(f"UDP {testnet.endpoint(self.inside, 5060)}".encode(),
                               f"UDP {testnet.endpoint(self.outside, 5060)}".encode(), 1)

    def out(self, data):
        """The phone sends."""
        self.send("dect", 5060, data, (self.address("proxy"), 5060))

    def discover(self, how):
        """Whether the phone may fragment."""
        if self.six:
            self.phone.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, how)
        else:
            self.phone.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, how)

    def buffers(self):
        """How many buffers of the kernel have come from the phone."""
        text = self.run("gw", "nft list counter inet watch buffers", quiet=True)
        return int(re.search(r"packets (\d+)", text)[1])

    def grown(self, name, by):
        """A counter of ours has grown by exactly so much."""
        if HELPER == "sip-strict":
            now = self.counters()[name] - self.before[name]
            need(now == by, f"{name} has grown by {now}, not by {by}")

    def arrives(self, *messages):
        """Each of them at the proxy, edited, once and in order, and nothing else."""
        self.arrives_first(*messages)
        need(not testnet.readable([self.proxy], testnet.REFUSE), "more arrived than was sent")

    def arrives_first(self, *messages):
        """Each of them at the proxy, edited, and in order."""
        for message in messages:
            got = self.receive("proxy", 5060)
            need(got, "nothing arrived:\n" + self.dump())
            want = self.edited(message)
            need(got[0] == want, f"{len(got[0])} bytes arrived, not the {len(want)} expected:\n"
                 f"{got[0][:200]!r}\n{want[:200]!r}")

    def capture(self, side, device):
        """A packet socket, as a capture program has it."""
        self.enter(side)
        try:
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            sock.bind((device, 3))
        finally:
            self.enter(None)
        return sock


def captured(sock):
    """The packets with SIP that a capture has: (fragment field as in IPv4, the rest)."""
    found = []
    while testnet.readable([sock], 0.1):
        packet, where = sock.recvfrom(65535)
        if where[1] == 0x800 and packet[9] == 17:
            found.append((struct.unpack_from("!H", packet, 6)[0],
                          packet[(packet[0] & 15) * 4:struct.unpack_from("!H", packet, 2)[0]]))
        elif where[1] == 0x86dd and packet[6] == 17:
            found.append((0, packet[40:40 + struct.unpack_from("!H", packet, 4)[0]]))
        elif where[1] == 0x86dd and packet[6] == 44 and packet[40] == 17:
            field = struct.unpack_from("!H", packet, 42)[0]
            found.append((field >> 3 | (field & 1) << 13, packet[48:]))
    return found


def payload(packets):
    """What the datagrams among them carry, in order, each once (a veth shows both ends)."""
    return list(dict.fromkeys(rest[8:] for fragment, rest in packets if not fragment & 0x1fff))


# ---- sizes -----------------------------------------------------------------------

def over_mtu(spare, family="4"):
    """A datagram that may not be fragmented fits before the edit, by so many bytes."""
    with Opened(family) as net:
        net.discover(PMTUDISC_DO)
        wan = net.capture("wan", "eth0")
        message = net.sized(1, ROOM[family] - spare)
        net.out(message)
        net.arrives(message)
        too_long = len(net.edited(message)) > ROOM[family]
        net.grown("over_mtu", int(too_long))
        pieces = [x for x in captured(wan) if x[0] & 0x3fff]
        need(len(pieces) == (2 if too_long else 0), f"{len(pieces)} fragments left")
        need(not any(x[0] & 0x4000 for x in pieces), "a fragment says Don't Fragment")


def in_fragments(size, family="4"):
    """A datagram that the phone itself has fragmented."""
    with Opened(family) as net:
        net.discover(PMTUDISC_DONT)
        message = net.sized(1, size)
        net.out(message)
        net.arrives(message)


def boundary(family="4"):
    """What begins as no SIP opens nothing, though its second fragment begins with REGISTER."""
    with Opened(family) as net:
        net.discover(PMTUDISC_DONT)
        hidden = net.options(1).replace(b"OPTIONS", b"REGISTER").replace(
            b"X-Pad: ", f"Contact: <sip:a@{testnet.endpoint(net.inside, 8080)}>\r\nX-Pad: ".encode())
        message = b"POST / HTTP/1.1\r\nContent-Length: 3000\r\n\r\n"
        message += b"y" * (FIRST[family] - len(message)) + hidden
        net.out(message)
        got = net.receive("proxy", 5060)
        need(got and got[0] == message, "it did not arrive as it was sent")
        need(not net.expectations(), f"it has opened {net.expectations()}")
        net.grown("mappings", 0)


# ---- many in one buffer ------------------------------------------------------------

def segments(count, size, last, family="4"):
    """Datagrams of one size, the last one shorter, in one buffer of the kernel.

    A kernel such as 5.10 takes it apart in front of a virtual device.
    """
    with Opened(family) as net:
        messages = [net.sized(n, size) for n in range(count - 1)] + [net.sized(count, last)]
        net.phone.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        net.out(b"".join(messages))
        net.arrives(*messages)
        whole = "tx-udp-segmentation: on" in net.run("lan", "ethtool -k eth0", quiet=True)
        expected = 1 if whole else count
        need(net.buffers() == expected,
             f"they came in {net.buffers()} buffers, not in {expected}")
        net.grown("messages", count)


def listed(family="4"):
    """Datagrams that came alone, chained into one buffer by the receiving device (rx-gro-list).

    The first of them is that buffer itself. Of many sizes: the edit grows into what room
    there is behind the bytes, or needs more. In 5.10 a virtual device chains none.
    """
    with Opened(family) as net:
        net.run("gw", "ethtool -K lan0 gro on rx-gro-list on")
        # Two at a time, so that the device finds the second while it has the first.
        net.run("lan", "tc qdisc add dev eth0 root netem slot 5ms 5ms packets 2")
        # About where a buffer of 1024 bytes is full; the edits add five bytes.
        sizes = range(490, 720, 5)
        for size in sizes:
            messages = [net.sized(size * 2 + n, size, 4) for n in range(2)]
            for message in messages:
                net.out(message)
            net.arrives_first(*messages)
        need(not testnet.readable([net.proxy], testnet.REFUSE), "more arrived than was sent")
        net.grown("messages", 2 * len(sizes))
        if testnet.kernel() >= (5, 13):
            need(net.buffers() < 2 * len(sizes), "each came in a buffer of its own")


# ---- captures ------------------------------------------------------------------------

def cloned(family="4"):
    """Captures on both sides of both links: each sees what passed there, and only that."""
    with Opened(family) as net:
        taps = {key: net.capture(*key) for key in (("lan", "eth0"), ("gw", "lan0"), ("gw", "wan0"),
                                                   ("wan", "eth0"))}
        messages = [net.sized(n, 400 + n) for n in range(20)]
        for message in messages:
            net.out(message)
        net.arrives(*messages)
        for (side, device), sock in taps.items():
            want = messages if "wan" not in (side, device[:3]) else [net.edited(m) for m in messages]
            need(payload(captured(sock)) == want, f"the capture on {side}'s {device} differs")


# ---- checksums ---------------------------------------------------------------------

def zero_checksum(family="4"):
    """None before, none behind."""
    with Opened(family) as net:
        wan = net.capture("wan", "eth0")
        if net.six:     # RFC 6936: both ends have to want it
            net.phone.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_TX, 1)
            net.proxy.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_RX, 1)
        else:
            net.phone.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        message = net.options(1)
        net.out(message)
        net.arrives(message)
        sums = [struct.unpack_from("!H", rest, 6)[0] for _, rest in captured(wan)]
        need(sums and not any(sums), f"the checksum became {sums}")


def full_checksum(size, family="4"):
    """Made by the phone, verified by the receiver: nothing on the way may fill it in anew."""
    with Opened(family) as net:
        for side, device in (("lan", "eth0"), ("gw", "wan0")):
            net.run(side, f"ethtool -K {device} tx off")
        messages = [net.sized(n, size + n) for n in range(4)]
        for message in messages:
            net.out(message)
        net.arrives(*messages)


SHAPES = [
    ("over-mtu by one", over_mtu, 0),
    ("over-mtu not", over_mtu, 1),
    ("fragments two", in_fragments, 2000),
    ("fragments many", in_fragments, 9000),
    ("fragments that hide a REGISTER", boundary),
    ("segments of one size", segments, 8, 420, 420),
    ("segments, a short last one", segments, 5, 1200, 300),
    ("segments, thirty", segments, 30, 350, 349),
    ("segments in a list", listed),
    ("cloned by captures", cloned),
    ("checksum of zero", zero_checksum),
    ("checksum verified, even", full_checksum, 500),
    ("checksum verified, fragments", full_checksum, 1600),
]
CASES = [Case(prefix + name, function, *args, family)
         for family, prefix in (("4", ""), ("6", "ipv6 ")) for name, function, *args in SHAPES]

if __name__ == "__main__":
    sys.exit(tap.main(CASES, ("ip", "nft", "conntrack", "ethtool"), 4))
