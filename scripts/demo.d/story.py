# SPDX-License-Identifier: GPL-2.0-only
"""What a run of the demo means: read from its captures and counts, never assumed."""

import dataclasses
import json
import re

import capture

TITLES = {"in-tree": "in-tree helper (nf_nat_sip)", "sip-strict": "sip-strict", "none": "no helper"}

# phase, what it is called in the table
PHASES = (("up", "call 1 is up"),
          ("muted", "call 2 was cancelled; caller listens"),
          ("cancelled", "then both talk again"),
          ("hold1", "on hold: first announcement"),
          ("hold2", "on hold: second announcement"),
          ("resumed", "resumed"))
LOOKS = (("up", "call 1 is up"), ("after-cancel", "call 2 was cancelled, call 1 is up"),
         ("hold", "call 1 on hold"), ("resumed", "call 1 resumed"), ("after", "2 s after the BYE"))

# The rules of the module: nothing else has to change for a call to work.
NEEDED = {"Request-URI", "Via", "Contact", "Route", "Record-Route", "c=", "m=", "a=rtcp",
          "Content-Length"}
# Of what was sent, this much has to arrive for a phase to count as heard.
HEARD = 0.95


@dataclasses.dataclass
class Way:
    """One direction in one phase."""

    sent: int
    arrived: int
    first: int | None
    sources: dict
    named: str | None

    def heard(self):
        """Nothing to speak of was lost."""
        return self.arrived >= HEARD * self.sent

    def came_back(self):
        """Nothing was lost after the first that arrived."""
        return self.first is not None and self.arrived == self.sent - self.first

    def stray(self):
        """Where it came from, if that is not what the SDP said."""
        return [source for source in self.sources if source != self.named]


class Run:
    """One run: messages, media, looks at conntrack."""

    def __init__(self, directory, name):
        self.name, self.directory = name, directory
        self.title = TITLES.get(name, name)
        with open(f"{directory}/{name}/counts.json", encoding="ascii") as handle:
            self.counts = json.load(handle)
        self.pairs = capture.pairs(f"{directory}/{name}/lan.pcap", f"{directory}/{name}/wan.pcap")
        self.looks = self.counts["looks"]
        # The outside ports by which the far end was told to send to call 1.
        self.ports = self._ports()

    def _ports(self):
        named = {way.named for phase, _ in PHASES for way in [self.way(phase, "phone")]
                 if way and way.named}
        ports = {int(one.rsplit(":", 1)[1]) for one in named}
        return sorted(ports | {port + 1 for port in ports})

    def way(self, phase, sender):
        """The counts of a direction, or None where nothing was sent."""
        found = self.counts["phases"].get(phase, {}).get(sender)
        return Way(**found) if found else None

    def crossed(self):
        """First copies of the messages that reached the other side."""
        return [pair for pair in self.pairs if pair.copy == 0 and pair.arrived()]

    def lost(self):
        """Messages of which no copy reached the other side."""
        good = {pair.message().key(pair.outward) for pair in self.pairs if pair.arrived()}
        return [pair for pair in self.pairs
                if pair.copy == 0 and pair.message().key(pair.outward) not in good]

    def needless(self):
        """(message, field) changed without need."""
        return [(pair, change) for pair in self.crossed() for change in pair.changes()
                if change.field not in NEEDED]

    def pinholes(self, look):
        """Outside ports of call 1 that conntrack -L expect lists; None if nobody looked."""
        if look not in self.looks:
            return None
        found = set()
        for line in self.looks[look]["expect"].splitlines():
            match = re.search(r" dst=(\S+) sport=\d+ dport=(\d+)", line)
            if match and match[1] == capture.OUTSIDE and int(match[2]) in self.ports:
                found.add(int(match[2]))
        return sorted(found)

    def entries(self, look):
        """(media entries, entries of the signalling) that conntrack -L lists; None if nobody looked."""
        if look not in self.looks:
            return None
        media = signalling = 0
        for line in self.looks[look]["conntrack"].splitlines():
            if "port=5060" in line:
                signalling += 1
            else:
                media += 1
        return media, signalling

    def listed(self, look):
        """How many calls the module's own list has; None without the module."""
        if look not in self.looks or self.name != "sip-strict":
            return None
        proc = self.looks[look]["proc"]
        return sum(1 for line in proc.splitlines() if line.startswith("kind=call"))

    def answered(self, method):
        """Whether a 200 to such a request of call 1 came through."""
        return any(pair.arrived() and pair.call() == 1 and pair.name() == f"200 ({method})"
                   for pair in self.pairs)

    def noticed(self):
        """(good, sentence) for all that the caller could tell."""
        notes = []
        self._note_up(notes)
        self._note_cancel(notes)
        self._note_hold(notes)
        self._note_resume(notes)
        self._note_end(notes)
        return notes

    def _both(self, notes, phase, good, what):
        """A phase in which both talk."""
        far, phone = self.way(phase, "far"), self.way(phase, "phone")
        if not far or not phone:
            notes.append((False, f"{what}: it never came to that."))
            return
        if far.heard() and phone.heard():
            notes.append((True, f"{what}: {good}."))
        if not far.heard():
            notes.append((False, f"{what}: the caller heard {heard(far)}."))
        if not phone.heard():
            notes.append((False, f"{what}: the other side heard {heard(phone)}."))
        for way, who in ((phone, "the caller"), (far, "the other side")):
            if way.stray():
                notes.append((False, f"{what}: media of {who} came from {way.stray()[0]}, "
                                     f"its SDP had said {way.named}."))

    def _note_up(self, notes):
        self._both(notes, "up", "audio both ways", "Call 1")

    def _note_cancel(self, notes):
        muted = self.way("muted", "far")
        if muted and muted.heard():
            notes.append((True, "Call 2 was cancelled: call 1 went on, the other side was heard."))
        elif muted:
            earlier = self.way("up", "far")
            verb = "went" if earlier and earlier.heard() else "was"
            text = (f"Call 2 was cancelled: call 1 {verb} silent one way, the caller heard "
                    f"{heard(muted)}")
            before, after = self.pinholes("up"), self.pinholes("after-cancel")
            if before and not after:
                text += "; its pinholes had gone with call 2"
            again = self.way("cancelled", "far")
            if again and again.came_back():
                text += f"; it came back after the caller had spoken ({again.arrived} of {again.sent})"
            notes.append((False, text + "."))
            if again and again.came_back():
                return
        self._both(notes, "cancelled", "audio both ways", "Both talk again")

    def _note_hold(self, notes):
        first, second = self.way("hold1", "far"), self.way("hold2", "far")
        for way, name in ((first, "first"), (second, "second")):
            if way is None:
                notes.append((False, "The hold never reached the phone."))
                return
            if not way.heard():
                notes.append((False, f"Hold longer than the UDP timeout: of the {name} announcement "
                                     f"the caller heard {heard(way)}."))
        if first.heard() and second.heard():
            notes.append((True, "Hold longer than the UDP timeout: both announcements were heard."))

    def _note_resume(self, notes):
        self._both(notes, "resumed", "audio both ways", "Resumed")

    def _note_end(self, notes):
        if self.answered("BYE"):
            notes.append((True, "Hung up: the BYE was answered."))
        else:
            notes.append((False, "Hung up: the BYE was never answered."))


def heard(way):
    """nothing (0 of 50), or 33 of 50 packets"""
    if not way.arrived:
        return f"nothing (0 of {way.sent})"
    return f"only {way.arrived} of {way.sent} packets"


def groups(runs):
    """Messages that are changed in the same way, together.

    Gives (outward, [names], rows); a row is (field, inside value, {run: outside value}),
    where a run that is missing left the field alone.
    """
    by_message = {}
    for run in runs:
        for pair in run.crossed():
            slot = by_message.setdefault(pair.message().key(pair.outward), {})
            slot[run.name] = pair
    found = {}
    for slot in by_message.values():
        rows = {}
        for name, pair in slot.items():
            for change in pair.changes():
                rows.setdefault((change.field, change.lan), {})[name] = change.wan
        if not rows:
            continue
        pair = next(iter(slot.values()))
        key = (pair.outward, tuple((field, lan, tuple(sorted(wans.items())))
                                   for (field, lan), wans in rows.items()))
        found.setdefault(key, []).append((pair.call(), pair.name()))
    return [(outward, names, [(field, lan, dict(wans)) for field, lan, wans in rows])
            for (outward, rows), names in found.items()]
