# SPDX-License-Identifier: GPL-2.0-only
"""The module's own core, compiled for user space: sip-strict-core (see core.c)."""

import glob
import json
import os
import subprocess

from . import UserError

PARTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def program():
    """Where sip-strict-core is; a checkout builds it when it is missing or older than its sources."""
    built = os.path.join(PARTS, "build", "sip-strict-core")
    if not os.path.isfile(os.path.join(PARTS, "Makefile")):
        return os.path.join(PARTS, "sip-strict-core")
    if _is_newest(built):
        return built
    try:
        done = subprocess.run(["make", "-s", "-C", PARTS], capture_output=True, text=True, check=False)
        error = "" if done.returncode == 0 else _reason(done.stderr)
    except OSError as err:
        error = str(err)
    if error and not os.path.isfile(built):
        raise UserError(f"cannot build sip-strict-core, which reads captures: {error} "
                        "(apt-get install gcc make libc6-dev libpcap-dev)")
    return built


def _is_newest(built):
    """Newer than all that it is made from: then make need not be asked."""
    top = os.path.join(PARTS, "..", "..")
    try:
        when = os.stat(built).st_mtime
        return all(os.stat(path).st_mtime <= when for folder in
                   (PARTS, os.path.join(top, "nf_conntrack_sip_strict", "core"), os.path.join(top, "selftests", "unit"))
                   for path in glob.glob(folder + "/*.[ch]"))
    except OSError:
        return False


def _reason(text):
    lines = [line for line in text.splitlines() if "rror" in line] or text.splitlines() or ["make failed"]
    return lines[0].strip()


_lists = {}


def lists():
    """Fields, reasons and counters with their texts; empty ones where the program cannot be had."""
    if not _lists:
        try:
            out = subprocess.run([program(), "lists"], capture_output=True, text=True, check=True).stdout
            _lists.update(json.loads(out))
        except (OSError, subprocess.CalledProcessError, UserError, json.JSONDecodeError):
            _lists.update({"fields": [], "reasons": {}, "counters": {}, "headers": {}})
    return _lists


def reason_text(name):
    """A reason for not editing, in words."""
    return lists()["reasons"].get(name, name.replace("_", " "))


def counter_text(name):
    """What a counter counts, in words."""
    return lists()["counters"].get(name, name.replace("_", " "))


def rule(field):
    """The policy of a field: where, when, rfc, and the action on each way."""
    for one in lists()["fields"]:
        if one["name"] == field:
            return one
    return {"name": field, "where": field, "when": "", "rfc": ""}


def capture(path):
    """What a capture holds: messages, pairs of addresses with other UDP, and counts."""
    if path != "-" and not os.path.isfile(path):
        raise UserError(f"{path}: no such file" if not os.path.exists(path) else f"{path}: not a file")
    try:
        done = subprocess.run([program(), "capture", path], capture_output=True, check=False)
    except OSError as err:
        raise UserError(f"sip-strict-core: {err}") from None
    if done.returncode:
        error = done.stderr.decode(errors="replace").strip().splitlines()
        raise UserError(f"{path}: {error[-1] if error else 'cannot be read'}")
    messages, flows, end = [], [], {}
    for line in done.stdout.splitlines():
        one = json.loads(line)
        kind = one.pop("type")
        if kind == "message":
            messages.append(one)
        elif kind == "flow":
            flows.append(one)
        else:
            end = one
    return messages, flows, end


class Planner:
    """A gateway with the module, to which one message after the other is shown."""

    def __init__(self, media_host=False):
        try:
            self.process = subprocess.Popen([program(), "plan"], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE)
        except OSError as err:
            raise UserError(f"sip-strict-core: {err}") from None
        if media_host:
            self.process.stdin.write(b"media_host 1\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def plan(self, message, path, arrived=None):
        """The plan for a message; path: the sender's and the receiver's end, each real and seen."""
        sent = message["text"].encode("latin-1")
        seen = arrived["text"].encode("latin-1") if arrived else b""
        pipe = self.process.stdin
        pipe.write(f"path {message['proto']} {' '.join(path)}\n".encode())
        pipe.write(b"message %d %d\n" % (len(sent), len(seen)) + sent + seen)
        pipe.flush()
        line = self.process.stdout.readline()
        if not line:
            raise UserError("sip-strict-core ended unexpectedly")
        return json.loads(line)
