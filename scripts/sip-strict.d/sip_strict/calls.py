# SPDX-License-Identifier: GPL-2.0-only
"""calls: what lives now, with packet counters and verdicts."""

import contextlib
import time

from . import module


def beyond(one):
    """Who else is at work on the path, in words."""
    said = []
    if one.get("other_nat"):
        said.append(f"another NAT in the path: the far side sees {one['other_nat']}")
    if one.get("other_alg"):
        said.append("another ALG in the path: a Via came back changed")
    return said


def matches(one, call_id, address):
    """Is it what was asked for?"""
    if call_id and call_id not in str(one.get("call_id", "")):
        return False
    if not address:
        return True
    values = [str(value) for key, value in one.items() if key != "media"]
    values += [str(value) for stream in one.get("media", []) for value in stream.values()]
    return any(value == address or value.rpartition(":")[0].strip("[]") == address for value in values)


def collect(system, options):
    """Calls and registrations of this namespace."""
    module.require(system)
    found = [one for one in module.calls(system) if matches(one, options.call_id, options.address)]
    for one in found:
        one["beyond"] = beyond(one)
        if one.get("kind") == "call":
            one["verdict_text"] = module.VERDICTS.get(one.get("verdict"), one.get("verdict"))
            one["one_way"] = one.get("verdict") in module.ONE_WAY
    return {"calls": [one for one in found if one.get("kind") == "call"],
            "registrations": [one for one in found if one.get("kind") != "call"]}


def clock(seconds):
    """1:02:03"""
    minutes, seconds = divmod(int(seconds or 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _call(one):
    arrow = "->" if one["dir"] == "out" else "<-"
    state = one["state"] + (", held" if one.get("held") else "") + (", observed" if one.get("observe") else "")
    lines = [f"{one['inside']} {arrow} {one['outside']}  {state}  {clock(one['age'])}  {one['call_id']}"]
    if one["state"] == "confirmed":
        lines.append(("  ! " if one["one_way"] else "    ") + one["verdict_text"])
    lines += [f"  ! {said}" for said in one["beyond"]]
    for stream in one["media"]:
        closed = "" if stream["open"] else "  closed"
        refused = f"  {stream['refused']} refused" if stream.get("refused") else ""
        offloaded = "  offloaded" if stream.get("offloaded") else ""
        lines.append(f"    {stream['media']:10s} {stream['kind']:7s} {stream['in']} = {stream['out']}  "
                     f"out {stream['packets_out']} in {stream['packets_in']}{closed}{refused}{offloaded}")
    return "\n".join(lines)


def _registration(one):
    lines = [f"{one['kind']:12s} {one['contact']} = {one['out']} {one['proto']}  at {one['peer']}  {one['state']}, "
             f"expires in {clock(one['expires'])}"]
    lines += [f"  ! {said}" for said in one["beyond"]]
    return "\n".join(lines)


def text(data):
    """The same as text."""
    one_way = sum(1 for one in data["calls"] if one["one_way"])
    lines = [f"{len(data['calls'])} calls" + (f", {one_way} of them one-way" if one_way else "") +
             f", {len(data['registrations'])} registrations and subscriptions"]
    lines += [_call(one) for one in data["calls"]]
    lines += [_registration(one) for one in data["registrations"]]
    return "\n".join(lines)


def watch(system, options, show):
    """Again and again, until Ctrl-C; a screen at a time, or with --json a line."""
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            show(collect(system, options))
            time.sleep(options.watch)
