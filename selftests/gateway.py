#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What happens to a gateway while calls are up, and what it must survive.

usage: gateway.py [WORD…]        only cases with such a word in their name

Connections flushed again and again, namespaces and devices that go, floods from inside
and outside, packets of both sides, or two of one, at the same moment, modes and the module
itself switched while calls are made, a full table of expectations. The calls are those of
trunk.py: each message's bytes are checked, each call's RTP and RTCP both ways.

environment: HELPER=sip-strict|sip; with sip, BYTES=0 leaves the bytes unchecked.
"""

import mmap
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import tap
import testnet
import trunk
from streams import Streams
from tap import Case, Failed, need

HELPER = os.environ.get("HELPER", "sip-strict")
NETLINK_NETFILTER, CT_DELETE, NLM_F_REQUEST_ACK = 12, 1 << 8 | 2, 5
EXPECT_MAX = "/proc/sys/net/netfilter/nf_conntrack_expect_max"
LEAST = 512         # bytes that a call which stayed would take at least, with its mappings
PROXY = testnet.host_address("proxy")


class Calls:
    """The network of one case, with some calls up."""

    def __init__(self, count, assign="nft"):
        self.count = count
        self.net = testnet.Net(HELPER, assign)

    def __enter__(self):
        self.net.setup()
        self.trunk = trunk.Trunk(self.net, self.count)
        self.numbers = list(range(self.count))
        return self

    def __exit__(self, kind, error, _):
        try:
            if kind in (Failed, trunk.Failed):
                raise Failed(f"{error}\n{self.net.dump()}")
        finally:
            self.net.close()

    def set_up(self):
        """All of them."""
        for number in self.numbers:
            self.trunk.set_up(number)
        return self

    def audio(self, when, numbers=None):
        """Of all that are up."""
        trunk.check_audio(self.trunk, self.numbers if numbers is None else numbers, when)

    def end(self):
        """All of them; nothing may stay."""
        for number in self.numbers:
            self.trunk.end(number)
        trunk.nothing_left(self.net)


def ours():
    """What only our module has."""
    if HELPER != "sip-strict":
        raise testnet.Unsupported("only our module has counters")


# ---- connections that go ---------------------------------------------------------

def flush(net):
    """What conntrack -F does, without a program for each."""
    net.enter("gw")
    try:
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    finally:
        net.enter(None)
    with sock:
        sock.send(struct.pack("IHHIIBBH", 20, CT_DELETE, NLM_F_REQUEST_ACK, 1, 0, 0, 0, 0))
        size, kind, _, _, _, error = struct.unpack_from("IHHIIi", sock.recv(4096))
        need(size >= 20 and kind == 2 and error == 0, f"flushing gave {error}")


def flush_storm(times):
    """conntrack -F, and a message of the call that makes a new entry, again and again."""
    with Calls(1) as calls:
        calls.set_up().audio("at first")
        for _ in range(times):
            flush(calls.net)
            calls.trunk.exchange("INFO", 0)
        calls.audio(f"after {times} flushes")
        calls.end()
        if HELPER == "sip-strict":
            trunk.forgotten(calls.net)


def namespaces(rounds, count):
    """A namespace goes with calls up: all of its memory comes back."""
    used = []
    for _ in range(rounds):
        with Calls(count) as calls:
            calls.set_up().audio("before the namespace goes")
        time.sleep(2 * testnet.SLOW)
        used.append(trunk.slab())
    print("memory after each round: " + " ".join(f"{n / 1024:.0f}" for n in used) + " kB")
    half = rounds // 2      # from the one to the other so many rounds would add up
    need(min(used[half:]) - min(used[:half]) < half * LEAST * count, "the kernel's memory grows")


def device_gone():
    """The uplink's device is removed with media up, and another one comes."""
    ours()
    with Calls(20) as calls:
        calls.set_up().audio("before")
        calls.net.run("gw", "ip link del wan0")

        def left():
            return calls.net.expectations(f"dst={testnet.WAN_GW}") + \
                calls.net.conntrack(f"dst={testnet.WAN_GW}")
        need(testnet.wait_until(lambda: not left(), 5), "of the old address there is still:\n"
             + "\n".join(left()[:5]))
        net = calls.net
        net.run("gw", f"ip link add wan0 type veth peer name eth0 netns {net.names['wan']}")
        net.run("gw", f"ip addr add {testnet.WAN_GW}/24 dev wan0")
        for side, address in testnet.HOSTS.values():
            if side == "wan":
                net.run("wan", f"ip addr replace {address}/32 dev eth0")
        net.run("wan", f"ip addr add {testnet.ROUTER}/24 dev eth0")
        net.run("wan", "ip link set eth0 up")
        net.run("gw", "ip link set wan0 up")
        net.run("gw", f"ip route add default via {testnet.ROUTER}")
        calls.trunk.out.clear()
        calls.numbers = list(range(100, 110))
        calls.set_up().audio("calls over the new device")
        for number in calls.numbers:
            calls.trunk.end(number)


def options(address):
    """A question over TCP, whose answer comes back on its connection."""
    host = f"[{address}]" if ":" in address else address
    lines = ["OPTIONS sip:100@example.com SIP/2.0",
             f"Via: SIP/2.0/TCP {host}:5070;branch=z9hG4bK-idle;rport", "Max-Forwards: 70",
             "From: <sip:idle@example.com>;tag=i", "To: <sip:100@example.com>",
             f"Call-ID: idle@{address.replace(':', '.')}", "CSeq: 2 OPTIONS",
             f"Contact: <sip:idle@{host}:5070;transport=tcp>", "Content-Length: 0"]
    return "\r\n".join([*lines, "", ""]).encode()


def devices_idle(family):
    """The devices go under connections that are just open, and nothing waits for those.

    Each has carried a message both ways; one is from inside, one came by a port forward.
    """
    ours()
    net = testnet.Net(HELPER, forward="pbx", family=family)
    streams = Streams(net)
    try:
        net.setup()
        for host, target, heard in (("phone", "proxy", "proxy"), ("proxy", "box", "pbx")):
            streams.socket(heard, 5060)
            error = streams.send(host, 5070, options(net.address(host)),
                                 (net.address(target), 5060))
            need(not error, error)
            asked = streams.receive(heard, 5060)
            need(asked, f"{heard} hears nothing from {host}")
            reply = trunk.answer(asked[0].decode(), 0).encode()
            error = streams.send(heard, 5060, reply, asked[1])
            need(not error, error)
            need(streams.receive(host, 5070), f"{host} hears no answer")
        for device in ("wan0", "lan0"):
            begin = time.monotonic()
            net.run("gw", f"ip link del {device}")
            took = time.monotonic() - begin
            need(took < 5 * testnet.SLOW, f"{device} took {took:.1f} seconds to go")
    except Failed as err:
        raise Failed(f"{err}\n{net.dump()}") from None
    finally:
        streams.close()
        net.close()
    namespaces_went()


def namespaces_went():
    """Namespaces go one after the other: one made now goes only when those before it have."""
    name = f"sips-{os.getpid()}"
    for command in (f"netns add {name}", f"link add {name} type veth peer name eth0 netns {name}",
                    f"netns del {name}"):
        subprocess.run(["ip", *command.split()], check=True)
    need(testnet.wait_until(lambda: not os.path.exists(f"/sys/class/net/{name}"), 15),
         "the namespaces do not go")


# ---- at the same moment -----------------------------------------------------------

def together(*actions):
    """Each in a thread of its own, let go at once."""
    barrier = threading.Barrier(len(actions))

    def run(action):
        barrier.wait()
        action()
    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def drain(sockets):
    """Reads what has come."""
    while testnet.readable(sockets, testnet.REFUSE):
        for sock in testnet.readable(sockets, 0):
            sock.recv(2048)


def both_first():
    """The first packets of both sides cross in the gateway; every call has audio."""
    with Calls(40) as calls:
        calls.set_up()
        work = calls.trunk
        for n in calls.numbers:
            phone = calls.net.socket("pbx", 20000 + 2 * n)
            together(lambda s=phone: s.sendto(b"out", (trunk.PEER, 31000)),
                     lambda n=n: work.peer[31000].sendto(b"in", (trunk.WAN, work.out[n])))
        drain([*work.peer.values(), *(calls.net.socket("pbx", 20000 + 2 * n)
                                      for n in calls.numbers)])
        calls.audio("after first packets of both sides at once")
        calls.end()


def twins(count):
    """Two CPUs have a packet of one new connection each: both leave from the advertised port."""
    ours()
    with Calls(1) as calls:
        calls.set_up()
        for rule in ("flush chain ip selftest postrouting",
                     "add rule ip selftest postrouting oifname wan0 masquerade fully-random"):
            calls.net.run("gw", f"nft {rule}")
        phone, turn = calls.net.socket("pbx", 20000), mmap.mmap(-1, 4)
        child = os.fork()
        if not child:
            for n in range(count):
                while struct.unpack("I", turn[:])[0] <= n:
                    pass
                phone.sendto(b"one", (trunk.PEER, 32000 + n))
            os._exit(0)
        try:
            for n in range(count):
                peer = calls.net.socket("peer", 32000 + n)
                turn[:] = struct.pack("I", n + 1)
                phone.sendto(b"other", (trunk.PEER, 32000 + n))
                for _ in range(2):
                    got = calls.net.receive("peer", 32000 + n)
                    need(got and got[1] == (trunk.WAN, calls.trunk.out[0]),
                         f"the pair {n} of {count}: {got}")
                calls.net.sockets.pop(("peer", 32000 + n, False))
                peer.close()
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        calls.end()


def bye_races_media():
    """The first media comes from outside while its call ends: nothing of it may stay open.

    What the phone itself sends after its call makes a connection of its own, as ever.
    """
    with Calls(60) as calls:
        calls.set_up()
        work = calls.trunk
        for n in calls.numbers:
            def inwards(n=n):
                for _ in range(30):
                    work.peer[31000].sendto(b"in", (trunk.WAN, work.out[n]))
            together(inwards, lambda n=n: work.end(n))
        drain([calls.net.socket("pbx", 20000 + 2 * n) for n in calls.numbers])
        time.sleep(6)
        opened = work.closed(calls.numbers)
        need(not opened, f"{len(opened)} of {calls.count} calls are still open from outside")


# ---- floods -----------------------------------------------------------------------

def call_on(calls):
    """The ten that are up have audio, and so have ten new ones."""
    calls.audio("under the flood")
    calls.numbers += range(10, 20)
    for n in range(10, 20):
        calls.trunk.set_up(n)
    calls.audio("of new calls under the flood")


def flood_inside():
    """One phone asks for more calls and registrations than its share; others call on."""
    ours()
    with Calls(10) as calls:
        calls.net.sysctl("host_max", 50)
        calls.set_up().audio("before the flood")
        before, phone = calls.net.counters(), calls.net.socket("phone", 5060)
        address, other = testnet.host_address("phone"), testnet.host_address("proxy2")
        sink = calls.net.socket("proxy2", 5060)     # an outside peer has a share too
        for n in range(600):
            for method in ("INVITE", "REGISTER"):
                text = trunk.request(method, 5000 + n, trunk.sdp(address, 16384)
                                     if method == "INVITE" else "")
                phone.sendto(text.replace(trunk.PBX, address).encode(), (other, 5060))
            drain_some(sink)
        now = calls.net.counters()
        need(now["skip_host_quota"] - before["skip_host_quota"] >= 500,
             f"only {now['skip_host_quota'] - before['skip_host_quota']} were refused")
        need(now["dialogs_now"] + now["registrations_now"] <= 50 + calls.count,
             f"{now['dialogs_now']} calls and {now['registrations_now']} registrations are kept")
        call_on(calls)


def flood_ports():
    """One phone names more ports than it may have; the others' are not touched."""
    ours()
    with Calls(10) as calls:
        calls.net.sysctl("host_max", 50)
        calls.set_up()
        before, phone = calls.net.counters(), calls.net.socket("phone", 5060)
        address = testnet.host_address("phone")
        for n in range(0, 900, 30):
            many = ", ".join(f"<sip:x@{address}:{16384 + n + i}>" for i in range(30))
            text = trunk.request("OPTIONS", 5000 + n).replace(trunk.PBX, address)
            phone.sendto(re.sub("(?m)^Contact: .*?$", f"Contact: {many}\r", text).encode(), (PROXY, 5060))
            drain_some(calls.trunk.proxy)
        drain([calls.trunk.proxy])
        now = calls.net.counters()
        need(now["skip_host_quota"] > before["skip_host_quota"], "nothing was refused")
        made = now["mappings_now"] - before["mappings_now"]
        need(made <= 50 + 256 + 1, f"the phone holds {made} ports")
        call_on(calls)


def drain_some(sock):
    """So that no buffer is full."""
    while testnet.readable([sock], 0):
        sock.recv(65535)


def flood_early():
    """A full table: early calls go for new ones, the oldest first; established ones stay."""
    ours()
    with Calls(20) as calls:
        calls.net.sysctl("dialog_max", 30)
        calls.set_up()
        before, phone = calls.net.counters(), calls.net.socket("phone", 5060)
        address = testnet.host_address("phone")
        for n in range(200):
            text = trunk.request("INVITE", 5000 + n, trunk.sdp(address, 16384 + 2 * n))
            phone.sendto(text.replace(trunk.PBX, address).encode(), (PROXY, 5060))
            drain_some(calls.trunk.proxy)
        drain([calls.trunk.proxy])
        now = calls.net.counters()
        need(now["evicted"] - before["evicted"] >= 150, f"{now['evicted']} early calls were let go")
        need(calls.net.calls("kind=call") and len(calls.net.calls("state=confirmed")) == 20,
             "an established call has gone")
        calls.audio("of the established ones")


def flood_rejected():
    """Calls from outside that are refused at once: few of them are remembered."""
    ours()
    with Calls(10) as calls:
        calls.net.sysctl("dialog_max", 1000)
        calls.set_up().audio("before the flood")
        before, proxy, pbx = calls.net.counters(), calls.trunk.proxy, calls.trunk.pbx
        target = testnet.endpoint(*calls.trunk.source)
        for n in range(700):
            invite = trunk.request("INVITE", 5000 + n).replace(f"@{PROXY} ", f"@{target} ", 1)
            proxy.sendto(invite.replace(trunk.PBX, PROXY).encode(), calls.trunk.source)
            need(testnet.readable([pbx], testnet.ARRIVE), f"INVITE {n} did not arrive")
            refusal = trunk.answer(pbx.recv(65535).decode(), n)
            pbx.sendto(refusal.replace("200 OK", "486 Busy Here").encode(), (PROXY, 5060))
            need(testnet.readable([proxy], testnet.ARRIVE), f"486 {n} did not arrive")
            proxy.recv(65535)
        now = calls.net.counters()
        made = now["dialogs"] - before["dialogs"]
        kept = now["memories_now"] - before["memories_now"]
        need(made == 700, f"{made} calls were made")
        need(kept < 300, f"{kept} addresses of calls that came to nothing are remembered")
        calls.audio("after the flood")
        calls.numbers += range(10, 20)
        for n in range(10, 20):
            calls.trunk.set_up(n)
        calls.audio("of new calls after the flood")
        calls.end()


def flood_outside():
    """Noise from outside, to the phone's signalling and to its media: nothing is kept of it."""
    ours()
    with Calls(4) as calls:
        calls.set_up().audio("before")
        before = calls.net.counters()
        rng = random.Random(1)
        stranger, proxy = calls.net.socket("stranger", 5060), calls.trunk.proxy
        target = calls.trunk.source
        for n in range(1500):
            noise = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 200)))
            bye = trunk.request("BYE", 9000 + n, tag=f";tag=x{n}").encode()
            stranger.sendto(bye, target)
            stranger.sendto(noise, (trunk.WAN, calls.trunk.out[n % 4]))
            proxy.sendto(rng.choice((noise, bye, bye[:60] + noise)), target)
            drain_some(calls.trunk.pbx)
        drain([calls.trunk.pbx])
        now = calls.net.counters()
        for name in ("dialogs_now", "registrations_now", "mappings_now"):
            need(now[name] == before[name], f"{name} was {before[name]}, is {now[name]}")
        calls.audio("under the noise")
        calls.end()


# ---- switched while calls are made ------------------------------------------------

class Busy:
    """Another phone's calls and their media, one after the other, from a thread.

    What happens to them is the switch's business, but no message is edited by half.
    """

    def __init__(self, net):
        self.address, self.halves = testnet.host_address("phone"), []
        self.edited = [0, 0]    # messages that were, and that were not
        self.other = testnet.host_address("proxy2")
        self.phone, self.proxy = net.socket("phone", 5060), net.socket("proxy2", 5060)
        self.media, self.peer = net.socket("phone", 16384), net.socket("peer2", 31000)
        self.number, self.stop = 0, threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def exchange(self, method, number):
        """A request, and its answer where it arrives."""
        body = trunk.sdp(self.address, 16384) if method == "INVITE" else ""
        text = trunk.request(method, number, body).replace(trunk.PBX, self.address)
        self.phone.sendto(text.encode(), (self.other, 5060))
        while testnet.readable([self.proxy], 0.02):
            data, source = self.proxy.recvfrom(65535)
            got = data.decode("latin-1")
            named = [self.address in line for line in got.split("\r\n")
                     if line.startswith(("Via:", "Contact:", "c="))]
            if len(set(named)) != 1:
                self.halves.append(got)
            self.edited[named[0]] += 1
            port = re.search(r"m=audio (\d+)", got)
            if port:
                self.peer.sendto(b"in", (source[0], int(port[1])))
                self.media.sendto(b"out", (testnet.host_address("peer2"), 31000))
            if method != "ACK":
                self.proxy.sendto(trunk.answer(got, number, trunk.sdp(
                    testnet.host_address("peer2"), 31000) if body else "").encode(), source)
        for sock in (self.phone, self.media, self.peer):
            drain_some(sock)

    def _run(self):
        while not self.stop.is_set():
            for method in ("INVITE", "ACK", "BYE"):
                self.exchange(method, 5000 + self.number)
            self.number += 1

    def hang_up(self):
        """All once more: a BYE may have passed unseen."""
        for number in range(self.number):
            self.exchange("BYE", 5000 + number)
        need(min(self.edited) >= 10, "%d messages were edited, %d were not" % tuple(self.edited))
        need(not self.halves, f"{len(self.halves)} messages were edited by half, one is:\n"
             + "".join(self.halves[:1]))


def modes_under_load(times):
    """The mode goes back and forth while calls are made: those of before keep their audio."""
    ours()
    with Calls(10) as calls:
        calls.set_up().audio("before")
        with Busy(calls.net) as busy:
            for n in range(times):
                calls.net.sysctl("mode", (0, 1, 2, 1)[n % 4])
                time.sleep(0.005 * (n % 7))
            calls.net.sysctl("mode", 2)
            calls.audio("while messages pass unedited")
            calls.net.sysctl("mode", 1)
        busy.hang_up()
        calls.audio("after it")
        calls.numbers += range(10, 20)
        for number in calls.numbers[10:]:
            calls.trunk.set_up(number)
        calls.audio("of new calls")
        calls.end()


def reload_under_load(times):
    """The module goes and comes while calls are made; it goes each time, and works at the end."""
    ours()
    with Calls(10, "auto") as calls:
        calls.set_up().audio("before")
        with Busy(calls.net) as busy:
            for n in range(times):
                testnet.unload_module()
                time.sleep(0.03 * (n % 3))
                calls.audio("without the module")
                testnet.load_helper(HELPER)
                calls.net.sysctl("auto_assign", 1)
                time.sleep(0.1 * (n % 3))
        busy.hang_up()
        for number in calls.numbers:
            calls.trunk.end(number)     # of the life before: they have no state any more
        calls.numbers = list(range(10, 20))
        calls.set_up().audio("of new calls")
        for number in calls.numbers:
            calls.trunk.end(number)
        need(testnet.wait_until(lambda: not calls.net.calls("kind=call"), 10), "calls are left")


# ---- tables -----------------------------------------------------------------------

def expect_table_full():
    """No room for expectations: calls have audio all the same."""
    with open(EXPECT_MAX, encoding="ascii") as handle:
        was = handle.read()
    try:
        with open(EXPECT_MAX, "w", encoding="ascii") as handle:
            handle.write("1\n")
        with Calls(30) as calls:
            calls.set_up().audio("without room for expectations")
            calls.end()
    finally:
        with open(EXPECT_MAX, "w", encoding="ascii") as handle:
            handle.write(was)


CASES = [
    Case("flush-storm", flush_storm, 300),
    Case("netns-exit", namespaces, 6, 120, alone=True),
    Case("device-gone", device_gone),
    Case("devices-gone, TCP idle, IPv4", devices_idle, "4"),
    Case("devices-gone, TCP idle, IPv6", devices_idle, "6"),
    Case("both-first-at-once", both_first),
    Case("two of one connection at once", twins, 1000),
    Case("bye-races-media", bye_races_media),
    Case("flood from inside", flood_inside),
    Case("flood of ports", flood_ports),
    Case("flood of early calls", flood_early),
    Case("flood of refused calls", flood_rejected),
    Case("flood from outside", flood_outside),
    Case("modes under load", modes_under_load, 150),
    Case("reload under load", reload_under_load, 6, alone=True),
    Case("expect-table-full", expect_table_full, alone=True),
]

if __name__ == "__main__":
    sys.exit(tap.main(CASES, ("ip", "nft", "conntrack"), 3))
