# SPDX-License-Identifier: GPL-2.0-only
"""The SIP messages of two captures, and what the gateway between them changed."""

import dataclasses
import difflib
import re
import struct

INSIDE = "192.168.1."
OUTSIDE = "198.51.100.1"


@dataclasses.dataclass
class Message:
    """A SIP message as one capture has it."""

    time: float
    source: str
    target: str
    text: str

    def lines(self):
        """Its lines, body included, without CRLF."""
        return self.text.split("\r\n")

    def header(self, name):
        """The value of a header, or an empty string."""
        for line in self.lines()[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
            if not line:
                break
        return ""

    def kind(self):
        """INVITE, or 200; what it is about is in the CSeq."""
        first = self.lines()[0].split(" ")
        return first[1] if first[0] == "SIP/2.0" else first[0]

    def key(self, outward):
        """The same on both sides of any gateway that we compare."""
        return (outward, self.kind(), self.header("Call-ID"), self.header("CSeq"))


@dataclasses.dataclass
class Change:
    """One field: what the inside has, and what the outside has."""

    field: str
    lan: str
    wan: str
    lan_line: str
    wan_line: str


@dataclasses.dataclass
class Pair:
    """One message on its way through; either side may be missing."""

    outward: bool
    lan: Message | None
    wan: Message | None
    copy: int

    def message(self):
        """The message as it was sent, or as what is left of it."""
        sent, got = (self.lan, self.wan) if self.outward else (self.wan, self.lan)
        return sent or got

    def arrived(self):
        """Whether the far side of the gateway has it."""
        return self.lan is not None and self.wan is not None

    def call(self):
        """1 or 2."""
        return 2 if self.message().header("Call-ID").startswith("2///") else 1

    def name(self):
        """INVITE, 200 (BYE)"""
        kind = self.message().kind()
        if kind == "INVITE" and ";tag=" in self.message().header("To"):
            return "re-INVITE"
        if not kind.isdigit():
            return kind
        return f"{kind} ({self.message().header('CSeq').split()[-1]})"

    def changes(self):
        """What differs between the sides."""
        return changes(self.lan, self.wan) if self.arrived() else []


def packets(path):
    """The UDP datagrams of a capture of Ethernet frames."""
    with open(path, "rb") as handle:
        data = handle.read()
    if len(data) < 24:
        return
    magic = data[:4]
    order = "<" if magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    unit = 1e9 if magic in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1e6
    if struct.unpack(order + "I", data[20:24])[0] != 1:
        raise ValueError(f"{path}: not a capture of Ethernet frames")
    at = 24
    while at + 16 <= len(data):
        sec, frac, length, _ = struct.unpack(order + "IIII", data[at:at + 16])
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        if frame[12:14] != b"\x08\x00" or len(frame) < 42 or frame[23] != 17:
            continue
        head = 14 + (frame[14] & 15) * 4
        source, target, size = struct.unpack("!HHH", frame[head:head + 6])
        yield (sec + frac / unit, f"{address(frame[26:30])}:{source}",
               f"{address(frame[30:34])}:{target}", frame[head + 8:head + size])


def address(raw):
    """Dotted quad."""
    return ".".join(str(byte) for byte in raw)


def messages(path):
    """The SIP messages of a capture."""
    for time, source, target, payload in packets(path):
        first = payload.split(b"\r\n", 1)[0]
        if first.startswith(b"SIP/2.0 ") or first.endswith(b" SIP/2.0"):
            yield Message(time, source, target, payload.decode("utf-8", "replace"))


def pairs(lan_path, wan_path):
    """Each message with itself on the other side, in the order of sending."""
    sides = {}
    for side, path in (("lan", lan_path), ("wan", wan_path)):
        for message in messages(path):
            home = INSIDE if side == "lan" else OUTSIDE
            key = message.key(message.source.startswith(home))
            sides.setdefault(key, {"lan": [], "wan": []})[side].append(message)
    found = []
    for key, side in sides.items():
        for i in range(max(len(side["lan"]), len(side["wan"]))):
            found.append(Pair(key[0], *(side[s][i] if i < len(side[s]) else None
                                        for s in ("lan", "wan")), i))
    return sorted(found, key=lambda pair: pair.message().time)


def field_name(line, number):
    """How the demo calls what a line holds."""
    if number == 0:
        return "status line" if line.startswith("SIP/2.0") else "Request-URI"
    if re.match(r"[a-z]=", line):
        return line[:2] if not line.startswith("a=") else line.split(":")[0]
    return line.split(":")[0]


def changes(lan, wan):
    """The fields in which two forms of one message differ."""
    found = []
    here, there = lan.lines(), wan.lines()
    match = difflib.SequenceMatcher(None, here, there, autojunk=False)
    for verb, a, b, c, d in match.get_opcodes():
        if verb == "equal":
            continue
        for i in range(max(b - a, d - c)):
            old = here[a + i] if a + i < b else ""
            new = there[c + i] if c + i < d else ""
            start, old_end, new_end = differing(old, new)
            found.append(Change(field_name(old or new, a + i if old else c + i),
                                old[start:old_end], new[start:new_end], old, new))
    return found


def tokens(line):
    """Words (addresses are one), and what stands between them."""
    return re.findall(r"[A-Za-z0-9.]+(?::[0-9]+)?|.", line)


def differing(old, new):
    """(start, end in old, end in new) of what differs, at the borders of words."""
    first, second = tokens(old), tokens(new)
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    end = 0
    while end < min(len(first), len(second)) - start and first[-1 - end] == second[-1 - end]:
        end += 1
    begin = len("".join(first[:start]))
    tail = len("".join(first[len(first) - end:])) if end else 0
    return begin, len(old) - tail, len(new) - tail
