# SPDX-License-Identifier: GPL-2.0-only
"""explain: what the module would make of a capture, and what another gateway made of it.

With one capture of the inside, each message is shown to the module's core. With
captures of both sides, each message is found again on the other side, and what
became of it is held against what the core says: a line that had to be kept, or
got a wrong value, or had to change and did not. The ports that the gateway chose
are its own business: the core is told them.
"""

import ipaddress
import re
import statistics
import time

from . import UserError, core
from .message import align, fields_of, label, lines_of, pieces, title

OUTSIDE4, OUTSIDE6 = "198.51.100.1", None
WRONG = ("wrong", "missed")
VERDICTS = {"would": "would change", "right": "changed, rightly", "wrong": "changed, wrongly",
            "missed": "not changed, though it had to be"}


def split(ap):
    """Address and port."""
    host, _, port = ap.rpartition(":")
    return host.strip("[]"), int(port)


def join(host, port):
    """The reverse."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def networks(text):
    """The networks of --inside."""
    try:
        return [ipaddress.ip_network(word.strip(), strict=False) for word in text.split(",")]
    except ValueError as err:
        raise UserError(f"--inside: {err}") from None


def _address(text, what):
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as err:
        raise UserError(f"{what}: {err}") from None


def is_private(host):
    """RFC 1918, 6598, 3927, 4193 and link-local; documentation addresses stand for public ones."""
    ip = ipaddress.ip_address(host)
    return any(ip in net for net in _PRIVATE if net.version == ip.version)


_PRIVATE = [ipaddress.ip_network(x) for x in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                                              "169.254.0.0/16", "fc00::/7", "fe80::/10")]


class Inside:
    """Which addresses are inside."""

    def __init__(self, nets=None, hosts=None):
        self.nets, self.hosts = nets, hosts

    def has(self, ap):
        """Is this one?"""
        host = split(ap)[0]
        if self.nets is not None:
            return any(ipaddress.ip_address(host) in net for net in self.nets)
        return host in self.hosts if self.hosts else is_private(host)


# ---- one message -------------------------------------------------------------

def _change(verdict, field, old, new, expected=None):
    """A line that is another one on the other side."""
    was, now = pieces(old.rstrip("\r\n"), new.rstrip("\r\n"))
    rule = core.rule(field)
    why = {"would": "", "right": "", "missed": rule["when"],
           "wrong": rule["when"] if expected == old else f"should be {expected.strip()}"
                    if expected is not None else "a line that nobody sent"}[verdict]
    return {"field": field, "label": label(field, old or new), "verdict": verdict, "old": was, "new": now,
            "line_old": old.rstrip("\r\n"), "line_new": new.rstrip("\r\n"),
            "line_expected": None if expected is None else expected.rstrip("\r\n"), "rfc": rule["rfc"], "why": why}


def _notes(message, plan):
    """Reasons that the core noted, each with the line that it is about."""
    lines = lines_of(message["text"])
    found = []
    for note in plan.get("notes", []):
        line = [text for off, text, _ in lines if off <= note["off"]][-1]
        found.append({"reason": note["reason"], "text": core.reason_text(note["reason"]),
                      "line": line.rstrip("\r\n") if note["off"] else ""})
    return found


def _mentions(line, host):
    return re.search(r"(?<![\w.:])" + re.escape(host) + r"(?![\w:]|\.\d)", line.replace(host + ":", host + " "))


def _kept(message, new, hosts, direction):
    """Lines that name an inside address and stay as they are, with the rule that says so."""
    lines = lines_of(message["text"])
    after = lines_of(new)
    way = ("req_" if message["request"] else "rsp_") + direction
    found = []
    for i, (field, (_, line, _)) in enumerate(zip(fields_of(lines), lines)):
        if i < len(after) and after[i][1] == line and any(_mentions(line, host) for host in hosts):
            rule = core.rule(field)
            why = {"keep": rule["when"], "unmap": "as it came: nothing of a gateway's is to be taken back here",
                   "map": "none of the sender's own addresses: " + rule["when"]}.get(rule.get(way), "")
            found.append({"field": field, "label": label(field, line), "line": line.rstrip("\r\n"), "why": why, "rfc": rule["rfc"]})
    return found


def _wanted(one, options):
    return not options.call_id or options.call_id in one["call_id"]


def _base(message, number):
    """What every message of the answer has."""
    one = {key: message.get(key, "") for key in ("time", "proto", "src", "dst", "call_id", "cseq", "text")}
    one.update(number=number, title=title(message), malformed=message.get("malformed"), changes=[], kept=[], notes=[],
               refused=None, why=None)
    return one


def _would(message, plan):
    """The edits of a plan, line by line; they never add or take away a line."""
    old, new = lines_of(message["text"]), lines_of(plan["new"])
    fields = fields_of(old)
    return [_change("would", fields[i], old[i][1], new[i][1]) for i in range(min(len(old), len(new)))
            if old[i][1] != new[i][1]]


# ---- one capture -------------------------------------------------------------

class Ports:
    """The outside pairs of inside ones, as a masquerading gateway would choose them."""

    def __init__(self, outside4, outside6):
        self.outside = {4: outside4, 6: outside6}
        self.chosen, self.taken = {}, {}

    def seen(self, ap):
        """What the outside sees; without an outside address of that family there is no NAT."""
        host, port = split(ap)
        outside = self.outside[ipaddress.ip_address(host).version]
        if not outside:
            return ap
        if ap not in self.chosen:
            while self.taken.get(join(outside, port), ap) != ap:
                port = port + 1 if port < 65535 else 1024
            self.taken[join(outside, port)] = ap
            self.chosen[ap] = join(outside, port)
        return self.chosen[ap]


def _path(message, inside, ports):
    """Direction of a message, and the path as the planner wants it."""
    src, dst = message["src"], message["dst"]
    snd, rcv = inside.has(src), inside.has(dst)
    if snd and not rcv:
        return "out", (src, ports.seen(src), dst, dst)
    if rcv and not snd:
        return "in", (src, src, dst, ports.seen(dst))
    return ("local" if snd else "outside"), (src, src, dst, dst)


NOWHERE = {"local": "both ends are inside: it does not pass the gateway (or say what is inside: --inside NETWORK)",
           "outside": "neither end is inside: a capture of the inside is wanted (or say what is inside: "
                      "--inside NETWORK)"}


def one_capture(path, options):
    """Each message of a capture of the inside, and what the module would make of it."""
    messages, flows, end = core.capture(path)
    inside = Inside(networks(options.inside) if options.inside else None)
    ports = Ports(_address(options.outside or OUTSIDE4, "--outside"), options.outside6 and
                  _address(options.outside6, "--outside6"))
    found = []
    with core.Planner(options.media_host) as planner:
        for number, message in enumerate(_once(messages), 1):
            one = _base(message, number)
            found.append(one)
            one["direction"], way = _path(message, inside, ports)
            one["arrived"] = None
            one["inside"], one["outside"] = ((message["dst"], message["src"]) if one["direction"] == "in" else
                                             (message["src"], message["dst"]))
            if message.get("malformed"):
                one["why"] = f"{core.reason_text(message['malformed'])}: it passes as it is"
                continue
            if one["direction"] in NOWHERE:
                one["why"] = NOWHERE[one["direction"]]
                continue
            plan = planner.plan(message, way)
            one["notes"] = _notes(message, plan)
            if plan["reason"]:
                one["refused"] = plan["reason"]
                one["why"] = f"{core.reason_text(plan['reason'])}: it passes as it is"
                continue
            one["changes"] = _would(message, plan)
            hosts = {split(ap)[0] for ap in (message["src"], message["dst"]) if inside.has(ap)}
            one["kept"] = _kept(message, plan["new"], hosts, one["direction"])
            if not one["changes"]:
                one["why"] = ("nothing to take back in this capture; through the module the far side would have "
                              "answered to what it was told, and the inside would see just this"
                              if one["direction"] == "in" else "no address of the sender in a field that is mapped")
    # All of them pass the planner, for its memory.
    found = [one for one in found if _wanted(one, options)]
    return {"mode": "plan", "files": {"capture": path}, "capture": end, "messages": found,
            "outside": {"ip4": ports.outside[4], "ip6": ports.outside[6]}, "media": [],
            "summary": _summary(found), "flows": len(flows)}


def _once(messages):
    """Without the second copy that a capture of all interfaces has of a packet."""
    last = {}
    for message in messages:
        key = (message["src"], message["dst"], message["text"])
        if key in last and message["time"] - last[key] < 0.002:
            continue
        last[key] = message["time"]
        yield message


# ---- two captures ------------------------------------------------------------

def _key(message, outward):
    """The same on both sides of a gateway, whatever it changes: not the Call-ID, it may be changed too."""
    return (outward, message["request"], message["status"], message["method"], message["cseq"],
            message["branch"] or message["from_tag"])


def _rough(message):
    """What can be read of a message that the core refuses, so that it is found on the other side."""
    if not message.get("malformed"):
        return message
    first = message["text"].split("\n", 1)[0].split(" ")
    cseq = re.search(r"^cseq\s*:\s*(\d+)\s+(\S+)", message["text"], re.I | re.M)
    found = {"request": first[0] != "SIP/2.0", "status": int(first[1]) if first[0] == "SIP/2.0" and
             first[1].isdigit() else 0, "cseq": int(cseq[1]) if cseq else 0, "method": cseq[2] if cseq else first[0]}
    for key, pattern in (("call_id", r"^(?:call-id|i)\s*:\s*(\S+)"), ("branch", r"^(?:via|v)\s*:.*?branch=([^;,\s]+)"),
                         ("from_tag", r"^(?:from|f)\s*:.*?;tag=([^;\s]+)"), ("to_tag", r"^(?:to|t)\s*:.*?;tag=([^;\s]+)")):
        match = re.search(pattern, message["text"], re.I | re.M)
        found[key] = match[1] if match else ""
    return {**found, **message}


def _offset(groups):
    """How much later the clock of the WAN capture is: by what is there once on both sides, else by first copies."""
    both = [(lan, wan) for lan, wan in groups.values() if lan and wan]
    once = [(lan, wan) for lan, wan in both if len(lan) == len(wan) == 1]
    each = [wan[0]["time"] - lan[0]["time"] for lan, wan in once or both]
    return statistics.median(each) if each else 0.0


def pair(lan, wan, inside):
    """(outward, LAN form or None, WAN form or None) for each message, in the order of sending."""
    groups, pairs = {}, []
    lan_hosts = {split(message["src"])[0] for message in lan if inside.has(message["src"])}
    outside = {split(m[k])[0] for m in wan for k in ("src", "dst")} - {
        split(m[k])[0] for m in lan for k in ("src", "dst")}
    for message in lan:
        groups.setdefault(_key(message, inside.has(message["src"])), ([], []))[0].append(message)
    for message in wan:
        host = split(message["src"])[0]
        groups.setdefault(_key(message, host in outside or host in lan_hosts), ([], []))[1].append(message)
    offset = _offset(groups)
    for (outward, *_), (one, two) in groups.items():
        sent, got = (one, two) if outward else (two, one)
        late = offset if outward else -offset
        come = dict(zip(range(len(sent)), got)) if len(sent) == len(got) else {}
        for message in got if not come else ():
            # Copies were lost: it is the newest that was sent before.
            before = [i for i, m in enumerate(sent) if i not in come and m["time"] + late <= message["time"] + 0.05]
            if before:
                come[before[-1]] = message
            else:
                pairs.append((outward, None if outward else message, message if outward else None))
        pairs += [(outward, m if outward else come.get(i), come.get(i) if outward else m) for i, m in enumerate(sent)]

    def when(item):
        sent, got = (item[1], item[2]) if item[0] else (item[2], item[1])
        first = sent or got
        return first["time"] - (offset if first is item[2] else 0)
    return sorted(pairs, key=when)


def judge(sent, expected, arrived):
    """What became of the lines of a message, held against what had to."""
    old, want, new = lines_of(sent), lines_of(expected), lines_of(arrived)
    fields = fields_of(old)
    body = arrived.partition("\r\n\r\n")[2] or arrived.partition("\n\n")[2]
    found = []
    for i, j in align(old, new):
        if i is None:
            found.append(_change("wrong", fields_of(new)[j], "", new[j][1], None))
            continue
        was, due = old[i][1], want[i][1] if i < len(want) else old[i][1]
        now = new[j][1] if j is not None else ""
        field = fields[i]
        if now == due:
            if now != was:
                found.append(_change("right", field, was, now, due))
        elif field == "content-length" and re.sub(r"\D", "", now.partition(":")[2]) == str(len(body)):
            if now != was:
                found.append(_change("right", field, was, now, now))
        else:
            found.append(_change("missed" if now == was else "wrong", field, was, due if now == was else now, due))
    return found


def _lan_wan_path(outward, lan, wan):
    if outward:
        return lan["src"], wan["src"], wan["dst"], lan["dst"]
    return wan["src"], lan["src"], lan["dst"], wan["dst"]


def two_captures(lan_path, wan_path, options):
    """What the device between two captures changed, and what of it was wrong."""
    lan, lan_flows, lan_end = core.capture(lan_path)
    wan, wan_flows, wan_end = core.capture(wan_path)
    lan, wan = [_rough(m) for m in _once(lan)], [_rough(m) for m in _once(wan)]
    everywhere = {split(m[k])[0] for m in wan for k in ("src", "dst")}
    only_lan = {split(m[k])[0] for m in lan for k in ("src", "dst")} - everywhere
    inside = Inside(networks(options.inside) if options.inside else None, only_lan)
    if lan_path == wan_path:
        # A capture of all interfaces: its two sides are told apart by their addresses.
        inside = Inside(inside.nets)
        lan = [m for m in lan if inside.has(m["src"]) or inside.has(m["dst"])]
        wan = [m for m in wan if not inside.has(m["src"]) and not inside.has(m["dst"])]
    pairs = pair(lan, wan, inside)
    if pairs and not any(one and two for _, one, two in pairs):
        raise UserError("no message is in both captures: are they of both sides of one gateway, at one time?")
    found, media = [], {}
    with core.Planner(options.media_host) as planner:
        for number, (outward, inner, outer) in enumerate(pairs, 1):
            sent, got = (inner, outer) if outward else (outer, inner)
            one = _base(sent or got, number)
            one.update(direction="out" if outward else "in", arrived=bool(sent and got),
                       new=got["text"] if sent and got else None, inside=inner and inner["src" if outward else "dst"],
                       outside=(outer or inner)["dst" if outward else "src"],
                       seen=outer and outer["src" if outward else "dst"])
            found.append(one)
            if not sent:
                one["why"] = "on the other side it was never sent, or the capture lost it"
            if not (sent and got):
                one["why"] = one["why"] or "it did not come out on the other side"
                continue
            plan = planner.plan(sent, _lan_wan_path(outward, inner, outer), got)
            one["notes"] = _notes(sent, plan)
            one["refused"] = plan.get("reason") or None
            # What it cannot read or plan the module lets pass as it is.
            one["changes"] = judge(sent["text"], plan["new"] if plan.get("new") else sent["text"], got["text"])
            if got.get("malformed") and not sent.get("malformed"):
                one["why"] = f"what came out is no SIP any more: {core.reason_text(got['malformed'])}"
            if outward:
                _media_named(media, plan, inside)
    found = [one for one in found if _wanted(one, options)]
    return {"mode": "compare", "files": {"lan": lan_path, "wan": wan_path},
            "capture": {key: lan_end[key] + wan_end[key] for key in lan_end}, "messages": found, "media": _media(media, lan_flows, wan_flows), "summary": _summary(found)}


# ---- media -------------------------------------------------------------------

def _media_named(media, plan, inside):
    """Inside RTP sockets, and what the outside was told instead."""
    for fact, named in zip(plan.get("media", []), plan.get("arrived", [])):
        if fact["rtp"] and inside.has(fact["rtp"]) and named and split(fact["rtp"])[1] and split(named)[1]:
            one = media.setdefault(fact["rtp"], {"kind": fact["kind"], "named": []})
            if named not in one["named"]:
                one["named"].append(named)


def _media(media, lan_flows, wan_flows):
    """Of each stream: how much came through, and whether it left from where the SDP said."""
    found = []
    for inside, one in media.items():
        sent = [f for f in lan_flows if f["src"] == inside]
        far = {f["dst"] for f in sent}
        left = [f for f in wan_flows if f["dst"] in far and split(f["src"])[0] == split(one["named"][0])[0]]
        came = [f for f in wan_flows if f["dst"] in one["named"]]
        stray = sorted({f["src"] for f in left} - set(one["named"]))
        named = ", ".join(one["named"])
        got = sum(f["packets"] for f in lan_flows if f["dst"] == inside)
        counts = {"sent": sum(f["packets"] for f in sent), "left": sum(f["packets"] for f in left),
                  "came": sum(f["packets"] for f in came), "arrived": got}
        faults = []
        if stray:
            faults.append(f"leaves from {', '.join(stray)}, the SDP said {named} (RFC 4961 4)")
        if counts["sent"] > counts["left"] * 1.05 + 2:
            faults.append(f"{counts['sent'] - counts['left']} packets from inside did not leave")
        if counts["came"] > got * 1.05 + 2:
            faults.append(f"{counts['came'] - got} packets from outside did not arrive inside")
        found.append({"kind": one["kind"], "inside": inside, "named": one["named"], **counts, "faults": faults})
    return found


# ---- the answer --------------------------------------------------------------

def _summary(messages):
    """Changes of one kind together, wrong ones first."""
    groups = {}
    for message in messages:
        for change in message["changes"]:
            key = (change["verdict"], change["label"], change["old"], change["new"])
            one = groups.setdefault(key, {"verdict": key[0], "field": change["field"], "label": key[1], "old": key[2],
                                          "new": key[3], "count": 0, "where": [], "why": change["why"], "rfc": change["rfc"]})
            one["count"] += 1
            if message["title"] not in one["where"]:
                one["where"].append(message["title"])
    order = {"wrong": 0, "missed": 1, "would": 2, "right": 3}
    return sorted(groups.values(), key=lambda one: (order[one["verdict"]], one["field"]))


def collect(options):
    """All that is known of the capture or captures."""
    if options.lan or options.wan:
        if not (options.lan and options.wan) or options.capture:
            raise UserError("explain wants a capture, or both --lan and --wan")
        return two_captures(options.lan, options.wan, options)
    if not options.capture:
        raise UserError("explain wants a capture, or both --lan and --wan")
    return one_capture(options.capture, options)


def problems(data):
    """Whether something is wrong."""
    return any(one["verdict"] in WRONG for one in data["summary"]) or any(one["faults"] for one in data["media"])


def _show(text, limit=76):
    text = "".join(c if " " <= c <= "~" else {"\r": "\\r", "\n": "\\n", "\t": "\\t"}.get(c, f"\\x{ord(c):02x}")
                   for c in text)
    return text if len(text) <= limit else text[:limit - 3] + "..."


def _change_text(change, indent="    "):
    old, new = _show(change["old"]) or "(nothing)", _show(change["new"]) or "(nothing)"
    mark = {"wrong": "WRONG ", "missed": "MISSED "}.get(change["verdict"], "")
    if change["verdict"] == "missed":
        text = f"{indent}{mark}{change['label']}: {old} stays, should be {new}"
    else:
        text = f"{indent}{mark}{change['label']}: {old} -> {new}"
    if change["verdict"] in WRONG:
        text += f"\n{indent}  in: {_show(change['line_new'] if change['verdict'] == 'wrong' else change['line_old'])}"
        text += f"\n{indent}  {change['why']} (RFC {change['rfc']})"
    return text


def _message_text(one, brief):
    day = time.strftime("%H:%M:%S", time.localtime(one["time"])) + f".{int(one['time'] % 1 * 1000):03d}"
    ends = f"{one['src']} -> {one['dst']}"
    if one.get("inside"):
        ends = f"{one['inside']} {'->' if one['direction'] == 'out' else '<-'} {one['outside']}"
    head = f"{one['number']:4d} {day} {ends} {one['title']} {_show(one['call_id'], 40)}"
    lines = [head.rstrip()]
    if one["why"]:
        lines.append(f"    {one['why']}")
    lines += [_change_text(change) for change in one["changes"]]
    if not brief:
        lines += [f"    kept {kept['label']}: {_show(kept['line'])}\n      {kept['why']} (RFC {kept['rfc']})"
                  for kept in one["kept"]]
    lines += [f"    note: {note['text']}" + (f": {_show(note['line'])}" if note["line"] else "")
              for note in one["notes"]]
    return "\n".join(lines)


def _summary_text(data):
    lines, said = [], set()
    for one in data["summary"]:
        where = ", ".join(one["where"][:4]) + (", ..." if len(one["where"]) > 4 else "")
        old, new = _show(one["old"], 40) or "(nothing)", _show(one["new"], 40) or "(nothing)"
        arrow = "stays, should be" if one["verdict"] == "missed" else "->"
        lines.append(f"  {one['count']:4d} x {VERDICTS[one['verdict']]}: {one['label']} {old} {arrow} {new} ({where})")
        if one["verdict"] in WRONG and one["why"] not in said:
            lines.append(f"           {one['why']} (RFC {one['rfc']})")
            said.add(one["why"])
    return lines or ["  nothing"]


def text(data, brief=False):
    """The same as text."""
    lines = []
    if not brief or data["mode"] == "plan":
        lines += [_message_text(one, brief) for one in data["messages"]]
        lines.append("")
    count = len(data["messages"])
    lines.append(f"{count} SIP message{'s' if count != 1 else ''}" +
                 (f", outside address {data['outside']['ip4']}" if data["mode"] == "plan" else
                  f", {sum(1 for m in data['messages'] if not m['arrived'])} of them on one side only"))
    lines += _summary_text(data)
    for one in data["media"]:
        lines.append(f"  media {one['kind']} {one['inside']}, outside called {', '.join(one['named'])}: "
                     f"{one['sent']} sent, {one['left']} left; {one['came']} came, {one['arrived']} arrived")
        lines += [f"       WRONG {fault}" for fault in one["faults"]]
    end = data["capture"]
    if end.get("cut"):
        lines.append(f"  {end['cut']} packets are cut off in the capture: take it with tcpdump -s 0")
    if end.get("gaps") or end.get("bad"):
        lines.append(f"  the capture has {end['gaps']} gaps in TCP streams and {end['bad']} broken packets")
    return "\n".join(lines)
