#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Messages in files, odd and tortured ones, through a real gateway.

usage: torture.py [WORD…]          only cases with such a word in their name

Reads unit/corpus and, where it is set, the folders of $CORPUS. A folder has an INDEX.tsv,
as unit/corpus/README.md and unit/corpus.c say. What an inside host sends over UDP must
arrive as NAME.exp has it; without one byte-exact. An answer follows its INVITE. Where an
index only says that something is edited, something must be, and nothing may differ but
the inside address and Content-Length. All of it must also come in byte-exact, where the
gateway has mapped nothing before.

environment: HELPER=sip-strict|sip|none.
"""

import os
import re
import sys

import tap
import testnet
from tap import Case, need

HELPER = os.environ.get("HELPER", "sip-strict")
testnet.HOSTS["corpus-peer"] = ("wan", "198.51.100.10")
HERE = os.path.dirname(os.path.abspath(__file__))
OUTSIDE, PEER = "203.0.113.1", testnet.host_address("corpus-peer")
NAT = f"""table ip selftest {{
    chain postrouting {{ type nat hook postrouting priority srcnat; oifname wan0 snat to {OUTSIDE}; }}
    chain forward {{ meta l4proto udp accept; }}
}}"""


class Row:
    """A message: its bytes, whose it is, and what must leave (None: edited somehow, or
    perhaps)."""

    def __init__(self, folder, columns):
        self.name = columns[0].removesuffix(".sip")
        self.sent = _read(folder, self.name + ".sip")
        self.changes = False
        if len(columns) == 6:
            self.inside, self.out = columns[3], columns[2].startswith("out")
            self.wanted = _read(folder, self.name + ".exp") or self.sent
            return
        named = re.match(r"[0-9.]+(:\d+)?", columns[5])
        self.inside, self.out = named[0] if named else columns[5], True
        self.wanted = self.sent if columns[4] == "pass" or columns[5] == "-" else None
        # An answer may hold only what would come in with it.
        self.changes = columns[4] == "edit" and self.wanted is None and \
            not self.sent.startswith(b"SIP/")

    def host(self):
        """The inside address and port; None: not IPv4, or not a host's that could send."""
        address, _, port = ("192.168.1.20" if self.inside == "-" else self.inside).partition(":")
        if not re.fullmatch(r"\d+(\.\d+){3}", address) or address.startswith("127."):
            return None
        return address, int(port or 5060)

    def over_udp(self):
        """Its topmost Via says so, or says nothing that can be read."""
        via = re.search(rb"^(?:Via|v)\s*:\s*SIP\s*/\s*2\.0\s*/\s*(\w+)", self.sent, re.M | re.I)
        return not via or via[1].upper() == b"UDP"


def _read(folder, name):
    try:
        with open(os.path.join(folder, name), "rb") as handle:
            return handle.read()
    except FileNotFoundError:
        return None


def rows_of(folder):
    """The messages of a folder that an IPv4 host can send over UDP."""
    with open(os.path.join(folder, "INDEX.tsv"), encoding="utf-8") as handle:
        lines = handle.read().splitlines()[1:]
    rows = [Row(folder, line.split("\t")) for line in lines]
    return [row for row in rows if row.host() and row.over_udp()]


def folders():
    """Those with an index."""
    found = []
    for top in (os.path.join(HERE, "unit", "corpus"), os.environ.get("CORPUS")):
        for path, _, names in os.walk(top) if top else ():
            if "INDEX.tsv" in names:
                found.append(path)
    return sorted(found)


class Opened(testnet.Net):
    """A network whose outside address and peer are those of the messages."""

    def __init__(self):
        super().__init__(HELPER, nat="none")
        self.hosts = set()

    def __enter__(self):
        self.setup()
        self.run("gw", "nft -f -", stdin=NAT, quiet=True)
        self.run("gw", f"ip addr add {OUTSIDE}/32 dev wan0", quiet=True)
        self.run("wan", f"ip route add {OUTSIDE} via {testnet.WAN_GW}", quiet=True)
        return self

    def __exit__(self, *_):
        self.close()

    def host(self, address):
        """Lets the inside have a host of this address."""
        testnet.HOSTS[address] = ("lan", address)
        if address not in self.hosts:
            self.hosts.add(address)
            self.run("lan", f"ip addr replace {address}/32 dev eth0", quiet=True)
            self.run("gw", f"ip route replace {address}/32 dev lan0", quiet=True)
        return address

    def held(self):
        """Registrations, and calls that have a port outside."""
        return [line for line in self.calls() if "kind=registration" in line or " media=" in line]

    def forget(self):
        """The outside address goes and comes: nothing of the last message is left."""
        self.run("gw", f"ip addr del {OUTSIDE}/32 dev wan0", quiet=True)
        self.run("gw", "conntrack -F", check=False, quiet=True)
        need(testnet.wait_until(lambda: not self.held(), 5), "\n".join(self.held()))
        self.run("gw", f"ip addr add {OUTSIDE}/32 dev wan0", quiet=True)


def neutral(data, inside):
    """Without what may differ."""
    data = re.sub(rb"(?im)^((?:Content-Length|l)[ \t]*:\s*)\d+", rb"\1", data)
    for address in (inside, OUTSIDE):
        data = re.sub(rb"(?<![\d.])" + re.escape(address.encode()) + rb"(?![\d.])", b"*", data)
    return data


def invite_of(answer):
    """The INVITE that a message answers, in as many words as it takes; None: it answers none."""
    fields = re.findall(rb"(?im)^(?:Via|v|From|f|To|t|Call-ID|i|CSeq)[ \t]*:.*\n(?:[ \t].*\n)*", answer)
    if not answer.startswith(b"SIP/") or not re.search(rb"(?im)^CSeq\s*:\s*\d+\s+INVITE", answer):
        return None
    fields = [re.sub(rb";\s*tag=[^;\s]*", b"", field) if field[:1] in b"Tt" else field
              for field in fields]
    return b"INVITE sip:inside SIP/2.0\r\n" + b"".join(fields) + b"Content-Length: 0\r\n\r\n"


def wrong_out(net, row):
    """Sends it from inside; what is wrong with what arrives, or None."""
    address, port = row.host()
    net.host(address)
    invite = invite_of(row.sent)
    if invite:
        net.send(address, port, b"\r\n\r\n", (PEER, 5060))
        opened = net.receive("corpus-peer", 5060)
        if not opened:
            return "the way is not open"
        net.send("corpus-peer", 5060, invite, opened[1])
        if not net.receive(address, port):
            return "its INVITE did not come in"
    error = net.send(address, port, row.sent, (PEER, 5060))
    if error:
        return error
    got = net.receive("corpus-peer", 5060)
    if not got:
        return "did not arrive"
    if row.wanted is None:
        fine = neutral(got[0], address) == neutral(row.sent, address) and \
            (got[0] != row.sent or not row.changes)
    else:
        fine = got[0] == row.wanted
    return None if fine else f"arrived as {got[0]!r}, sent as {row.sent!r}"


def wrong_in(net, row):
    """Sends it to a host that nobody knows; what is wrong with what arrives, or None."""
    net.send("phone", 5060, b"\r\n\r\n", (PEER, 5060))
    opened = net.receive("corpus-peer", 5060)
    if not opened:
        return "the way is not open"
    net.send("corpus-peer", 5060, row.sent, opened[1])
    got = net.receive("phone", 5060)
    if not got:
        return "did not come in"
    return None if got[0] == row.sent else f"came in as {got[0]!r}, sent as {row.sent!r}"


def check(folder, wrong, inwards):
    """All messages of a folder, one way."""
    rows = [row for row in rows_of(folder) if row.out or inwards]
    need(rows, "no message")
    bad = []
    with Opened() as net:
        net.socket("corpus-peer", 5060)
        for row in rows:
            problem = wrong(net, row)
            if problem:
                bad.append(f"{row.name}: {problem}")
            while net.unread():
                pass
            net.forget()
    print(f"{len(rows)} messages")
    need(not bad, f"{len(bad)} of {len(rows)} messages:\n" + "\n".join(bad))


CASES = [Case(f"{os.path.basename(folder)} {way}", check, folder, wrong, way == "in", limit=300)
         for folder in folders() for way, wrong in (("out", wrong_out), ("in", wrong_in))]

if __name__ == "__main__":
    sys.exit(tap.main(CASES, ("ip", "nft", "conntrack"), jobs=4))
