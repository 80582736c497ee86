#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Both ends of the demo's media: sends RTP where the SDP says, counts what arrives.

usage: talk.py RUN DIRECTORY      (namespaces RUN-lan, RUN-gw, RUN-wan exist)

SIPp writes a line to DIRECTORY/control for everything that happens:
  peer WHO ADDRESS PORT   the SDP that WHO received sends its media there
  talk PHASE THEN         the phone and the far end talk to each other (with a look)
  announce PHASE THEN     the far end talks, the phone listens
  look NAME THEN          keep what conntrack has open
  mark NAME               something happened: only the time is kept
  end                     write what was counted, and leave
THEN, phone or far, goes on with its scenario once that is done: it is sent an
INFO. So a slow machine makes the story longer, and does not tear it apart.

Each packet carries its phase: one that comes late, or not at all, is counted
where it was sent. DIRECTORY/counts.json has the sums, per phase and direction.
"""

import collections
import ctypes
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
PERIOD = 0.02           # seconds: one G.711 packet
DRAIN = 0.3             # seconds until a packet that was sent counts as lost
PACKETS = {"talk": 75, "announce": 50}
HOSTS = {"phone": ("lan", "192.168.1.20", 16384), "far": ("wan", "203.0.113.5", 31000)}
OTHER = {"phone": "far", "far": "phone"}
PROGRESS = {"talk up": "call 1 is up, both talk",
            "mark ringing": "call 2 rings, call 1 is quiet",
            "announce muted": "call 2 was cancelled, the caller listens to call 1",
            "talk cancelled": "both talk again",
            "mark hold": "the far end holds call 1",
            "announce hold2": "second announcement on hold",
            "talk resumed": "call 1 was resumed, both talk",
            "look after": "call 1 was hung up"}

_libc = ctypes.CDLL(None, use_errno=True)


def enter(path):
    """Moves this process into the network namespace that the file names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        if _libc.setns(handle, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns", path)
    finally:
        os.close(handle)


class Stream:
    """What one end says to the other in one phase."""

    def __init__(self, sender, phase, left):
        self.sender, self.phase, self.left = sender, phase, left
        self.sent, self.next, self.look = 0, time.monotonic(), False
        self.arrived = set()
        self.sources = collections.Counter()
        self.expected_source = None

    def summary(self):
        """The counts, as they are written to the file."""
        return {"sent": self.sent, "arrived": len(self.arrived),
                "first": min(self.arrived) if self.arrived else None,
                "sources": dict(self.sources), "named": self.expected_source}


class Talk:
    """One run: two sockets, their streams, and the looks at conntrack."""

    def __init__(self, run, directory):
        self.run, self.directory = run, directory
        self.peers, self.streams = {}, {}
        self.events, self.looks = [], {}
        self.sockets = {who: self._socket(*HOSTS[who]) for who in HOSTS}
        enter(f"/run/netns/{run}-gw")
        # Written to by several processes: opened for both, so that it never ends.
        self.control = os.open(f"{directory}/control", os.O_RDWR | os.O_NONBLOCK)
        self.pending = b""
        self.waiting = None     # who goes on, and when, once nobody talks
        self.told = 0
        self.later, self.patience = [], 100

    def _socket(self, side, address, port):
        enter(f"/run/netns/{self.run}-{side}")
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, port))
        sock.setblocking(False)
        return sock

    def send_due(self, now):
        """Sends what is due, and says when the next is."""
        due = now + (0.05 if self.later else 0.5)
        for stream in self.streams.values():
            while stream.left and stream.next <= now:
                self._send(stream)
                if stream.look and stream.sent == 3:
                    self.look(stream.phase)
                if not stream.left and self.waiting:
                    self.waiting = (self.waiting[0], time.monotonic() + DRAIN)
            if stream.left:
                due = min(due, stream.next)
        if self.waiting and self.looking():
            due = min(due, now + 0.02)
        elif self.waiting and not any(stream.left for stream in self.streams.values()):
            due = min(due, self.waiting[1])
            if due <= now:
                self._go_on(self.waiting[0])
        return due

    def _go_on(self, who):
        self.waiting = None
        self.told += 1
        text = (f"INFO sip:{who} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK.go{self.told}\r\n"
                f"From: <sip:talk>;tag=talk\r\nTo: <sip:{who}>;tag={who}\r\nCall-ID: call1\r\n"
                f"CSeq: {1000 + self.told} INFO\r\nContent-Length: 0\r\n\r\n")
        self.sockets[who].sendto(text.encode(), (HOSTS[who][1], 5060))

    def _send(self, stream):
        head = struct.pack("!BBHII", 0x80, 0, stream.sent & 0xffff, stream.sent * 160,
                           1 + list(HOSTS).index(stream.sender))
        body = f"{stream.sender} {stream.phase} {stream.sent} ".encode().ljust(160, b"\xff")
        stream.left -= 1
        stream.sent += 1
        stream.next += PERIOD
        try:
            self.sockets[stream.sender].sendto(head + body, self.peers[stream.sender])
        except OSError:
            pass    # a reject by ICMP: it did not arrive, that is all

    def receive(self, who):
        """Counts what waits on a socket."""
        while True:
            try:
                data, source = self.sockets[who].recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:
                continue
            sender, phase, number = data[12:].split(b" ", 3)[:3]
            stream = self.streams.get((sender.decode(), phase.decode()))
            if stream and OTHER[stream.sender] == who:
                stream.arrived.add(int(number))
                stream.sources["%s:%d" % source] += 1

    def speak(self, who, phase, count, later=0.0):
        """Starts a stream; one whose receiver was never told of is sent nowhere."""
        if who not in self.peers:
            return
        stream = Stream(who, phase, count)
        stream.next += later
        told = self.peers.get(OTHER[who])
        stream.expected_source = "%s:%d" % told if told else None
        self.streams[who, phase] = stream

    def look(self, name):
        """Starts to write down what conntrack has open now; the media goes on meanwhile."""
        base = f"{self.directory}/look.{name}"
        commands = (f"conntrack -L -p udp >{base}.conntrack; conntrack -L expect >{base}.expect; "
                    f"cat /proc/net/nf_conntrack_sip_strict >{base}.proc")
        self.looks[name] = subprocess.Popen(["sh", "-c", commands], stderr=subprocess.DEVNULL)

    def looking(self):
        """Whether a look is not over yet."""
        return any(look.poll() is None for look in self.looks.values())

    def looked(self):
        """What was seen, by the name of the look."""
        found = {}
        for name, look in self.looks.items():
            look.wait()
            found[name] = {}
            for what in ("conntrack", "expect", "proc"):
                with open(f"{self.directory}/look.{name}.{what}", encoding="latin-1") as handle:
                    found[name][what] = handle.read()
        return found

    def obey(self, line):
        """One line from SIPp; False when it is over."""
        verb, *words = line.split()
        if verb == "peer":
            self.peers[words[0]] = (words[1], int(words[2]))
            return True
        if verb == "talk" and len(self.peers) < len(HOSTS) and self.patience:
            self.patience -= 1      # the far end's line is on its way
            self.later.append((time.monotonic() + 0.05, line))
            return True
        name = words[0] if words else ""
        self.events.append({"time": time.time(), "verb": verb, "name": name})
        if verb == "talk":
            # The caller says hello first; later the side that needs a pinhole does.
            first, second = ("phone", "far") if name == "up" else ("far", "phone")
            self.speak(first, name, PACKETS[verb])
            self.speak(second, name, PACKETS[verb], 0.1)
            if (second, name) in self.streams:
                self.streams[second, name].look = True
        elif verb == "announce":
            self.speak("far", name, PACKETS[verb])
        elif verb == "look":
            self.look(name)
        if len(words) > 1:
            self.waiting = (words[1], time.monotonic() + 0.1)
        if f"{verb} {name}" in PROGRESS:
            print(f"{self.run:>10}: {PROGRESS[f'{verb} {name}']}", flush=True)
        return verb != "end"

    def flag(self, name):
        """A file that the script waits for."""
        with open(f"{self.directory}/{name}", "w", encoding="ascii"):
            pass

    def commands(self):
        """All complete lines that wait; False when it is over."""
        try:
            self.pending += os.read(self.control, 4096)
        except BlockingIOError:
            return True
        *lines, self.pending = self.pending.split(b"\n")
        return all([self.obey(line.decode()) for line in lines if line.strip()])

    def loop(self):
        """Until the end is called."""
        who = {sock.fileno(): name for name, sock in self.sockets.items()}
        going = True
        while going:
            held, self.later = self.later, []
            for when, line in held:
                if when <= time.monotonic():
                    self.obey(line)
                else:
                    self.later.append((when, line))
            wait = self.send_due(time.monotonic()) - time.monotonic()
            ready = select.select([self.control, *who], [], [], max(0.0, wait))[0]
            for handle in ready:
                if handle != self.control:
                    self.receive(who[handle])
            if self.control in ready:
                going = self.commands()

    def write(self):
        """Leaves the sums for the report."""
        phases = {}
        for (who, phase), stream in self.streams.items():
            phases.setdefault(phase, {})[who] = stream.summary()
        with open(f"{self.directory}/counts.new", "w", encoding="ascii") as out:
            json.dump({"run": self.run, "phases": phases, "events": self.events,
                       "looks": self.looked()}, out, indent=1)
        os.rename(f"{self.directory}/counts.new", f"{self.directory}/counts.json")


def main():
    """Runs until it is told to end."""
    talk = Talk(sys.argv[1], sys.argv[2])
    talk.look("before")     # also brings the tools into memory: later looks are quick
    talk.looks["before"].wait()
    talk.flag("ready")
    talk.loop()
    # What is under way arrives.
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        for who in talk.sockets:
            talk.receive(who)
        time.sleep(0.02)
    talk.write()


if __name__ == "__main__":
    main()
