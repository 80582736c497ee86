#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""SIP over TCP, segment by segment: what no TCP would do by itself, or only on a bad day.

usage: tcp_segments.py [WORD…]     only cases with such a word in their name

Both ends of each connection are made here (rawtcp.py); between them is the gateway.
Whatever is retransmitted, doubled, reordered, cut anew or lost: the same place in the
sequence has the same bytes each time, every byte arrives, acknowledgments come back as
numbers of the sender, and conntrack calls nothing INVALID.

environment: HELPER=sip-strict|none (none: nothing is edited, which the test must see
as right, too), SEED=N and ROUNDS=N for the soak.
"""

import heapq
import itertools
import os
import random
import struct
import sys
import time

import rawtcp
import tap
import testnet
from rawtcp import ACK, FIN, INSIDE, INSIDE_LONG, MOD, PSH, RST, URG, Connection, Gateway
from tap import Case, Failed, need

HELPER = os.environ.get("HELPER", "sip-strict")
SOON = 1.5 * testnet.SLOW       # seconds until what must come counts as lost
SHORT = 0.03 * testnet.SLOW     # seconds that what comes at once may take
HOLD = 0.15                     # seconds after which a held part has been acknowledged


class Message:
    """What is sent, and what must arrive."""

    def __init__(self, sent, expected):
        self.sent, self.expected = sent.encode(), (sent if HELPER == "none" else expected).encode()

    def __len__(self):
        return len(self.sent)


def joined(messages):
    """Several messages: all that is sent, and all that must arrive."""
    return (b"".join(m.sent for m in messages), b"".join(m.expected for m in messages))


def request(conn, number, pad=0, body=0):
    """A request of the phone; Via and Contact are edited."""
    def text(where):
        return (f"OPTIONS sip:{number}@{rawtcp.SERVER} SIP/2.0\r\n"
                f"Via: SIP/2.0/TCP {where};branch=z9hG4bK{number};rport\r\n"
                f"From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: {number}@d\r\n"
                f"CSeq: {number} OPTIONS\r\nContact: <sip:a@{where}>\r\n"
                f"Subject: {'x' * pad}\r\nContent-Length: {body}\r\n\r\n" + "b" * body)
    return Message(text("%s:%d" % conn.client.local), text("%s:%d" % conn.outside))


def answer(conn, number, pad=0, body=0):
    """A response of the server; its Via is edited."""
    def text(where):
        return (f"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP {where};branch=z9hG4bK{number}\r\n"
                f"From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>;tag=2\r\nCall-ID: {number}@d\r\n"
                f"CSeq: {number} OPTIONS\r\nSubject: {'y' * pad}\r\n"
                f"Content-Length: {body}\r\n\r\n" + "c" * body)
    return Message(text("%s:%d" % conn.outside), text("%s:%d" % conn.client.local))


def asked(conn):
    """The phone has asked something, so that the server may answer; offsets count from here."""
    message = request(conn, 99)
    conn.client.send(message.sent)
    agree(conn, message.expected)
    for end, peer in (conn.ends, conn.ends[::-1]):
        end.count_anew(peer)
    return conn


class Opened:
    """A gateway for one case; says what went over it when the case fails."""

    def __init__(self, invalid_too=False):
        self.gateway, self.invalid_too = Gateway(HELPER), invalid_too

    def __enter__(self):
        self.gateway.setup()
        return self.gateway

    def __exit__(self, kind, error, _):
        gateway = self.gateway
        try:
            if kind is Failed:
                raise Failed(f"{error}\nthe last packets:\n{gateway.story()}\n{gateway.dump()}")
            if kind is None and not self.invalid_too:
                bad = gateway.invalid()
                need(not bad, f"conntrack called {bad} packets INVALID\n{gateway.story()}")
        finally:
            gateway.close()


def until(gateway, condition, what, wait=SOON):
    """Polls until something holds."""
    end = time.monotonic() + wait
    while not condition():
        if time.monotonic() > end:
            raise Failed(what() if callable(what) else what)
        gateway.poll(0.01)


def show(data):
    """Bytes as a line."""
    return repr(bytes(data))[:600]


def agree(conn, out=b"", inward=b"", wait=SOON):
    """What has come on both sides is right, and so is what has been acknowledged."""
    gateway = conn.gateway
    for end, expected in ((conn.server, out), (conn.client, inward)):
        until(gateway, lambda e=end, x=expected: len(e.data()) >= len(x),
              lambda e=end, x=expected: f"{len(e.data())} of {len(x)} bytes came: {show(e.data())}", wait)
        need(end.data() == expected, f"came: {show(end.data())}\nnot:  {show(expected)}")
        end.reply()
    for end in conn.ends:
        until(gateway, lambda e=end: e.acked >= len(e.sent),
              lambda e=end: f"of {len(e.sent)} bytes only {e.acked} were acknowledged")
        sound(end)


def sound(end):
    """Nothing that came contradicts what came before."""
    need(not end.wrong, "; ".join(end.wrong[:3]))


def resend(conn, expected, sizes, tries=12):
    """The client repeats what is not acknowledged, in segments of these sizes, until all came."""
    client, server, gateway = conn.client, conn.server, conn.gateway
    for _ in range(tries):
        at, size = client.acked, itertools.cycle(sizes)
        while at < len(client.sent):
            step = next(size)
            client.send(client.sent[at:at + step], at=at)
            at += step
        gateway.drain(SHORT)
        server.reply()
        gateway.drain(SHORT)
        if server.data() == expected and client.acked >= len(client.sent):
            break
    need(server.data() == expected, f"after {tries} rounds: {len(server.data())} of {len(expected)} "
         f"bytes: {show(server.data())}")
    need(client.acked == len(client.sent), f"{client.acked} of {len(client.sent)} acknowledged")
    sound(server)
    sound(client)


# The cases

def whole():
    """Messages in one segment each, both ways; every kind of start."""
    with Opened() as gateway:
        for inside, isns, stamps in itertools.product(
                (INSIDE, INSIDE_LONG), ((1000, 5000), (MOD - 300, MOD - 500)), (False, True)):
            conn = Connection(gateway, inside, isns, stamps=stamps, scale=7 if stamps else None)
            out, inward = [], []
            for n in range(6):
                out.append(request(conn, n, 10 * n))
                conn.client.send(out[-1].sent)
                agree(conn, joined(out)[1], joined(inward)[1])
                inward.append(answer(conn, n, 7 * n))
                conn.server.send(inward[-1].sent)
                agree(conn, joined(out)[1], joined(inward)[1])
            shut(conn, joined(out)[1], joined(inward)[1])


def shut(conn, out, inward, first=0):
    """Ends a connection in order: each FIN stands behind the last byte, and is acknowledged."""
    order = conn.ends[first:] + conn.ends[:first]
    for end, other in (order, order[::-1]):
        size = len(out if other is conn.server else inward)
        end.send(flags=FIN | ACK)
        until(conn.gateway, lambda o=other: o.fin_at is not None, "no FIN came")
        need(other.fin_at == size, f"a FIN came at {other.fin_at}, not at {size}")
        other.reply()
        until(conn.gateway, lambda e=end: e.acked == len(e.sent) + 1, lambda e=end:
              f"the FIN was not acknowledged: {e.acked} of {len(e.sent) + 1}")
        sound(end)
        sound(other)


def first_byte():
    """One byte, and 20, are no start line yet, and no other protocol either."""
    with Opened() as gateway:
        for sizes in ((1,), (20,), (1, 1, 1, 1), (4, 1), (7, 8, 9), (1, 40)):
            conn = Connection(gateway)
            message = request(conn, 1)
            at = 0
            for size in sizes:
                conn.client.send(message.sent[at:at + size])
                at += size
                gateway.drain(SHORT)
            conn.client.send(message.sent[at:])
            agree(conn, message.expected)
            shut(conn, message.expected, b"")


def again():
    """The receiver has lost all of it; the same comes, cut anew, and shifted."""
    with Opened() as gateway:
        for sizes in ((1460,), (1,), (7,), (50, 3), (100, 200, 333), (213,), (400, 1)):
            for inside in (INSIDE, INSIDE_LONG):
                conn = Connection(gateway, inside)
                row = [request(conn, n, 5 * n) for n in range(3)]
                sent, expected = joined(row)
                for message in row:
                    conn.client.send(message.sent)
                until(gateway, lambda c=conn, x=expected: c.server.data() == x, "the first time failed")
                conn.server.forget()
                resend(conn, expected, sizes)
                need(len(sent) == len(conn.client.sent), "more was sent than there is")
                shut(conn, expected, b"")


def again_inside():
    """Parts of edited messages once more, from any byte to any byte, out of turn."""
    with Opened() as gateway:
        conn = Connection(gateway)
        row = [request(conn, n) for n in range(4)]
        sent, expected = joined(row)
        for message in row:
            conn.client.send(message.sent)
        until(gateway, lambda: conn.server.data() == expected, "the first time failed")
        rng = random.Random(7)
        spans = [sorted(rng.sample(range(len(sent) + 1), 2)) for _ in range(150)]
        for begin, end in spans:
            conn.server.take()
            conn.client.send(sent[begin:end][:1400], at=begin)
            gateway.drain(0)
            sound(conn.server)
            need(conn.client.acked <= len(sent), "more is acknowledged than was sent")
        conn.server.forget()
        resend(conn, expected, (97,))


def reordered():
    """A message in four pieces, in every order."""
    with Opened() as gateway:
        for order in itertools.permutations(range(4)):
            conn = Connection(gateway)
            message = request(conn, 1, 40)
            cuts = (0, 30, 111, 222, len(message))
            conn.client.sent = message.sent
            for i in order:
                conn.client.send(message.sent[cuts[i]:cuts[i + 1]], at=cuts[i])
            gateway.drain(0.001)
            conn.server.reply()
            resend(conn, message.expected, (1460,))
            sound(conn.server)


def doubled():
    """Every piece twice, at once and late; pieces that overlap."""
    with Opened() as gateway:
        for step, width in ((50, 50), (50, 90), (1, 3), (33, 200), (200, 201)):
            conn = Connection(gateway)
            sent, expected = joined([request(conn, n) for n in range(2)])
            for at in range(0, len(sent), step):
                for _ in range(2):
                    conn.client.send(sent[at:at + width], at=at)
            gateway.drain(SHORT)
            conn.server.reply()
            for at in range(0, len(sent), step):
                conn.client.send(sent[at:at + width], at=at)
            resend(conn, expected, (1460,))


def other_bytes():
    """An overlap that says something else: the receiver never sees two versions."""
    if HELPER == "none":
        raise testnet.Unsupported("without a helper it sees both")
    with Opened() as gateway:
        for cut in (1, 25, 60, 150):
            conn = Connection(gateway)
            message = request(conn, 1)
            lie = b"#" * 20
            conn.client.send(message.sent[:cut + 20])
            conn.client.send(lie + message.sent[cut + 20:], at=cut)
            gateway.drain(SHORT)
            conn.server.reply()
            conn.client.send(message.sent, at=0)
            conn.client.send(message.sent[:cut] + lie + message.sent[cut + 20:], at=0)
            gateway.drain(SHORT)
            sound(conn.server)


def probes():
    """Keep-alive probes, with and without a byte, after edits and during a hold."""
    with Opened() as gateway:
        conn = Connection(gateway)
        first, second, back = request(conn, 1), request(conn, 2), answer(conn, 1)
        conn.client.send(first.sent)
        agree(conn, first.expected)
        conn.server.send(back.sent)
        agree(conn, first.expected, back.expected)
        for prober, prey, size in ((conn.client, conn.server, len(first.expected)),
                                   (conn.server, conn.client, len(back.expected))):
            for data in (b"", prober.sent[-1:]):
                prey.take()
                prober.take()
                gateway.inject(prober.device, prober.segment(data, at=len(prober.sent) - 1))
                until(gateway, lambda p=prey: p.inbox, "a probe did not arrive")
                at = prey.offset(prey.take()[0])
                need(at == size - 1, f"a probe came at {at}, not at {size - 1}")
                prey.reply()
                until(gateway, lambda p=prober: p.inbox, "no answer to a probe")
                last = prober.take()[-1]
                need((last.ack - prober.isn - 1) % MOD == len(prober.sent), f"{last!r}")
        conn.client.send(second.sent[:100])
        conn.client.take()
        gateway.inject("lan0", conn.client.segment(b"", at=len(conn.client.sent) - 1))
        gateway.drain(SHORT)
        conn.server.reply()
        gateway.drain(SHORT)
        conn.client.send(second.sent[100:])
        agree(conn, first.expected + second.expected, back.expected)


def with_fin():
    """FIN on the last piece, behind it, again, and ahead of it."""
    with Opened() as gateway:
        for cuts, first in itertools.product(((), (100,), (1, 50, 51)), (0, 1)):
            conn = asked(Connection(gateway)) if first else Connection(gateway)
            message = request(conn, 1) if first == 0 else answer(conn, 1)
            end, other = conn.ends[first:] + conn.ends[:first]
            points = (0, *cuts, len(message))
            for begin, stop in zip(points, points[1:]):
                last = stop == len(message)
                end.send(message.sent[begin:stop], flags=ACK | PSH | (FIN if last else 0))
            for _ in range(2):
                until(gateway, lambda o=other: o.fin_at is not None, "no FIN came")
                need(other.fin_at == len(message.expected) and other.data() == message.expected,
                     f"FIN at {other.fin_at}, {len(other.data())} of {len(message.expected)} bytes")
                end.send(message.sent[points[-2]:], at=points[-2], flags=ACK | PSH | FIN)
            other.reply()
            until(gateway, lambda e=end: e.acked == len(e.sent) + 1, "the FIN was not acknowledged")
            other.send(flags=FIN | ACK)
            until(gateway, lambda e=end: e.fin_at == 0, "no FIN came back")
            end.send(at=len(end.sent) + 1)
            until(gateway, lambda o=other: o.acked == 1, "the second FIN was not acknowledged")
            sound(end)
            sound(other)


def part_and_fin():
    """A message that ends in the middle, with the connection: what was sent arrives."""
    with Opened() as gateway:
        for fin_apart in (False, True):
            conn = Connection(gateway)
            message, half = request(conn, 1), request(conn, 2).sent[:120]
            conn.client.send(message.sent)
            conn.client.send(half, flags=ACK | PSH | (0 if fin_apart else FIN))
            if fin_apart:
                conn.client.send(flags=ACK | FIN)
            until(gateway, lambda c=conn: c.server.fin_at is not None, "no FIN came")
            size = len(message.expected) + len(half)
            need(conn.server.data() == message.expected + half and conn.server.fin_at == size,
                 f"FIN at {conn.server.fin_at}, {len(conn.server.data())} of {size} bytes")
            conn.server.reply()
            until(gateway, lambda c=conn: c.client.acked == len(c.client.sent) + 1, "no ACK of the FIN")
            sound(conn.server)


def with_rst():
    """RST after edits, from either side, and during a hold: in the receiver's numbers."""
    with Opened() as gateway:
        for first, held in itertools.product((0, 1), (0, 90)):
            conn = asked(Connection(gateway)) if first else Connection(gateway)
            message = (request, answer)[first](conn, 1)
            end, other = conn.ends[first:] + conn.ends[:first]
            end.send(message.sent)
            agree(conn, *((message.expected, b"") if first == 0 else (b"", message.expected)))
            if held:
                end.send(message.sent[:held])
            other.take()
            gateway.inject(end.device, end.segment(flags=RST | ACK))
            until(gateway, lambda o=other: any(s.flags & RST for s in o.inbox), "no RST came")
            at = [other.offset(s) for s in other.take() if s.flags & RST][0]
            need(at == len(other.data()), f"RST at {at}; the receiver waits for {len(other.data())}")


def sack():
    """SACK blocks never name what the receiver has not got, nor what was not sent."""
    with Opened() as gateway:
        for offered in (True, False):
            conn = Connection(gateway, sack=offered)
            permitted = [bool(s.option(4) is not None) for side in conn.opening
                         for s in side if s.flags & rawtcp.SYN]
            need(offered or not any(permitted), "SACK is permitted that nobody offered")
            row = [request(conn, n) for n in range(3)]
            sent, expected = joined(row)
            for message in row:
                conn.client.send(message.sent)
            until(gateway, lambda: conn.server.data() == expected, "not all arrived")
            conn.client.take()
            begin, end = len(row[0].expected), len(row[0].expected) + len(row[1].expected)
            base = conn.server.peer_isn + 1
            conn.server.send(ack=0, extra=rawtcp.option_sack((base + begin, base + end)))
            conn.server.send(ack=0, extra=rawtcp.option_sack((base + begin + 9, base + end - 9)))
            conn.server.send(ack=0, extra=rawtcp.option_sack((base + begin + 5, base + len(expected))))
            gateway.drain(SHORT)
            for segment in conn.client.take():
                blocks = segment.option(5) or b""
                for low, high in struct.iter_unpack("!II", blocks):
                    low, high = low - conn.client.isn - 1, high - conn.client.isn - 1
                    need(len(row[0]) <= low < high <= len(sent), f"SACK block {low}-{high}: {segment!r}")
            agree(conn, expected)
            for message in (answer(conn, 1), answer(conn, 2)):
                conn.server.send(message.sent)
            gateway.drain(SHORT)
            conn.client.reply()
            shut(conn, expected, answer(conn, 1).expected + answer(conn, 2).expected)


def window():
    """The right edge that a sender sees never moves back; a window of 0 is one of 0."""
    with Opened() as gateway:
        for inside in (INSIDE, INSIDE_LONG):
            conn = Connection(gateway, inside)
            out = []
            conn.client.edges.clear()
            for n in range(8):
                out.append(request(conn, n))
                cut = 60 + 20 * n
                conn.client.send(out[-1].sent[:cut])
                if n % 2:
                    gateway.drain(HOLD)
                conn.client.send(out[-1].sent[cut:])
                agree(conn, joined(out)[1])
            edges = conn.client.edges
            back = [(a, b) for a, b in zip(edges, edges[1:]) if b < a]
            need(not back, f"the window's edge went back, from {back[:3]}")
            conn.client.take()
            conn.server.reply(window=0)
            until(gateway, lambda c=conn: c.client.inbox, "no window update")
            need(conn.client.take()[-1].window == 0, "a window of 0 came as another")
            conn.server.reply(window=65535)
            until(gateway, lambda c=conn: c.client.inbox, "no window update")
            last = conn.client.take()[-1]
            need(last.window > 60000, f"a window of 65535 came as {last.window}")


def small_window():
    """A message longer than the window of its receiver goes on, unedited if it must."""
    with Opened() as gateway:
        if HELPER == "sip-strict":
            gateway.sysctl("tcp_hold_time", 5)      # what ends the wait, on a slow machine too
        for size in (100, 300, 1000):
            conn = Connection(gateway)
            message = request(conn, 1, body=1500)
            conn.server.reply(window=size)
            gateway.drain(SHORT)
            end = time.monotonic() + 20 * testnet.SLOW
            while len(conn.server.data()) < len(message) and time.monotonic() < end:
                client, at = conn.client, conn.client.acked
                room = client.edges[-1] - at if client.edges else size
                if room > 0 and at < len(message):
                    client.send(message.sent[at:at + min(room, 1460)], at=at)
                gateway.drain(SHORT)
                conn.server.reply(window=size)
                gateway.drain(SHORT)
            need(conn.server.data() in (message.expected, message.sent),
                 f"window {size}: {len(conn.server.data())} of {len(message)} bytes came: "
                 f"{show(conn.server.data()[:200])}")
            sound(conn.server)


def on_syn():
    """Data on the SYN: the connection is left alone, whole."""
    with Opened() as gateway:
        early = request(Connection(gateway), 1)
        conn = Connection(gateway, data_on_syn=early.sent)
        conn.server.reply()
        gateway.drain(SHORT)
        more = request(conn, 2)
        conn.client.send(more.sent)
        agree(conn, early.sent + more.sent)
        shut(conn, early.sent + more.sent, b"")


def same_ports():
    """An end that has lost its connection makes it once more, from the same port."""
    with Opened() as gateway:
        for stamps, before in itertools.product((False, True), ("edited", "held", "foreign")):
            conn = Connection(gateway, stamps=stamps)
            first = request(conn, 1)
            conn.client.send(first.sent if before != "foreign" else b"GET / HTTP/1.1\r\n\r\n")
            agree(conn, first.expected if before != "foreign" else conn.client.sent)
            if before == "held":
                conn.client.send(first.sent[:90])
            if stamps:
                time.sleep(0.01)        # the clock of the time stamps
            conn = Connection(gateway, isns=(MOD // 3, 700), stamps=stamps, same_ports=True)
            row = [request(conn, n, 9 * n) for n in range(4)]
            conn.client.send(row[0].sent)
            agree(conn, row[0].expected)
            for message in row[1:]:
                conn.client.send(message.sent[:100])
                gateway.drain(HOLD)
                conn.client.send(message.sent[100:])
            expected = joined(row)[1]
            agree(conn, expected)
            back = answer(conn, 1)
            conn.server.send(back.sent)
            agree(conn, expected, back.expected)
            shut(conn, expected, back.expected)


def urgent():
    """Urgent data: every byte arrives, and the pointer names the same byte."""
    with Opened() as gateway:
        for cut in (0, 100):
            conn = Connection(gateway)
            first, second = request(conn, 1), request(conn, 2)
            conn.client.send(first.sent)
            agree(conn, first.expected)
            conn.client.send(second.sent[:cut]) if cut else None
            conn.server.take()
            conn.client.send(second.sent[cut:], flags=ACK | PSH | URG, urgent=len(second) - cut)
            until(gateway, lambda c=conn, f=first, s=second: len(c.server.data()) >= len(f.expected)
                  + min(len(s.expected), len(s)), "the urgent message did not arrive")
            gateway.drain(SHORT)
            got = conn.server.data()
            need(got in (first.expected + second.expected, first.expected + second.sent), show(got))
            ends = [conn.server.offset(s) + s.urgent for s in conn.server.take() if s.flags & URG]
            need(all(at == len(got) for at in ends), f"urgent up to {ends}, not {len(got)}")
            conn.server.reply()
            until(gateway, lambda c=conn: c.client.acked == len(c.client.sent), "not acknowledged")
            sound(conn.server)


def supers():
    """GSO packets of several messages and parts of them, up to 60 kB."""
    with Opened() as gateway:
        for size, mss in ((1460, 1460), (536, 536), (1200, 536)):
            for inside in (INSIDE, INSIDE_LONG):
                conn = Connection(gateway, inside, mss=(1460, mss))
                sent, expected = joined([request(conn, n, n, 80 * n) for n in range(30)])
                cuts = (0, 6000, 6001, 20000, len(sent) - 30, len(sent))
                for begin, end in zip(cuts, cuts[1:]):
                    if end - begin > size:
                        conn.client.send_super(sent[begin:end], size)
                    else:
                        conn.client.send(sent[begin:end])
                    gateway.drain(SHORT)
                    conn.server.reply()
                gateway.drain(SHORT)
                resend(conn, expected, (1460,))
                limit = max(mss, size)
                need(conn.server.largest <= limit, f"a segment of {conn.server.largest} for an MSS of {mss}")


def segment_size():
    """What grows leaves in segments that the receiver takes; with time stamps, in less."""
    with Opened() as gateway:
        for mss, stamps in itertools.product((88, 200, 536, 1220, 1460), (False, True)):
            conn = Connection(gateway, mss=(1460, mss), stamps=stamps)
            room = mss - (12 if stamps else 0)
            row = [request(conn, n, 3 * n, 1200 if n == 2 else 0) for n in range(4)]
            fill = room - len(row[0]) % room        # the last segment is a full one
            row[0] = request(conn, 0, fill)
            sent, expected = joined(row)
            for at in range(0, len(sent), room):
                conn.client.send(sent[at:at + room])
                conn.server.reply()
            gateway.drain(SHORT)
            resend(conn, expected, (room,))
            need(conn.server.largest <= room,
                 f"a segment of {conn.server.largest} where {room} are taken (MSS {mss})")


def stamps_kept():
    """Each segment has the time stamp option that both agreed on; ours too."""
    with Opened() as gateway:
        conn = Connection(gateway, stamps=True)
        message = request(conn, 1)
        conn.client.send(message.sent[:90])
        gateway.drain(HOLD)
        conn.client.send(message.sent[90:])
        agree(conn, message.expected)
        for end in conn.ends:
            bare = [s for s in end.take() if s.option(8) is None and not s.flags & RST]
            need(not bare, f"without a time stamp: {bare[:2]}")


def stamps_newest():
    """A segment that comes late has an old time stamp: ours have the newest all the same."""
    with Opened() as gateway:
        for end in (0, 1):
            conn = asked(Connection(gateway, stamps=True))
            talker, other = conn.ends[end], conn.ends[1 - end]
            late = other.segment()
            gateway.drain(0.05)
            newest = struct.unpack("!I", other.segment().option(8)[:4])[0]
            other.reply()
            gateway.drain(SHORT)
            gateway.inject(other.device, late)
            gateway.drain(SHORT)
            talker.take()
            message = (request if end == 0 else answer)(conn, 1)
            talker.send(message.sent[:100])
            gateway.drain(HOLD)
            made = talker.take()
            need(made or HELPER == "none", "nothing was acknowledged")
            old = [s for s in made if (newest - struct.unpack("!I", s.option(8)[:4])[0]) % MOD
                   in range(1, MOD // 2)]
            need(not old, f"older than {newest:x}: {old[:2]}")
            talker.send(message.sent[100:])
            agree(conn, *((message.expected, b"") if end == 0 else (b"", message.expected)))


class Lost:
    """Weather in which nothing arrives."""

    def __init__(self):
        self.segments = []

    def pass_on(self, _receive, segment):
        """A packet comes out of the gateway."""
        self.segments.append(segment)


def strange():
    """A segment whose numbers are far off stays so, and nothing that it says is in ours."""
    with Opened(invalid_too=True) as gateway:
        for end, far in itertools.product((0, 1), (1 << 29, -(1 << 29))):
            conn = asked(Connection(gateway, stamps=True))
            talker = conn.ends[end]
            gateway.weather = lost = Lost()
            for liar in conn.ends:
                forged = liar.segment(at=far, ack=far)
                later = [(x + (1 << 30)) % MOD for x in struct.unpack("!II", forged.option(8))]
                forged.options = struct.pack("!BBBBII", 1, 1, 8, 10, *later)
                gateway.inject(liar.device, forged)
            gateway.drain(SHORT)
            gateway.weather = None
            for segment in lost.segments:
                at = max(conn.ends, key=lambda e, s=segment: e.local == s.target).offset(segment)
                need(abs(at) > 1 << 28, f"what was far off is at {at} now")
            message = (request if end == 0 else answer)(conn, 1)
            talker.take()
            talker.send(message.sent[:100])
            gateway.drain(HOLD)
            made = talker.take()
            need(made or HELPER == "none", "nothing was acknowledged")
            now = struct.unpack("!I", talker.segment().option(8)[:4])[0]
            for segment in made:
                for stamp in struct.unpack("!II", segment.option(8)):
                    need((now - stamp) % MOD < 1 << 24, f"{stamp:x} at {now:x}: {segment!r}")
            talker.send(message.sent[100:])
            agree(conn, *((message.expected, b"") if end == 0 else (b"", message.expected)))


def duty():
    """What the gateway has acknowledged it delivers, though nobody repeats it any more."""
    with Opened() as gateway:
        for mss in (1460, 200):
            conn = Connection(gateway, mss=(1460, mss))
            message, after = request(conn, 1), request(conn, 2)
            conn.client.send(message.sent[:100])
            gateway.drain(HOLD)
            taken = conn.client.acked
            conn.client.send(message.sent[100:])
            until(gateway, lambda c=conn, m=message: c.server.data() == m.expected, "it did not arrive")
            if HELPER != "none":
                need(taken, "a part was held, and not acknowledged in time")
            for lost in range(3):
                conn.server.forget()
                if taken < len(message):        # the sender knows of no loss before that
                    conn.client.send(message.sent[taken:], at=taken)
                if HELPER == "none":
                    conn.client.send(message.sent, at=0)
                until(gateway, lambda c=conn, m=message: c.server.data() == m.expected,
                      lambda c=conn, n=lost: f"lost {n + 1} times, and not delivered any more: "
                      f"{len(c.server.data())} bytes", 4 * SOON)
            conn.client.send(after.sent)
            agree(conn, message.expected + after.expected)
            gateway.drain(SHORT)
            conn.server.take()
            gateway.drain(0.6)
            late = [s for s in conn.server.take() if s.data]
            need(not late, f"sent again though it was acknowledged: {late[:2]}")
            shut(conn, message.expected + after.expected, b"")


def part_acknowledged():
    """The receiver acknowledges a part of what was edited: never more than is safe."""
    with Opened() as gateway:
        conn = Connection(gateway)
        row = [request(conn, n) for n in range(3)]
        sent, expected = joined(row)
        for message in row:
            conn.client.send(message.sent)
        until(gateway, lambda: conn.server.data() == expected, "not all arrived")
        starts = [len(joined(row[:n])[0]) for n in range(4)], [len(joined(row[:n])[1]) for n in range(4)]
        for value in range(1, len(expected), 13):
            conn.server.send(ack=value)
            gateway.drain(0)
            sure = max(s for s, e in zip(*starts) if e <= value)
            most = min(s for s, e in zip(*starts) if e >= value)
            need(sure <= conn.client.acked <= most, f"{value} of {len(expected)} are acknowledged: "
                 f"{conn.client.acked} of {len(sent)} to the sender")
            if conn.client.acked:           # a probe with a byte, which is not the one that was edited
                at = conn.client.acked - 1
                conn.client.send(sent[at:at + 1], at=at)
                sound(conn.server)
        agree(conn, expected)


def ack_lost():
    """An ACK that got lost: the old data comes again, and is answered."""
    with Opened() as gateway:
        conn = Connection(gateway)
        row = [request(conn, n) for n in range(3)]
        sent, expected = joined(row)
        conn.client.send(sent)
        agree(conn, expected)
        conn.client.acked = 0
        conn.client.take()
        conn.client.send(sent[:len(row[0])], at=0)
        gateway.drain(SHORT)
        conn.server.reply()
        until(gateway, lambda: conn.client.acked == len(sent), lambda: "old data: acknowledged are "
              f"{conn.client.acked} of {len(sent)}")
        sound(conn.server)


def both_at_once():
    """Parts and wholes of both sides, in turns."""
    with Opened() as gateway:
        rng = random.Random(3)
        for inside in (INSIDE, INSIDE_LONG):
            conn = asked(Connection(gateway, inside))
            rows = [joined([request(conn, n, 11 * n) for n in range(12)]),
                    joined([answer(conn, n, 9 * n) for n in range(12)])]
            at = [0, 0]
            while at[0] < len(rows[0][0]) or at[1] < len(rows[1][0]):
                i = rng.randrange(2)
                size = rng.choice((1, 20, 150, 400, 900))
                conn.ends[i].send(rows[i][0][at[i]:at[i] + size])
                at[i] += len(rows[i][0][at[i]:at[i] + size])
            agree(conn, rows[0][1], rows[1][1])
            shut(conn, rows[0][1], rows[1][1], 1)


def foreign():
    """A stream that is not SIP from its first bytes on: untouched, whatever comes later."""
    with Opened() as gateway:
        for start in (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n",
                      b"GET /", b"\x16\x03\x01\x02\x00", b"EHLO x\r\n", b"REGISTERX sip:x SIP/3.0\r\n\r\n",
                      b"SSH-2.0-x\r\n"):
            for cut in (len(start), 3):
                conn = Connection(gateway)
                message = request(conn, 1)
                conn.client.send(start[:cut])
                if start[cut:]:
                    conn.client.send(start[cut:])
                conn.client.send(message.sent)
                agree(conn, start + message.sent)
                shut(conn, start + message.sent, b"")


def no_more_sip():
    """SIP, and then something else: the first is edited, the rest left alone for good."""
    with Opened() as gateway:
        conn = Connection(gateway)
        first, late = request(conn, 1), request(conn, 2)
        middle = b"GET / HTTP/1.0\r\n\r\n"
        conn.client.send(first.sent)
        conn.client.send(middle)
        conn.client.send(late.sent)
        agree(conn, first.expected + middle + late.sent)
        back = answer(conn, 1)
        conn.server.send(back.sent)
        gateway.drain(SHORT)
        need(conn.client.data() in (back.sent, back.expected), show(conn.client.data()))
        shut(conn, first.expected + middle + late.sent, conn.client.data())


class Weather:
    """What befalls packets: some are lost, doubled, or late."""

    def __init__(self, rng, loss, double, late):
        self.rng, self.loss, self.double, self.late = rng, loss, double, late
        self.queue, self.count = [], 0

    def pass_on(self, deliver, segment):
        """Delivers a segment now, later, twice or never."""
        if self.rng.random() < self.loss and not segment.flags & rawtcp.SYN:
            return
        for _ in range(2 if self.rng.random() < self.double else 1):
            if self.rng.random() < self.late:
                self.count += 1
                heapq.heappush(self.queue, (time.monotonic() + self.rng.random() * 0.03, self.count,
                                            deliver, segment))
            else:
                deliver(segment)

    def tick(self):
        """Delivers what is due."""
        while self.queue and self.queue[0][0] <= time.monotonic():
            _, _, deliver, segment = heapq.heappop(self.queue)
            deliver(segment)


class Talker:
    """One end that says its messages, in odd segments, and repeats what is not acknowledged."""

    def __init__(self, end, row, rng, limit):
        self.end, self.rng, self.limit = end, rng, limit
        self.text, self.expected = joined(row)
        self.progress, self.wait, self.highest, self.told = time.monotonic(), 0.2, 0, 0
        self.quiet = 0.0

    def step(self):
        """Sends what may be sent now."""
        end, now = self.end, time.monotonic()
        if end.acked > self.highest:
            self.highest, self.progress, self.wait = end.acked, now, 0.2
        arrived = end.take()
        if any(s.data or s.flags & FIN for s in arrived) and self.rng.random() < 0.9:
            end.reply()
        if now < self.quiet:
            return
        if len(end.sent) < len(self.text) and len(end.sent) - end.acked < self.limit:
            size = self.rng.choice((1, 3, 60, 200, 500, 900, 1400))
            room = min(size, (end.edges[-1] if end.edges else 60000) - len(end.sent))
            if room > 0:
                end.send(self.text[len(end.sent):len(end.sent) + room])
            if self.rng.random() < 0.1:
                self.quiet = now + 0.08
        elif end.acked < len(end.sent) and now - self.progress > self.wait:
            at = end.acked
            while at < len(end.sent):
                size = self.rng.choice((50, 333, 1400))
                end.send(end.sent[at:at + size], at=at)
                at += size
            self.progress, self.wait = now, min(1.0, self.wait * 2)

    def done(self, other):
        """Has the other side got everything, and do we know?"""
        return other.data() == self.expected and self.end.acked == len(self.text)


def soak(seed, loss, double, late):
    """Two sides that talk at random over four bad links, on several connections at once."""
    rng = random.Random(seed)
    with Opened() as gateway:
        if HELPER == "sip-strict":
            gateway.sysctl("tcp_hold_time", 60)     # these senders may stall with their machine
        talks = []
        for _ in range(6):
            stamps = rng.random() < 0.5
            conn = asked(Connection(gateway, rng.choice((INSIDE, INSIDE_LONG)),
                                    (rng.randrange(MOD), rng.randrange(MOD)),
                                    (1460, rng.choice((200, 536, 1460))), rng.random() < 0.5, stamps))
            rows = [[kind(conn, n, rng.randrange(40), rng.choice((0, 0, 100, 700, 3000)))
                     for n in range(12)] for kind in (request, answer)]
            limit = rng.choice((1000, 4000, 20000))
            talks.append([Talker(end, row, rng, limit) for end, row in zip(conn.ends, rows)])
        gateway.weather = Weather(rng, loss, double, late)
        stop = time.monotonic() + 40 * testnet.SLOW
        left = list(talks)
        while left:
            for pair in left:
                for talker in pair:
                    talker.step()
            gateway.weather.tick()
            gateway.poll(0.001)
            left = [p for p in left if not (p[0].done(p[1].end) and p[1].done(p[0].end))]
            for pair in talks:
                for talker in pair:
                    sound(talker.end)
            if time.monotonic() > stop:
                raise Failed(f"seed {seed}: " + "; ".join(
                    f"port {p[0].end.local[1]}: {len(p[i ^ 1].end.data())} of {len(p[i].expected)} "
                    f"bytes came, {p[i].end.acked} of {len(p[i].text)} are acknowledged"
                    for p in left for i in (0, 1)))


SEED = int(os.environ.get("SEED", "1"))
ROUNDS = int(os.environ.get("ROUNDS", "2"))
CASES = [Case(f.__name__.replace("_", "-"), f) for f in (
    whole, first_byte, again, again_inside, reordered, doubled, other_bytes, probes, with_fin,
    part_and_fin, with_rst, sack, window, small_window, on_syn, same_ports, urgent, supers, segment_size,
    stamps_kept, stamps_newest, strange, duty, part_acknowledged, ack_lost, both_at_once, foreign, no_more_sip)]
CASES += [Case(f"soak seed={seed} {name}", soak, seed, *links)
          for seed in range(SEED, SEED + ROUNDS)
          for name, links in (("clear", (0, 0, 0)), ("late", (0, 0.05, 0.25)), ("lossy", (0.05, 0, 0)),
                              ("all", (0.05, 0.05, 0.25)))]

if __name__ == "__main__":
    sys.exit(tap.main(CASES, ("ip", "nft", "conntrack"), 4))
