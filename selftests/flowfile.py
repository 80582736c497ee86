# SPDX-License-Identifier: GPL-2.0-only
"""Reads flow files: readable SIP exchanges, and what the far side must see.

A flow file has a head and steps. In the head stand, one a line:

    title: TEXT            what the flow shows, in one line
    rfc: TEXT              the sections that say so
    nat: masquerade        masquerade, snat or none (default masquerade)
    forward: pbx           the port forward of UDP 5060, if there is one
    udp-timeout: 2         UDP timeouts of the gateway in seconds, for silences
                           (a run that fails where one message took a tenth of that is
                           done again: the machine stood still)
    helper-port: 5080      the port that gets the helper by rule (default 5060)
    observe: proxy2        whose flows get sip-observe instead
    topology: dmz          a third leg of the gateway; or uplink2, twins (see testnet.py)
    assign: auto           auto_assign gives the helper, no rule does (default nft; or iptables)
    copies: 2              every message is sent, and must arrive, so often
    filter: none           no rule of the gateway looks at conntrack states
    family: 6              over IPv6 (see flow6.py); 46: the hosts have both (default 4)
    transports: udp        runs over UDP alone, or 'tcp' alone (default both); say why
    alone: yes             not beside other flows (it changes what is machine-wide)
    run: first=inside      one line for each run, with its parameters

Text at the left margin is a step, four blanks begin a line of its message, and
'#' at the left margin begins a comment. A message step names who sends to whom,
then the message, then what the gateway must have made of it:

    phone -> proxy from 198.51.100.1:$SIP
        OPTIONS sip:203.0.113.5 SIP/2.0
        Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bK-1;rport
        Content-Length: $CL
      changed
        Via.sent-by  192.168.1.20:5060 -> 198.51.100.1:$SIP

A Via says UDP; where the flow runs over TCP it says TCP. A message that is sent 'over
tcp' or 'over udp' always is, and then says so itself.

'unchanged' says that it must arrive as it was sent, 'lost' that it must not
arrive. Lines end with CR LF on the wire. '\\t', '\\r', '\\n', '\\\\' and '\\xHH' are
bytes, a backslash at the end of a line leaves out its CR LF. $CL is the length
of the body; $NAME is a value that the first received message decides, and that
all later ones must repeat; $(NAME+1) counts from it. A message without a body gets the
empty line after its headers by itself.

A block of steps that several flows share is 'block NAME key=default …' to
'end', used by 'do NAME key=value …'; {key} stands for its value, and for the
value of a run's parameter. A block in a block has the values of the outer one.
'include FILE' reads more blocks.
"""

import os
import re
import shlex
from dataclasses import dataclass, field

HEAD_KEYS = {"title", "rfc", "nat", "forward", "udp-timeout", "helper-port", "run",
             "alone", "topology", "assign", "observe", "copies", "filter", "transports",
             "family"}
HERE = os.path.dirname(os.path.abspath(__file__))
MARK = "\ue000"       # around the name of a variable that is not known yet; no byte is that


class FlowError(Exception):
    """The flow file itself is wrong."""


class NotKnown(FlowError):
    """A value is used before a message has decided it."""


@dataclass
class Line:
    """A line and where it stands."""
    text: str
    where: str


@dataclass
class Change:
    """One declared substitution."""
    field: str
    old: str
    new: str
    where: str


@dataclass
class Step:
    """One step: its words, and for a message its text and what must arrive."""
    words: str
    where: str
    text: list = field(default_factory=list)
    outcome: str = ""
    changes: list = field(default_factory=list)


@dataclass
class Flow:
    """A file: its head, its runs, its lines."""
    name: str
    head: dict
    runs: list
    lines: list
    blocks: dict


def _read(path):
    with open(path, encoding="utf-8") as handle:
        rows = handle.read().split("\n")
    base = os.path.basename(path)
    return [Line(text, f"{base}:{i + 1}") for i, text in enumerate(rows)]


def _pairs(words, where):
    out = {}
    for word in words:
        key, sep, value = word.partition("=")
        if not sep:
            raise FlowError(f"{where}: '{word}' is not key=value")
        out[key] = value
    return out


def _take_blocks(lines, blocks, folder, seen):
    """Moves blocks (and those of included files) out of lines."""
    rest = []
    i = 0
    while i < len(lines):
        text, where = lines[i].text, lines[i].where
        if text.startswith("include "):
            path = os.path.join(folder, text.split()[1])
            if path not in seen:
                seen.add(path)
                left = _take_blocks(_read(path), blocks, folder, seen)
                for line in left:
                    if line.text.strip() and not line.text.startswith("#"):
                        raise FlowError(f"{line.where}: an include holds only blocks")
        elif text.startswith("block "):
            words = shlex.split(text)
            body = []
            i += 1
            while i < len(lines) and lines[i].text.rstrip() != "end":
                body.append(lines[i])
                i += 1
            if i == len(lines):
                raise FlowError(f"{where}: block without end")
            blocks[words[1]] = (_pairs(words[2:], where), body)
        else:
            rest.append(lines[i])
        i += 1
    return rest


def load(path):
    """Reads a flow file."""
    blocks = {}
    folder = os.path.dirname(os.path.abspath(path))
    lines = _take_blocks(_read(path), blocks, folder, set())
    head, runs, steps = {}, [], []
    in_head = True
    for line in lines:
        match = re.match(r"([a-z-]+):\s*(.*)$", line.text)
        if in_head and match and match[1] in HEAD_KEYS:
            if match[1] == "run":
                runs.append(_pairs(match[2].split(), line.where))
            else:
                head[match[1]] = match[2].strip()
        elif line.text.strip() and not line.text.startswith("#"):
            in_head = False
            steps.append(line)
        elif not in_head:
            steps.append(line)
    name = os.path.basename(path).removesuffix(".flow")
    if "title" not in head:
        raise FlowError(f"{name}: no title")
    unknown = set(head.get("transports", "").split()) - {"udp", "tcp"}
    if unknown:
        raise FlowError(f"{name}: no transport {unknown}")
    return Flow(name, head, runs or [{}], steps, blocks)


def _fill(text, params, where):
    def value(match):
        if match[1] not in params:
            raise FlowError(f"{where}: {match[0]} has no value")
        return params[match[1]]
    return re.sub(r"\{([a-z][a-z0-9_-]*)\}", value, text)


def _expand(flow, lines, params, depth=0):
    if depth > 8:
        raise FlowError(f"{lines[0].where}: blocks nested too deep")
    out = []
    for line in lines:
        text = _fill(line.text, params, line.where) if not line.text.startswith("#") else ""
        if text.startswith("do "):
            words = shlex.split(text)
            if words[1] not in flow.blocks:
                raise FlowError(f"{line.where}: no block '{words[1]}'")
            defaults, body = flow.blocks[words[1]]
            given = _pairs(words[2:], line.where)
            unknown = set(given) - set(defaults)
            if unknown:
                raise FlowError(f"{line.where}: block {words[1]} has no {unknown}")
            own = dict(params)
            for key, value in {**defaults, **given}.items():
                if key in given or key not in params:
                    own[key] = _fill(value, own, line.where)
            out += [Line(f"# {words[1]}", line.where)]
            out += [Line(inner.text, f"{inner.where} ({line.where})")
                    for inner in _expand(flow, body, own, depth + 1)]
        else:
            out.append(Line(text, line.where))
    return out


def _change(line):
    # The arrow stands between blanks, because names and values may hold one.
    left, sep, new = line.text.strip().partition(" -> ")
    name, _, old = left.strip().partition(" ")
    if not sep or not old:
        raise FlowError(f"{line.where}: not 'FIELD  OLD -> NEW'")
    return Change(name, old.strip(), new.strip(), line.where)


def steps_of(flow, params):
    """The steps of one run, with blocks and parameters filled in."""
    out = []
    section = None
    for line in _expand(flow, flow.lines, params):
        text = line.text
        if text.startswith("#"):
            section = None
        elif text.startswith("    "):
            if section == "text":
                out[-1].text.append(Line(text[4:], line.where))
            elif section == "changes":
                out[-1].changes.append(_change(line))
            else:
                raise FlowError(f"{line.where}: text that belongs to no step")
        elif text.startswith("  ") and text.strip():
            word = text.strip()
            if word not in ("changed", "unchanged", "lost") or not out or not out[-1].text:
                raise FlowError(f"{line.where}: '{word}' is not changed, unchanged or lost")
            out[-1].outcome = word
            section = "changes" if word == "changed" else None
        elif not text.strip():
            if section == "text":
                out[-1].text.append(Line("", line.where))
        else:
            out.append(Step(text.strip(), line.where))
            section = "text"
    for step in out:
        while step.text and not step.text[-1].text:
            step.text.pop()
        if step.text and not step.outcome:
            raise FlowError(f"{step.where}: say changed, unchanged or lost")
        if step.outcome == "changed" and not step.changes:
            raise FlowError(f"{step.where}: changed, but no change is named")
    return out


_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[tnr\\])")


def _unescape(text):
    def byte(match):
        word = match[1]
        if word[0] == "x":
            return chr(int(word[1:], 16))
        return {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}[word]
    return _ESCAPE.sub(byte, text)


def wire_text(step):
    """The message as one string of bytes (latin-1), $ not yet expanded."""
    parts = []
    for line in step.text:
        text = line.text.encode().decode("latin-1")
        end = "\r\n"
        if re.search(r"(?<!\\)(\\\\)*\\$", text):
            text, end = text[:-1], ""
        parts.append(_unescape(text) + end)
    text = "".join(parts)
    if re.match(r"(SIP/2\.0 |[A-Z]+ [^\r\n]* SIP/2\.0\r\n)", text) and \
            "\r\n\r\n" not in text and "\n\n" not in text:
        text += "\r\n"
    return text


_VARIABLE = re.compile(r"\$(\$|[A-Z][A-Z0-9]*|\(([A-Z][A-Z0-9]*)([+-]\d+)\))")


def over_tcp(step):
    """A step as it is over TCP: its Vias say so."""
    def lines(rows):
        return [Line(re.sub(r"(SIP\s*/\s*2\.0\s*/\s*)UDP\b", r"\1TCP", row.text), row.where)
                for row in rows]
    return Step(step.words, step.where, lines(step.text), step.outcome, step.changes)


def fill_known(text, values):
    """Expands $NAME where its value is known; the others are marked."""
    def value(match):
        if match[1] == "$":
            return "$"
        name, plus = (match[2], match[3]) if match[2] else (match[1], "")
        if name in values:
            return str(int(values[name]) + int(plus)) if plus else str(values[name])
        return MARK + name + plus + MARK
    return _VARIABLE.sub(value, text)


def refill(text, values):
    """Expands what fill_known() had to leave."""
    def value(match):
        name, plus = re.fullmatch(r"([A-Z0-9]+)([+-]\d+)?", match[1]).groups()
        if name not in values:
            return match[0]
        return str(int(values[name]) + int(plus)) if plus else str(values[name])
    return re.sub(MARK + "([^" + MARK + "]+)" + MARK, value, text)


def body_offset(text):
    """Where the body begins: behind the first empty line."""
    match = re.search(r"\r?\n\r?\n", text)
    return match.end() if match else len(text)


def set_length(text):
    """Puts the length of the body in the place of $CL."""
    mark = MARK + "CL" + MARK
    at = text.find(mark)
    if at < 0:
        return text
    length = str(len(text) - body_offset(text))
    return text[:at] + length + text[at + len(mark):]


def _lines_of(text, start, end):
    """Offsets of the lines (headers with their folds) of text[start:end]."""
    spans = []
    at = start
    while at < end:
        nl = text.find("\n", at, end)
        stop = end if nl < 0 else nl + 1
        if spans and text[at] in " \t" and start == 0:
            spans[-1] = (spans[-1][0], stop)
        else:
            spans.append((at, stop))
        at = stop
    return spans


def _region(text, name):
    """The offsets of the field that a substitution names."""
    body = body_offset(text)
    match = re.fullmatch(r"(.+?)(?:\[(\d+)\])?", name)
    name, nth = match[1], int(match[2] or 1)
    if name == "Request-URI":
        line = re.match(r"[A-Z]+ (.*) SIP/2\.0\r?\n", text)
        return line.span(1) if line else None
    if re.match(r"[a-z]=", name):
        for begin, end in _lines_of(text, body, len(text)):
            if text.startswith(name, begin):
                nth -= 1
                if not nth:
                    return begin, end
        return None
    header, _, part = name.partition(".")
    for begin, end in _lines_of(text, 0, body)[1:]:
        found = re.match(r"([^\s:]+)[ \t]*:", text[begin:end])
        if not found or found[1].lower() != header.lower():
            continue
        nth -= 1
        if nth:
            continue
        begin += found.end()
        if not part:
            return begin, end
        if part == "sent-by":
            value = re.match(r"\s*SIP\s*/\s*2\.0\s*/\s*\w+\s+([^;,]*?)\s*(?=[;,\r\n])",
                             text[begin:end])
        else:
            value = re.search(r";\s*" + re.escape(part) + r"\s*=\s*([^;,\s]*)",
                              text[begin:end])
        return (begin + value.start(1), begin + value.end(1)) if value else None
    return None


def apply_change(text, change, values):
    """Makes one declared substitution in the text that was sent."""
    old = fill_known(_unescape(change.old), values)
    new = fill_known(_unescape(change.new), values)
    if MARK in old:
        raise NotKnown(f"{change.where}: '{change.old}' is not known yet")
    region = _region(text, change.field)
    if not region:
        raise FlowError(f"{change.where}: the message has no {change.field}")
    before = r"(?<![\w.])" if re.match(r"\w", old) else ""
    after = r"(?![\w])" if re.search(r"\w$", old) else ""
    found = re.search(before + re.escape(old) + after, text[region[0]:region[1]])
    if not found:
        raise FlowError(f"{change.where}: {change.field} does not hold '{old}': "
                        f"{text[region[0]:region[1]]!r}")
    begin, end = region[0] + found.start(), region[0] + found.end()
    return text[:begin] + new + text[end:]
