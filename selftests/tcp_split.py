#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""SIP over TCP, cut at every byte: what arrives is the same stream each time.

usage: tcp_split.py [WORD…]        only cases with such a word in their name

The messages are those of flows/stream-messages.flow, sent through the gateway once as a
flow, and then again and again on the same connection: each cut in two at every byte; a
short one at every pair of bytes; three in a row, cut and grouped in every way, with
keep-alives between; all of them in segments of a few bytes. Last, each half of a message
on a connection of its own, the second so late that the gateway has to act on the first.
Each piece leaves as a segment of its own, which counters on the gateway confirm.

environment: HELPER=sip-strict|none. Without a helper every byte must arrive as it was
sent, which shows that the test itself is right.
"""

import itertools
import os
import re
import select
import socket
import sys
import time

import flowfile
import flowrun
import tap
import testnet
from tap import Case, Failed, need

HERE = os.path.dirname(os.path.abspath(__file__))
HELPER = os.environ.get("HELPER", "sip-strict")
FLOW = os.path.join(HERE, "flows", "stream-messages.flow")
NAMES = ("register", "registered", "invite", "answer", "ice", "multipart", "folded", "bye",
         "invited", "accept", "compact", "short")
# What the flow would learn from the first edited message of each.
UNEDITED = {"SIP": "5060", "RTP": "9000", "ICE": "9100", "MP": "9200", "IN": "9300"}
AT_ONCE = 64                    # pieces that are written before what has come is read
STALL = 5.0 * testnet.SLOW      # seconds without a byte
LATE = 0.12                     # seconds between the halves of a late message
COUNT = """table ip pieces {
    counter from_out { }
    counter from_in { }
    chain count {
        type filter hook prerouting priority -300;
        iifname lan0 meta l4proto tcp meta length > 52 counter name from_out
        iifname wan0 meta l4proto tcp meta length > 52 counter name from_in
    }
}"""


class Message:
    """What is sent, what must arrive, and from which side."""

    def __init__(self, sent, expected, side):
        self.sent, self.expected, self.side = sent, expected, side

    def __add__(self, other):
        return Message(self.sent + other.sent, self.expected + other.expected, self.side)


class Split:
    """A connection through the gateway on which the messages have been sent once."""

    def __init__(self):
        self.net = testnet.Net(HELPER)
        self.net.setup()
        self.net.be_patient()
        self.net.run("gw", "nft -f -", stdin=COUNT)
        self.flow = flowrun.FlowRun(flowfile.load(FLOW), {}, self.net, lambda text: None, "tcp")
        if HELPER == "none":
            self.flow.values.update(UNEDITED)
        failures = self.flow.run(HELPER == "none")
        if failures and HELPER != "none":
            raise Failed("sent once, uncut:\n" + failures[0][1] + "\n" + self.net.dump())
        streams = self.flow.streams.ends
        self.ends = {"out": (streams[("dect", 5060)][0].sock, streams[("proxy", 5060)][0].sock)}
        self.ends["in"] = self.ends["out"][::-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.flow.streams.close()
        self.net.close()

    def message(self, name):
        """One of the flow's messages."""
        record = self.flow.named[name]
        sent = record["sent"].encode("latin-1")
        expected = self.flow.expected(record).encode("latin-1")
        return Message(sent, sent if HELPER == "none" else expected,
                       "out" if record["sender"][0] == "dect" else "in")

    def segments(self, side):
        """How many segments with data the gateway has had from a side."""
        text = self.net.run("gw", f"nft list counter ip pieces from_{side}", quiet=True)
        return int(re.search(r"packets (\d+)", text)[1])

    def send(self, units):
        """Sends units, each a message and where it is cut; every byte must be as expected."""
        message = units[0][0]
        before = self.segments(message.side)
        pieces = [message.sent[begin:end] for message, cuts in units
                  for begin, end in zip((0, *cuts), (*cuts, len(message.sent)))]
        expected = b"".join(message.expected for message, _ in units)
        got = pump(*self.ends[message.side], pieces, len(expected))
        if got != expected:
            raise Failed(self._explain(units, got, expected))
        seen = self.segments(message.side) - before
        need(seen >= len(pieces), f"{len(pieces)} pieces left as only {seen} segments")

    def _explain(self, units, got, expected):
        at = next((i for i, (a, b) in enumerate(zip(got, expected)) if a != b),
                  min(len(got), len(expected)))
        begin = 0
        for message, cuts in units:
            size = len(message.expected)
            if begin <= at < begin + size:
                text = got[begin:begin + size + 40].decode("latin-1")
                return (f"cut at {cuts} of {len(message.sent)}: {len(got)} of {len(expected)} bytes "
                        f"arrived, the first wrong one at {at - begin} of {size}\n"
                        + flowrun.show_diff(message.expected.decode("latin-1"), text)
                        + "\n" + self.net.dump())
            begin += size
        return f"{len(got)} bytes, not {len(expected)}: too many: {got[-200:]!r}"


def pump(source, target, pieces, size):
    """Writes pieces, each a segment, while it reads; gives back what arrived."""
    got, waiting, offset = bytearray(), list(reversed(pieces)), 0
    poll = select.poll()
    poll.register(target, select.POLLIN)
    poll.register(source, select.POLLOUT)
    for sock in (source, target):
        sock.setblocking(False)
    last = time.monotonic()
    while len(got) < size or waiting:
        for fd, _ in poll.poll(1000):
            if fd == target.fileno():
                data = target.recv(1 << 16)
                if not data:
                    return bytes(got)
                got += data
                last = time.monotonic()
            offset = write_some(source, waiting, offset) if fd == source.fileno() else offset
        if not waiting:
            poll.modify(source, 0)
        if time.monotonic() - last > STALL:
            break
    while testnet.readable([target], 0.02):     # what should not come as well
        data = target.recv(1 << 16)
        if not data:
            break
        got += data
    return bytes(got)


def write_some(sock, waiting, offset):
    """Writes as many pieces as the socket takes, but not all that it might; how far the
    next one is written."""
    try:
        for _ in range(AT_ONCE):
            if not waiting:
                break
            # MSG_EOR: the next piece does not join this one's segment.
            offset += sock.send(waiting[-1][offset:], socket.MSG_EOR)
            if offset == len(waiting[-1]):
                waiting.pop()
                offset = 0
    except BlockingIOError:
        pass
    return offset


def every_byte(name):
    """A message, cut in two at every byte."""
    with Split() as split:
        message = split.message(name)
        split.send([(message, (at,)) for at in range(1, len(message.sent))])


def every_pair(name):
    """A message, cut in three at every pair of bytes."""
    with Split() as split:
        message = split.message(name)
        split.send([(message, pair) for pair in
                    itertools.combinations(range(1, len(message.sent)), 2)])


def edges(parts):
    """Offsets in a row of messages where something begins or ends, and those beside them."""
    found, begin = set(), 0
    for part in parts:
        head = part.sent.find(b"\r\n\r\n") + 4
        for at in (0, 1, len(part.sent) // 2, head - 2, head, len(part.sent) - 1):
            found |= {begin + at, begin + at + 1}
        begin += len(part.sent)
    return sorted(at for at in found if 0 < at < begin)


def grouped(names, between=b""):
    """Three in a row: whole, at every byte, and with up to three cuts where one begins or ends."""
    with Split() as split:
        parts = [split.message(name) for name in names]
        quiet = Message(between, between, parts[0].side)
        row = quiet + parts[0] + quiet + parts[1] + quiet + parts[2] + quiet
        split.send([(row, ()) for _ in range(4)])
        split.send([(row, (at,)) for at in range(1, len(row.sent))])
        cuts = edges([quiet + part for part in parts])
        split.send([(row, pair) for pair in itertools.combinations(cuts, 2)])
        split.send([(row, three) for three in itertools.combinations(cuts[::3], 3)])


def small_segments(side):
    """All messages of a side in segments of a few bytes, and in as few as there can be."""
    with Split() as split:
        messages = [m for m in map(split.message, NAMES) if m.side == side]
        row = messages[0]
        for message in messages[1:]:
            row += message
        for size in (1, 2, 3, 7, 19, 88, 536, 1200):
            split.send([(row, tuple(range(size, len(row.sent), size)))] * (1 if size < 7 else 4))
        split.send([(row + row + row, ())] * 2)


ANSWER = ("SIP/2.0 200 OK\r\nv:SIP/2.0/TCP {via};branch=z9hG4bK1\r\nf:<sip:a@b>;tag=1\r\n"
          "t:<sip:b@c>;tag=2\r\ni:1\r\nCSeq:1 BYE\r\n\r\n")


def late(side):
    """At every byte: a connection, the first part, a pause, the rest."""
    with Split() as split:
        short = split.message("short")
        pairs, listener = [], split.flow.streams.listeners[("proxy", 5060)]
        for _ in range(len(short.sent if side == "out" else ANSWER) - 1):
            split.net.enter("lan")
            sock = socket.create_connection((testnet.host_address("proxy"), 5060), 10,
                                            (testnet.host_address("dect"), 0))
            split.net.enter(None)
            other, peer = listener.accept()
            for end in (sock, other):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                end.settimeout(STALL)
            pairs.append((sock, other, sock.getsockname()[1], peer[1]))
        late_exchange(pairs, lambda port, seen: readdressed(short, port, seen), 0)
        if side == "in":
            late_exchange(pairs, answered, 1)


def late_exchange(pairs, make, reverse):
    """On each connection one message, cut one byte later than on the one before."""
    made = [make(port, seen) for _, _, port, seen in pairs]
    for part in (lambda data, at: data[:at], lambda data, at: data[at:]):
        for at, (pair, message) in enumerate(zip(pairs, made), 1):
            pair[reverse].sendall(part(message.sent, min(at, len(message.sent) - 1)))
        time.sleep(LATE)
    for at, (pair, message) in enumerate(zip(pairs, made), 1):
        target, got = pair[1 - reverse], b""
        try:
            while len(got) < len(message.expected):
                data = target.recv(4096)
                if not data:
                    break
                got += data
        except TimeoutError:
            pass
        need(got == message.expected, f"cut at {at} of {len(message.sent)}, the rest {LATE} s later:\n"
             + flowrun.show_diff(message.expected.decode("latin-1"), got.decode("latin-1")))


def readdressed(message, port, seen):
    """The same from another port of the phone, which the gateway shows as another one."""
    inside, outside = testnet.host_address("dect"), testnet.WAN_GW
    expected = message.expected.replace(f"{inside}:5060".encode(), f"{inside}:{port}".encode())
    expected = re.sub(re.escape(f"{outside}:").encode() + rb"\d+", f"{outside}:{seen}".encode(),
                      expected)
    return Message(message.sent.replace(f"{inside}:5060".encode(), f"{inside}:{port}".encode()),
                   expected, message.side)


def answered(port, seen):
    """The answer to the short message."""
    outside, inside = f"{testnet.WAN_GW}:{seen}", f"{testnet.host_address('dect')}:{port}"
    if HELPER == "none":
        outside = inside
    return Message(ANSWER.format(via=outside).encode(), ANSWER.format(via=inside).encode(), "in")


CASES = [Case(f"every-byte {name}", every_byte, name) for name in NAMES]
CASES += [
    Case("every-pair short", every_pair, "short"),
    Case("groups-of-three out", grouped, ("short", "bye", "short")),
    Case("groups-of-three in", grouped, ("compact", "registered", "compact")),
    Case("groups-of-three bodies", grouped, ("accept", "short", "accept")),
    Case("keep-alives-between out", grouped, ("short", "bye", "short"), b"\r\n\r\n"),
    Case("keep-alives-between in", grouped, ("compact", "registered", "compact"), b"\r\n"),
    Case("small-segments out", small_segments, "out"),
    Case("small-segments in", small_segments, "in"),
    Case("late-rest out", late, "out"),
    Case("late-rest in", late, "in"),
]

if __name__ == "__main__":
    sys.exit(tap.main(CASES, ("ip", "nft", "conntrack"), 4))
