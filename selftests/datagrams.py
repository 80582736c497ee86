#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""SIP over UDP in every shape that a datagram can have.

usage: datagrams.py [WORD…]        only cases with such a word in their name

Larger than the MTU before or after the edit, in fragments, many in one buffer of the
kernel (UDP_SEGMENT), seen by a capture on the way, without a checksum, with one that the
receiver verifies. Each arrives once, edited as if it had come alone.

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
INSIDE = testnet.host_address("dect")   # shorter than the outside address: edits grow
OUTSIDE = testnet.WAN_GW
PROXY = testnet.host_address("proxy")
SO_NO_CHECK, UDP_SEGMENT = 11, 103
IP_MTU_DISCOVER, PMTUDISC_DONT, PMTUDISC_DO = 10, 0, 2
MTU_PAYLOAD = 1500 - 28
COUNT = """table ip watch {
    counter buffers { }
    chain look { type filter hook prerouting priority -150; iifname lan0 udp dport 5060 counter name buffers; }
}"""


def options(number, pad=0, host=INSIDE, port=5060):
    """An OPTIONS whose Via names a host."""
    return (f"OPTIONS sip:{PROXY} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK-{number:06};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:a@{PROXY}>;tag=1\r\nTo: <sip:{PROXY}>\r\n"
            f"Call-ID: {number:06}@{INSIDE}\r\nCSeq: 1 OPTIONS\r\nX-Pad: {'x' * pad}\r\n"
            "Content-Length: 0\r\n\r\n").encode()


def sized(number, size):
    """An OPTIONS of so many bytes."""
    return options(number, size - len(options(number)))


def edited(message):
    """As the outside must get it: the topmost Via, and nothing else."""
    if HELPER == "none":
        return message
    return message.replace(f"UDP {INSIDE}:5060".encode(), f"UDP {OUTSIDE}:5060".encode(), 1)


class Opened(testnet.Net):
    """The network of one case."""

    def __init__(self):
        super().__init__(HELPER)

    def __enter__(self):
        self.setup()
        self.run("gw", "nft -f -", stdin=COUNT)
        self.phone, self.proxy = self.socket("dect", 5060), self.socket("proxy", 5060)
        self.before = self.counters()
        return self

    def __exit__(self, *_):
        self.close()

    def buffers(self):
        """How many buffers of the kernel have come from the phone."""
        text = self.run("gw", "nft list counter ip watch buffers", quiet=True)
        return int(re.search(r"packets (\d+)", text)[1])

    def grown(self, name, by):
        """A counter of ours has grown by exactly so much."""
        if HELPER == "sip-strict":
            now = self.counters()[name] - self.before[name]
            need(now == by, f"{name} has grown by {now}, not by {by}")

    def arrives(self, *messages):
        """Each of them at the proxy, edited, once and in order."""
        for message in messages:
            got = self.receive("proxy", 5060)
            need(got, "nothing arrived:\n" + self.dump())
            need(got[0] == edited(message), f"{len(got[0])} bytes arrived, not the {len(edited(message))} "
                 f"expected:\n{got[0][:200]!r}\n{edited(message)[:200]!r}")
        need(not testnet.readable([self.proxy], testnet.REFUSE), "more arrived than was sent")

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
    """The IPv4 packets with SIP that a capture has: (addresses, fragment field, the rest)."""
    found = []
    while testnet.readable([sock], 0.1):
        packet, where = sock.recvfrom(65535)
        if where[1] != 0x800 or packet[9] != 17:
            continue
        size = (packet[0] & 15) * 4
        found.append((packet[12:20], struct.unpack_from("!H", packet, 6)[0],
                      packet[size:struct.unpack_from("!H", packet, 2)[0]]))
    return found


def payload(packets):
    """What the datagrams among them carry, in order, each once (a veth shows both ends)."""
    return list(dict.fromkeys(rest[8:] for _, fragment, rest in packets if not fragment & 0x1fff))


# ---- sizes -----------------------------------------------------------------------

def over_mtu(size):
    """A datagram with Don't Fragment that fits before the edit, by so many bytes."""
    with Opened() as net:
        net.phone.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DO)
        wan = net.capture("wan", "eth0")
        message = sized(1, size)
        net.send("dect", 5060, message, (PROXY, 5060))
        net.arrives(message)
        too_long = len(edited(message)) > MTU_PAYLOAD
        net.grown("over_mtu", int(too_long))
        pieces = [x for x in captured(wan) if x[1] & 0x3fff]
        need(len(pieces) == (2 if too_long else 0), f"{len(pieces)} fragments left")
        need(not any(x[1] & 0x4000 for x in pieces), "a fragment says Don't Fragment")


def in_fragments(size):
    """A datagram that the phone itself has fragmented."""
    with Opened() as net:
        net.phone.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DONT)
        message = sized(1, size)
        net.send("dect", 5060, message, (PROXY, 5060))
        net.arrives(message)


def boundary():
    """What begins as no SIP opens nothing, though its second fragment begins with REGISTER."""
    with Opened() as net:
        net.phone.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DONT)
        hidden = options(1).replace(b"OPTIONS", b"REGISTER").replace(
            b"X-Pad: ", f"Contact: <sip:a@{INSIDE}:8080>\r\nX-Pad: ".encode())
        message = b"POST / HTTP/1.1\r\nContent-Length: 3000\r\n\r\n"
        message += b"y" * (1480 - 8 - len(message)) + hidden
        net.send("dect", 5060, message, (PROXY, 5060))
        got = net.receive("proxy", 5060)
        need(got and got[0] == message, "it did not arrive as it was sent")
        need(not net.expectations(), f"it has opened {net.expectations()}")
        net.grown("mappings", 0)


# ---- many in one buffer ------------------------------------------------------------

def segments(count, size, last):
    """Datagrams of one size, the last one shorter, in one buffer of the kernel."""
    with Opened() as net:
        messages = [sized(n, size) for n in range(count - 1)] + [sized(count, last)]
        net.phone.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        net.send("dect", 5060, b"".join(messages), (PROXY, 5060))
        net.arrives(*messages)
        need(net.buffers() == 1, f"they came in {net.buffers()} buffers, not in one")
        net.grown("messages", count)


# ---- captures ------------------------------------------------------------------------

def cloned():
    """Captures on both sides of both links: each sees what passed there, and only that."""
    with Opened() as net:
        taps = {key: net.capture(*key) for key in (("lan", "eth0"), ("gw", "lan0"), ("gw", "wan0"),
                                                   ("wan", "eth0"))}
        messages = [sized(n, 400 + n) for n in range(20)]
        for message in messages:
            net.send("dect", 5060, message, (PROXY, 5060))
        net.arrives(*messages)
        for (side, device), sock in taps.items():
            want = messages if "wan" not in (side, device[:3]) else [edited(m) for m in messages]
            need(payload(captured(sock)) == want, f"the capture on {side}'s {device} differs")


# ---- checksums ---------------------------------------------------------------------

def zero_checksum():
    """None before, none behind."""
    with Opened() as net:
        wan = net.capture("wan", "eth0")
        net.phone.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        message = options(1)
        net.send("dect", 5060, message, (PROXY, 5060))
        net.arrives(message)
        sums = [struct.unpack_from("!H", rest, 6)[0] for _, _, rest in captured(wan)]
        need(sums and not any(sums), f"the checksum became {sums}")


def full_checksum(size):
    """Made by the phone, verified by the receiver: nothing on the way may fill it in anew."""
    with Opened() as net:
        for side, device in (("lan", "eth0"), ("gw", "wan0")):
            net.run(side, f"ethtool -K {device} tx off")
        messages = [sized(n, size + n) for n in range(4)]
        for message in messages:
            net.send("dect", 5060, message, (PROXY, 5060))
        net.arrives(*messages)


CASES = [
    Case("over-mtu exactly", over_mtu, MTU_PAYLOAD),
    Case("over-mtu by one", over_mtu, MTU_PAYLOAD - 2),
    Case("over-mtu not", over_mtu, MTU_PAYLOAD - 3),
    Case("fragments two", in_fragments, 2000),
    Case("fragments many", in_fragments, 9000),
    Case("fragments that hide a REGISTER", boundary),
    Case("segments of one size", segments, 8, 420, 420),
    Case("segments, a short last one", segments, 5, 1200, 300),
    Case("segments, thirty", segments, 30, 300, 299),
    Case("cloned by captures", cloned),
    Case("checksum of zero", zero_checksum),
    Case("checksum verified, even", full_checksum, 500),
    Case("checksum verified, fragments", full_checksum, 1600),
]

if __name__ == "__main__":
    sys.exit(tap.main(CASES, ("ip", "nft", "conntrack", "ethtool"), 4))
