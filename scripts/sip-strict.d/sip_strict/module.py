# SPDX-License-Identifier: GPL-2.0-only
"""What the module says of itself: its proc files, sysctls and parameters."""

import re

from . import UserError

NAME = "nf_conntrack_sip_strict"
# /proc/net is a link to the namespace of the process.
CALLS = f"/proc/net/{NAME}"
STAT = f"/proc/net/stat/{NAME}"
SYSCTL = f"/proc/sys/net/netfilter/{NAME}"
PARAMETERS = f"/sys/module/{NAME}/parameters"
NUMBERS = {"zone", "observe", "emergency", "held", "legs", "age", "answered", "idle", "expires", "other_alg", "open",
           "entries", "packets_out", "packets_in", "bytes_out", "bytes_in", "refused", "offloaded", "published",
           "duration_ms", "netns", "streams", "edits", "len", "new_len", "off", "from", "cseq", "status", "id"}
ONE_WAY = {"inside_not_heard": "the inside is not heard: nothing comes from it",
           "outside_not_heard": "the outside is not heard: nothing comes from it",
           "refused_other_source": "the outside is not heard: its media comes from a source that media_peer refuses",
           "neither_heard": "neither side is heard"}
VERDICTS = {"both_heard": "both sides are heard", "not_judged": "not judged: held, or offloaded",
            "none": "no verdict", **ONE_WAY}


def unescape(text):
    r"""\\xHH as the byte."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), text)


def words(line):
    """A line of 'key=value' words; media words become a list of their own."""
    found, media = {}, []
    for word in line.split():
        key, equals, value = word.partition("=")
        if not equals:
            continue
        if key == "media" and "," in value:
            media.append(pairs("media=" + value))
        else:
            found[key] = number(key, value)
    return found, media


def pairs(text):
    """The words of a media word."""
    return {key: number(key, value) for key, _, value in (word.partition("=") for word in text.split(","))}


def number(key, value):
    """A value in the type that its key has."""
    if value == "-":
        return None
    if key in NUMBERS and re.fullmatch(r"\d+", value):
        return int(value)
    return unescape(value)


def loaded(system):
    """Is the module loaded, and does this namespace have it?"""
    return system.exists(SYSCTL)


def not_loaded():
    """The error of verbs that need it."""
    return f"{NAME} is not loaded here: modprobe {NAME}; 'sip-strict status' says more"


def calls(system):
    """Live calls, registrations and subscriptions."""
    found = []
    for line in system.must_read(CALLS, not_loaded()).splitlines():
        one, media = words(line)
        if one.get("kind") == "call":
            one["media"] = media
        found.append(one)
    return found


def counters(system):
    """The counters by name."""
    found = {}
    for line in system.must_read(STAT, not_loaded()).splitlines():
        name, _, value = line.partition(" ")
        if value.isdigit():
            found[name] = int(value)
    return found


def settings(system):
    """The sysctls of this namespace by name, as text."""
    found = {}
    for path in system.glob(SYSCTL + "/*"):
        value = system.read(path)
        if value is not None:
            found[path.rsplit("/", 1)[1]] = value.strip()
    return found


def parameters(system):
    """helper_name and ports."""
    name = (system.read(PARAMETERS + "/helper_name") or "sip-strict").strip()
    ports = [int(x) for x in (system.read(PARAMETERS + "/ports") or "5060").strip().split(",") if x.isdigit()]
    return {"helper_name": name, "ports": ports}


def version(system):
    """Its version, or None."""
    return (system.read(f"/sys/module/{NAME}/version") or "").strip() or None


def require(system):
    """An error where it is not loaded."""
    if not loaded(system):
        raise UserError(not_loaded())
