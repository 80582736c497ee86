#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Very many calls at once on one UDP flow between a PBX and its trunk.

usage: trunk.py [CALLS | CALLSxROUNDS | memory]…    default: 500 1200 memory; with
                                                    SIP_STRICT_LONG=1 also 2000x10

    pbx 192.168.1.10:5060 == one flow == 198.51.100.1 == proxy 203.0.113.5:5060
    call i: RTP, RTCP pbx:20000+2i <-> peer 203.0.113.40:31000, :31001

All calls are set up, and each INVITE must arrive as it was sent but for Via,
Contact, c=, m= and Content-Length. Every call then has RTP and RTCP both ways,
the first packet of every second call from outside, and each packet leaves from
the port that the call's SDP named. They end in random order; half-way the living
ones still have audio, and the ended ones are closed. At the end nothing is left.
CALLSxROUNDS does so again and again on one flow, each time until also what is
remembered of ended calls is gone: the kernel's memory must not grow. "memory" says
what a call with two media lines takes.

environment: as run_flows.py; HELPER=sip shows the in-tree helper's limit, with
BYTES=0 also where it changes more than it should.
"""

import os
import random
import re
import resource
import sys
import time

import testnet

PBX, PROXY, PEER = "192.168.1.10", "203.0.113.5", "203.0.113.40"
WAN = testnet.WAN_GW
WINDOW = 32         # messages or packets on their way at once
BYTES = os.environ.get("BYTES", "1") == "1"
LIMIT = 240 * testnet.SLOW
MEMORY = 2048       # bytes of a call with two media lines
GROWTH = 8          # bytes a call and round; the smallest object that could leak has 8
LINGER = 32         # seconds that an ended call is remembered
LEFT = ("dialogs_now", "mappings_now", "memories_now", "registrations_now", "published_now")


class Failed(Exception):
    """What should have held did not."""


def request(method, number, body="", contact=True, tag=""):
    """A request of call number from the PBX."""
    lines = [f"{method} sip:100@{PROXY} SIP/2.0",
             f"Via: SIP/2.0/UDP {PBX}:5060;branch=z9hG4bK-{method}-{number};rport",
             "Max-Forwards: 70",
             f"From: <sip:pbx@{PROXY}>;tag=p{number}",
             f"To: <sip:100@{PROXY}>{tag}",
             f"Call-ID: trunk-{number}@{PBX}",
             f"CSeq: {1 if method in ('INVITE', 'ACK') else 2} {method}"]
    if contact:
        lines.append(f"Contact: <sip:pbx@{PBX}:5060>")
    if body:
        lines.append("Content-Type: application/sdp")
    return "\r\n".join(lines + [f"Content-Length: {len(body)}", "", body])


def sdp(address, port):
    """A session description with one audio stream."""
    return (f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0\r\n")


def answer(received, number, body=""):
    """The proxy's 200 to a request that it received."""
    head = dict(line.split(": ", 1) for line in received.split("\r\n\r\n")[0].split("\r\n")[1:])
    lines = ["SIP/2.0 200 OK", f"Via: {head['Via'].replace(';rport', '')}",
             f"From: {head['From']}", f"To: <sip:100@{PROXY}>;tag=t{number}",
             f"Call-ID: {head['Call-ID']}", f"CSeq: {head['CSeq']}",
             f"Contact: <sip:100@{PROXY}:5060>"]
    if body:
        lines.append("Content-Type: application/sdp")
    return "\r\n".join(lines + [f"Content-Length: {len(body)}", "", body])


class Trunk:
    """The calls of one run."""

    def __init__(self, net, count):
        self.net, self.count = net, count
        self.out = {}       # call -> its outside RTP port
        self.begin = time.monotonic()
        self.pbx = net.socket("pbx", 5060)
        self.proxy = net.socket("proxy", 5060)
        self.source = None
        self.peer = {31000: net.socket("peer", 31000), 31001: net.socket("peer", 31001)}
        for sock in (self.pbx, self.proxy, *self.peer.values()):
            sock.setsockopt(testnet.socket.SOL_SOCKET, testnet.socket.SO_RCVBUF, 1 << 22)

    def in_time(self):
        """The bound of the whole run."""
        if time.monotonic() - self.begin > LIMIT:
            raise Failed(f"not done in {LIMIT} s")

    @staticmethod
    def take(sock):
        """The next datagram of a socket; a lost one fails."""
        if not testnet.readable([sock], testnet.ARRIVE):
            raise Failed("a message did not arrive")
        data, source = sock.recvfrom(65535)
        return data.decode("latin-1"), source

    def mapped(self, text, port, seen):
        """The request as it must arrive outside."""
        sip = f"{WAN}:{self.source[1]}"
        head, body = text.split("\r\n\r\n", 1)
        body = body.replace(f"c=IN IP4 {PBX}", f"c=IN IP4 {WAN}").replace(
            f"m=audio {port} ", f"m=audio {seen} ")
        head = re.sub(r"(Via: SIP/2\.0/UDP |Contact: <sip:pbx@)" + re.escape(f"{PBX}:5060"),
                      lambda m: m[1] + sip, head)
        head = re.sub(r"Content-Length: \d+", f"Content-Length: {len(body)}", head)
        return head + "\r\n\r\n" + body

    def exchange(self, method, number, body="", reply=""):
        """A request out, exact, and its answer in."""
        tag = f";tag=t{number}" if method != "INVITE" else ""
        text = request(method, number, body, method == "INVITE", tag)
        self.pbx.sendto(text.encode(), (PROXY, 5060))
        got, self.source = self.take(self.proxy)
        port, seen = 20000 + 2 * number, None
        if body:
            match = re.search(r"m=audio (\d+)", got)
            seen = int(match[1]) if match else 0
            if seen in self.out.values():
                raise Failed(f"two calls have the outside port {seen}")
            self.out[number] = seen
        want = self.mapped(text, port, seen)
        if got != want and BYTES:
            raise Failed(f"call {number}: {method} arrived as\n{got}\nnot as\n{want}")
        if method == "ACK":
            return
        self.proxy.sendto(answer(got, number, reply).encode(), self.source)
        back, _ = self.take(self.pbx)
        via = f"Via: SIP/2.0/UDP {PBX}:5060;branch=z9hG4bK-{method}-{number}\r\n"
        if via not in back or f"Call-ID: trunk-{number}@" not in back:
            raise Failed(f"call {number}: the answer to {method} came as\n{back}")

    def set_up(self, number):
        """INVITE, 200, ACK; the phone listens before it says where."""
        for plus in (0, 1):
            self.net.socket("pbx", 20000 + 2 * number + plus)
        self.exchange("INVITE", number, sdp(PBX, 20000 + 2 * number), sdp(PEER, 31000))
        self.exchange("ACK", number)

    def end(self, number):
        """BYE, 200."""
        self.exchange("BYE", number)

    def audio(self, numbers):
        """RTP and RTCP of these calls both ways; those that failed, and how."""
        failed = {}
        for at in range(0, len(numbers), WINDOW):
            self.in_time()
            part = numbers[at:at + WINDOW]
            for first_out in (True, False, True, False):
                inward = [n for n in part if (n % 2 == 0) == first_out]
                outward = [n for n in part if n not in inward]
                for plus in (0, 1):
                    self._inward(inward, plus, failed)
                    self._outward(outward, plus, failed)
        return failed

    def _inward(self, numbers, plus, failed):
        for n in numbers:
            self.peer[31000 + plus].sendto(f"in {n} {plus}".encode(), (WAN, self.out[n] + plus))
        for n in numbers:
            got = self.net.receive("pbx", 20000 + 2 * n + plus, 0.02 if len(failed) > 20 else 1)
            if not got or got != (f"in {n} {plus}".encode(), (PEER, 31000 + plus)):
                failed.setdefault(n, f"in: {got}")

    def _outward(self, numbers, plus, failed):
        for n in numbers:
            self.net.send("pbx", 20000 + 2 * n + plus, f"out {n} {plus}".encode(),
                          (PEER, 31000 + plus))
        left = set(numbers)
        while left and testnet.readable([self.peer[31000 + plus]],
                                        0.02 if len(failed) > 20 else 1):
            data, source = self.peer[31000 + plus].recvfrom(2048)
            n = int(data.split()[1])
            left.discard(n)
            if source != (WAN, self.out[n] + plus):
                failed.setdefault(n, f"out from {source}, not {self.out[n] + plus}")
        for n in left:
            failed.setdefault(n, "out: nothing arrived")

    def closed(self, numbers):
        """Packets to calls that have ended; those that arrived."""
        for n in numbers:
            self.peer[31000].sendto(b"late", (WAN, self.out[n]))
        time.sleep(testnet.REFUSE)
        return [n for n in numbers if self.net.receive("pbx", 20000 + 2 * n, 0)]


def check_audio(trunk, numbers, when):
    """All of them, or a failure that says how many."""
    failed = trunk.audio(numbers)
    if failed:
        first = min(failed)
        raise Failed(f"{when}: {len(numbers) - len(failed)} of {len(numbers)} calls have audio "
                     f"both ways; the first without is call {first}: {failed[first]}")


def nothing_left(net):
    """No pinhole, no media entry, no call."""
    def left():
        return net.expectations("proto=17") or \
            [x for x in net.conntrack() if "dport=3100" in x] or net.calls()
    rest = left() if not testnet.wait_until(lambda: not left(), 10) else []
    if rest:
        raise Failed(f"{len(rest)} entries are left, one is: {rest[0].strip()}")


def one_round(net, trunk, count):
    """All calls, from their INVITEs to their BYEs; how long the setting up took."""
    trunk.begin = time.monotonic()
    trunk.out.clear()
    for n in range(count):
        trunk.in_time()
        trunk.set_up(n)
    up = time.monotonic() - trunk.begin
    numbers = list(range(count))
    check_audio(trunk, numbers, "all up")
    random.shuffle(numbers)
    half = count // 2
    for n in numbers[:half]:
        trunk.end(n)
    check_audio(trunk, sorted(numbers[half:]), "half of them ended")
    testnet.wait_until(lambda: not net.conntrack(f"dport={trunk.out[numbers[0]]}"), 5)
    opened = trunk.closed(numbers[:half])
    if opened:
        raise Failed(f"{len(opened)} of {half} ended calls are still open")
    for n in numbers[half:]:
        trunk.end(n)
    nothing_left(net)
    return up


def slab():
    """Bytes in use in the kernel's general caches, those of per-CPU lists given back."""
    caches = "/sys/kernel/slab"
    sizes = {}      # without what a kernel that looks for faults puts around an object
    for name in os.listdir(caches):
        if name.startswith("kmalloc-"):
            with open(f"{caches}/{name}/shrink", "w", encoding="ascii") as handle:
                handle.write("1\n")
            with open(f"{caches}/{name}/object_size", encoding="ascii") as handle:
                sizes[name] = int(handle.read())
    with open("/proc/slabinfo", encoding="ascii") as handle:
        rows = [line.split() for line in handle]
    return sum(int(words[1]) * sizes[words[0]] for words in rows if words[0] in sizes)


def forgotten(net):
    """Waits until nothing is remembered; raises if something stays."""
    def rest():
        now = net.counters()
        return {name: now[name] for name in LEFT if now.get(name)}
    if not testnet.wait_until(lambda: not rest(), LINGER + 15):
        raise Failed(f"{LINGER + 15} s after the last BYE there is still {rest()}")
    time.sleep(2 * testnet.SLOW)    # grace periods, and what is ended a last time


def grows(used, count):
    """Do the rounds after the first two, which warm up, need more and more?"""
    growth = (used[-1] - used[1]) / (len(used) - 2) / count
    print(f"# memory after each round: {' '.join(f'{n / 1024:.0f}' for n in used)} kB: "
          f"{growth:+.1f} bytes a call and round")
    return growth >= GROWTH


def memory(count):
    """What a call with two media lines takes, without its connections; raises Failed."""
    def two(address, port):
        return sdp(address, port) + f"m=video {port + 2} RTP/AVP 96\r\n"
    net = testnet.Net()
    try:
        net.setup()
        net.sysctl("publish_expect", 0)
        trunk = Trunk(net, count)
        trunk.exchange("OPTIONS", count)
        before = slab()
        for n in range(count):
            for method in ("INVITE", "ACK"):
                trunk.pbx.sendto(request(method, n, two(PBX, 20000 + 4 * n) if method == "INVITE"
                                         else "").encode(), (PROXY, 5060))
                got, source = trunk.take(trunk.proxy)
                if method == "INVITE":
                    trunk.proxy.sendto(answer(got, n, two(PEER, 31000)).encode(), source)
                    trunk.take(trunk.pbx)
        time.sleep(0.5 * testnet.SLOW)  # what waits for a grace period
        took = (slab() - before) / count
        up, mapped = net.counters()["dialogs_now"], net.counters()["mappings_now"]
        print(f"# {up} calls with {mapped} mappings: {took:.0f} bytes a call")
        if (up, mapped) != (count, 4 * count + 1) or not 0 < took <= MEMORY:
            raise Failed(f"a call takes {took:.0f} bytes, not {MEMORY} at most")
    finally:
        net.close()


def run(count, rounds):
    """One run; raises Failed."""
    helper = os.environ.get("HELPER", "sip-strict")
    net = testnet.Net(helper, os.environ.get("ASSIGN", "nft"))
    used, up = [], 0
    try:
        net.setup()
        trunk = Trunk(net, count)
        begin = trunk.begin
        for _ in range(rounds):
            up += one_round(net, trunk, count)
            if rounds > 1:
                forgotten(net)
                used.append(slab())
        print(f"# {count} calls: set up in {up / rounds:.1f} s, all done in "
              f"{time.monotonic() - begin:.1f} s")
        if used and grows(used, count):
            raise Failed("the kernel's memory grows")
    except Failed:
        print("# " + net.dump()[:1500].replace("\n", "\n# "))
        raise
    finally:
        net.close()


def main():
    """One case for each number of calls."""
    long = os.environ.get("SIP_STRICT_LONG") == "1"
    helper = os.environ.get("HELPER", "sip-strict")
    words = sys.argv[1:] or ["500", "1200"] + ["memory"] * (helper == "sip-strict") + \
        ["2000x10"] * long
    cases = [(memory, 1000) if word == "memory" else
             (run, int(word.partition("x")[0]), int(word.partition("x")[2] or 1)) for word in words]
    print("TAP version 13")
    try:
        testnet.require("ip", "nft", "conntrack")
        testnet.load_helper(helper)
    except testnet.Unsupported as err:
        print(f"1..0 # SKIP {err}")
        return 1 if os.environ.get("SIP_STRICT_NO_SKIP") == "1" else 4
    need = 2 * max(count for _, count, *_ in cases) + 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (need, max(need, 65536)))
    log, failed = testnet.KernelLog(), 0
    print(f"1..{len(cases)}")
    for number, (case, *arguments) in enumerate(cases, 1):
        name, reason = f"trunk-{words[number - 1]}", ""
        testnet.KernelLog.announce(name)
        try:
            case(*arguments)
        except Failed as err:
            reason = str(err)
        trouble = log.trouble()
        if trouble:
            reason += "\nthe kernel complained:\n" + "\n".join(trouble)
        failed += bool(reason)
        print(("not ok" if reason else "ok") + f" {number} {name}")
        if reason:
            print("# " + reason.replace("\n", "\n# "))
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
