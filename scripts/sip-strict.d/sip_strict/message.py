# SPDX-License-Identifier: GPL-2.0-only
"""The lines of a SIP message, and which field of the policy each belongs to."""

import difflib
import functools
import re

from . import core


def lines_of(text):
    """The lines as they stand, folded header fields as one; each with its offset and whether it is body."""
    found, off, body = [], 0, False
    for line in re.findall(r"[^\n]*\n|[^\n]+\Z", text):
        blank = line.strip("\r\n") == ""
        if found and not body and line[0] in " \t" and not blank:
            found[-1][1] += line
        else:
            found.append([off, line, body])
        if blank and not body:
            body = True
        off += len(line)
    return found


def name_of(line, body):
    """What a line begins with: the name of a header field, or the letter (and attribute) of SDP."""
    line = line.strip("\r\n")
    if body:
        match = re.match(r"a=[a-z-]+|[a-z]=", line)
        return match[0] if match else ""
    name, colon, _ = line.partition(":")
    return name.strip().lower() if colon else ""


@functools.lru_cache(maxsize=1)
def _names():
    """Long names by compact ones; names of fields; fields by the headers that the policy lists in words."""
    headers = {compact: name for name, compact in core.lists()["headers"].items() if compact}
    known = {one["name"] for one in core.lists()["fields"]}
    quoted = {}
    for one in core.lists()["fields"]:
        if one["name"] in ("identity", "credentials"):
            quoted.update((name.strip().lower(), one["name"]) for name in one["where"].split(","))
    return headers, known, quoted


def fields_of(lines):
    """The name of the policy's field for each line."""
    headers, known, quoted = _names()
    found, vias = [], 0
    for i, (_, line, body) in enumerate(lines):
        name = name_of(line, body)
        if i == 0:
            found.append("other" if line.startswith("SIP/2.0") else "request-uri")
        elif body:
            found.append({"c=": "sdp-c", "m=": "sdp-m", "a=rtcp": "sdp-rtcp", "a=candidate": "sdp-candidate",
                          "a=remote-candidates": "sdp-remote-candidates"}.get(
                              name, "sdp-other" if name else "other"))
        else:
            name = headers.get(name, name)
            if name == "via":
                vias += 1
                found.append("via-sent-by" if vias == 1 else "via-other")
            else:
                found.append(name if name in known else quoted.get(name, "other"))
    return found


def label(field, line):
    """A field as people know it: the header's or line's own name where the policy has many in one."""
    if field in ("identity", "credentials", "other", "sdp-other", "sdp-c", "sdp-m"):
        head, colon, _ = line.partition(":")
        match = re.match(r"[a-z]=", line)
        if match:
            return line.strip().split(":")[0] if line.startswith("a=") else match[0]
        return head.strip() if colon else "a line"
    return {"request-uri": "Request-URI", "via-sent-by": "Via", "via-other": "Via below"}.get(
        field, "-".join(word.capitalize() for word in field.split("-")) if not field.startswith("sdp-") else field)


def differing(old, new):
    """The parts of two lines that differ, widened to whole words of an address or a number."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    while start and re.match(r"[\w.]", old[start - 1]):
        start -= 1
    while end and re.match(r"[\w.]", old[len(old) - end]):
        end -= 1
    return start, len(old) - end, len(new) - end


def pieces(old, new):
    """What differs, as (old, new): each pair of words once, so that a line with one address twice says it once."""
    words = [re.findall(r"[\w.]+|\s+|.", text) for text in (old, new)]
    found = []
    for verb, a, b, c, d in difflib.SequenceMatcher(None, *words, autojunk=False).get_opcodes():
        if verb != "equal":
            one = ("".join(words[0][a:b]), "".join(words[1][c:d]))
            if one not in found:
                found.append(one)
    return " .. ".join(x for x, _ in found), " .. ".join(x for _, x in found)


def align(old, new):
    """Pairs of lines of two forms of a message; None where one has no such line."""
    pairs = []
    match = difflib.SequenceMatcher(None, [x[1] for x in old], [x[1] for x in new], autojunk=False)
    for verb, a, b, c, d in match.get_opcodes():
        if verb == "equal":
            pairs += [(a + i, c + i) for i in range(b - a)]
            continue
        left = list(range(c, d))
        for i in range(a, b):
            same = [j for j in left if name_of(*new[j][1:]) == name_of(*old[i][1:]) and new[j][2] == old[i][2]]
            pairs.append((i, same[0] if same else None))
            if same:
                left.remove(same[0])
        pairs += [(None, j) for j in left]
    return pairs


def title(message):
    """INVITE, re-INVITE, or 200 (INVITE)."""
    if "malformed" in message:
        return "malformed message"
    if not message["request"]:
        return f"{message['status']} ({message['method']})"
    if message["method"] == "INVITE" and message["to_tag"]:
        return "re-INVITE"
    if message["method"] == "other":
        return message["text"].split(" ", 1)[0][:20]
    return message["method"]
