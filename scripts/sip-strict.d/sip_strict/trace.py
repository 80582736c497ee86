# SPDX-License-Identifier: GPL-2.0-only
"""trace and log: the module's tracepoints, readable, as they come.

A trace instance of its own is used, so that nobody else's tracing is disturbed;
it goes when the program ends. Only this network namespace's events are shown.
"""

import os
import re
import select
import signal
import time

from . import UserError, core, module

# The last one: "ip netns exec" puts an empty sysfs over the machine's.
TRACEFS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing", "/proc/1/root/sys/kernel/tracing")
GROUP = "sip_strict"
# "  task-123  [001] ..s1.  12.345678: sip_strict_edit: key=value ..."
LINE = re.compile(r".*?\[(\d+)\]\s+\S+\s+(\d+\.\d+): sip_strict_(\w+): (.*)")


def tracefs(system):
    """Where tracefs is mounted."""
    for path in TRACEFS:
        if system.exists(path + "/instances"):
            return system.path(path)
    if os.geteuid():
        raise UserError("only root may trace")
    raise UserError("tracefs is not mounted: mount -t tracefs tracefs /sys/kernel/tracing")


class Instance:
    """A trace instance with some events of the module on."""

    def __init__(self, base, events):
        self.base = base
        self.path = f"{base}/instances/sip-strict-{os.getpid()}"
        self._forget_dead()
        try:
            os.mkdir(self.path)
        except PermissionError:
            raise UserError("only root may trace") from None
        except OSError as err:
            raise UserError(f"{self.path}: {err.strerror}") from None
        try:
            self._write("trace_clock", "mono")
            for event in events:
                self._write(f"events/{GROUP}/{GROUP}_{event}/enable", "1")
            self.pipe = os.open(self.path + "/trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
        except OSError as err:
            os.rmdir(self.path)
            raise UserError(f"{err.filename}: {err.strerror}") from None

    def _forget_dead(self):
        """What a killed one left behind."""
        try:
            names = os.listdir(self.base + "/instances")
        except OSError:
            return
        for name in names:
            pid = name.removeprefix("sip-strict-")
            if pid != name and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
                try:
                    os.rmdir(f"{self.base}/instances/{name}")
                except OSError:
                    pass

    def _write(self, name, value):
        with open(f"{self.path}/{name}", "w", encoding="ascii") as handle:
            handle.write(value)

    def _still_on(self):
        """A module that is loaded anew has new events, and none of them is on."""
        try:
            with open(f"{self.path}/events/{GROUP}/enable", encoding="ascii") as handle:
                if handle.read().strip() != "0":
                    return
        except OSError:
            pass
        raise UserError("the module was taken away, or loaded anew: begin again")

    def lines(self, until):
        """Lines as they come; None where some seconds brought nothing."""
        rest = b""
        while True:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return
            if not select.select([self.pipe], [], [], 0.5 if left is None else min(left, 0.5))[0]:
                self._still_on()
                yield None
                continue
            try:
                data = os.read(self.pipe, 65536)
            except BlockingIOError:
                time.sleep(0.05)
                continue
            if not data:
                time.sleep(0.05)
                continue
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                yield line.decode("latin-1")

    def close(self):
        """Takes it away."""
        os.close(self.pipe)
        try:
            os.rmdir(self.path)
        except OSError:
            pass


def parse(line, offset):
    """An event of a line of the trace, or None."""
    lost = re.search(r"\[LOST (\d+) EVENTS\]", line)
    if lost:
        return {"type": "lost", "time": time.time(), "events": int(lost[1])}
    match = LINE.match(line)
    if not match:
        return None
    words, media = module.words(match[4])
    event = {"type": match[3], "time": round(float(match[2]) + offset, 6), "cpu": int(match[1]), **words}
    if match[3] == "call_end":
        event["media"] = media
        event["verdict_text"] = module.VERDICTS.get(event.get("verdict"), event.get("verdict"))
    if match[3] == "skip":
        event["reason_text"] = core.reason_text(event["reason"])
    if match[3] == "edit":
        rule = core.rule(event["field"])
        event["rfc"] = rule["rfc"]
    return event


class Filter:
    """Whose events are wanted. Edits and skips belong to the message before them on the same CPU."""

    def __init__(self, call_id, address, netns):
        self.call_id, self.address, self.netns = call_id, address, netns
        self.message = {}

    def _has_address(self, event):
        values = [str(value) for key, value in event.items() if key in ("src", "dst", "inside", "outside", "in", "out",
                                                                         "remote")]
        values += [str(stream[key]) for stream in event.get("media", []) for key in ("in", "out")]
        return any(value == self.address or value.rpartition(":")[0].strip("[]") == self.address for value in values)

    def wants(self, event):
        """Is this one wanted?"""
        if event["type"] == "lost":
            return True
        if self.netns is not None and event.get("netns") != self.netns:
            return False
        if event["type"] == "message":
            self.message[event["cpu"]] = event
        if self.call_id and self.call_id not in event.get("call_id", ""):
            return False
        if not self.address:
            return True
        if event["type"] in ("edit", "skip"):
            message = self.message.get(event["cpu"])
            return bool(message and message.get("call_id") == event.get("call_id") and self._has_address(message))
        return self._has_address(event)


def _day(event):
    return time.strftime("%H:%M:%S", time.localtime(event["time"])) + f".{int(event['time'] % 1 * 1000):03d}"


def _shown(text):
    return "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in text)


def _message(event):
    name = event.get("request") or f"{event['status']} ({event.get('response', '')})"
    size = f"{event['len']} bytes" if event["len"] == event["new_len"] else f"{event['len']} -> {event['new_len']} bytes"
    return (f"{_day(event)} {event['src']} -> {event['dst']} {name} {event['outcome']}, {size}, "
            f"{_shown(event['call_id'])}")


def _skip(event):
    """The line around the place, with a caret under the byte."""
    around = event.get("around", "")
    at = len(_shown(around[:event["off"] - event["from"]]))
    text = f"    {event['reason']}: {event['reason_text']}"
    if around and event["off"]:
        text += f"\n      {_shown(around)}\n      {' ' * at}^"
    return text


def event_text(event):
    """An event as a line or two."""
    kind = event["type"]
    if kind == "message":
        return _message(event)
    if kind == "edit":
        return f"    {event['field']}: {_shown(event['old']) or '(nothing)'} -> {_shown(event['new']) or '(nothing)'}"
    if kind == "skip":
        return _skip(event)
    if kind == "dialog":
        return (f"{_day(event)} {event['kind']} {event['event']}: {event['inside']} with {event['outside']} "
                f"{_shown(event.get('call_id', ''))}").rstrip()
    if kind == "expect":
        return (f"{_day(event)} {event['class']} {event['kind']} {event['event']}: {event['in']} = "
                f"{event['out']} ({event['proto']})" +
                (f", {event['remote']}" if event["event"] in ("used", "refused", "latched", "ice", "clash") else ""))
    if kind in ("call_end", "lost"):
        return log_text(event)
    return f"{_day(event)} {kind}"


def log_text(event):
    """An ended call in a line."""
    if event["type"] == "lost":
        return f"{_day(event)} {event['events']} events were lost: more came than could be shown"
    sums = {"out": 0, "in": 0}
    for stream in event["media"]:
        if stream.get("kind") == "rtp":
            sums["out"] += stream["packets_out"]
            sums["in"] += stream["packets_in"]
    refused = sum(stream.get("refused") or 0 for stream in event["media"])
    arrow = "->" if event["dir"] == "out" else "<-"
    return (f"{_day(event)} {event['inside']} {arrow} {event['outside']} {event['duration_ms'] / 1000:.1f} s, "
            f"{event['why']}, out {sums['out']} in {sums['in']}" + (f" refused {refused}" if refused else "") +
            f", {event['verdict']}: {event['verdict_text']}, {_shown(event['call_id'])}")


def own_netns():
    """The number of this namespace, as the tracepoints have it."""
    match = re.search(r"\d+", os.readlink("/proc/self/ns/net"))
    return int(match[0])


def follow(system, options, events, show):
    """Shows events until Ctrl-C, a number of them, or a time is reached."""
    module.require(system)
    instance = Instance(tracefs(system), events)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    offset = time.time() - time.monotonic()
    wanted = Filter(options.call_id, options.address, None if options.all_namespaces else own_netns())
    until = time.monotonic() + options.seconds if options.seconds else None
    shown = 0
    try:
        for line in instance.lines(until):
            event = parse(line, offset) if line else None
            if not event or not wanted.wants(event):
                continue
            show(event)
            shown += 1
            if options.count and shown >= options.count:
                break
    except KeyboardInterrupt:
        pass            # the usual end
    finally:
        instance.close()
    return shown
