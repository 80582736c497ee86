# SPDX-License-Identifier: GPL-2.0-only
"""The page of the demo: one file, nothing fetched, the calls as ladder diagrams."""

import html
import os

import capture
import story

TEMPLATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page.html")
WAITS = {"ringing": "call 2 rings; nobody talks on call 1 for 2.5 s",
         "hold": "on hold; silence, longer than the UDP timeout of 1 s"}


def page(runs, kernel):
    """The whole page."""
    with open(TEMPLATE, encoding="utf-8") as handle:
        text = handle.read()
    parts = {"KERNEL": html.escape(kernel), "NOTES": "".join(map(notes, runs)),
             "MEDIA": media(runs), "LADDERS": "".join(map(ladder, runs)),
             "OPEN": opened(runs), "LISTS": "".join(map(lists, runs))}
    for name, value in parts.items():
        text = text.replace(f"@{name}@", value)
    return text


def card(run, inner):
    """A box of one run."""
    return f'<section class="card"><h3>{html.escape(run.title)}</h3>{inner}</section>'


def notes(run):
    """What the caller noticed."""
    items = "".join(f'<li class="{"good" if good else "bad"}">{html.escape(text)}</li>'
                    for good, text in run.noticed())
    return card(run, f'<ul class="notes">{items}</ul>')


def heads(runs, columns):
    """Two rows of headings: the runs, and what each has."""
    top = "".join(f'<th colspan="{len(columns)}">{html.escape(run.title)}</th>' for run in runs)
    low = "".join(f"<th>{column}</th>" for _ in runs for column in columns)
    return f"<tr><th rowspan=2></th>{top}</tr><tr>{low}</tr>"


def media(runs):
    """The table of counts."""
    rows = []
    for phase, title in story.PHASES:
        cells = []
        for way in (run.way(phase, who) for run in runs for who in ("phone", "far")):
            if way is None:
                cells.append('<td class="dim">&ndash;</td>')
                continue
            good = way.heard() and not way.stray()
            stray = f" from {html.escape(way.stray()[0])}" if way.stray() else ""
            cells.append(f'<td class="{"good" if good else "bad"}">{way.arrived} / {way.sent}'
                         f"{stray}</td>")
        rows.append(f"<tr><th>{html.escape(title)}</th>{''.join(cells)}</tr>")
    return (f"<table>{heads(runs, ('phone &rarr; provider', 'provider &rarr; phone'))}"
            f"{''.join(rows)}</table>")


def opened(runs):
    """The table of what was open."""
    rows = []
    for look, title in story.LOOKS:
        cells = []
        for run in runs:
            if look not in run.looks:
                cells.append('<td class="dim" colspan="3">it never came to that</td>')
                continue
            holes = ", ".join(str(port) for port in run.pinholes(look)) or "none"
            rtp, sip = run.entries(look)
            cells.append(f"<td>{holes}</td><td>{rtp}</td><td>{sip}</td>")
        rows.append(f"<tr><th>{html.escape(title)}</th>{''.join(cells)}</tr>")
    columns = ("pinholes to call 1", "RTP entries", "SIP entries")
    return f"<table>{heads(runs, columns)}{''.join(rows)}</table>"


def lists(run):
    """The lists as the tools print them."""
    parts = []
    for look, title in story.LOOKS:
        if look not in run.looks:
            continue
        found = run.looks[look]
        proc = found["proc"] if run.name == "sip-strict" else ""
        body = "".join(f"<p><code>{command}</code></p><pre>{html.escape(text.strip()) or '(nothing)'}"
                       "</pre>" for command, text in
                       (("conntrack -L -p udp", found["conntrack"]),
                        ("conntrack -L expect", found["expect"]),
                        ("cat /proc/net/nf_conntrack_sip_strict", proc))
                       if run.name == "sip-strict" or "proc" not in command)
        parts.append(f"<details><summary>{html.escape(title)}</summary>{body}</details>")
    return card(run, "".join(parts))


def ladder(run):
    """Messages and media of a run, in the order of time."""
    items = [(pair.message().time, message(pair)) for pair in run.pairs if shown(pair)]
    for event in run.counts["events"]:
        if event["verb"] in ("talk", "announce"):
            items.append((event["time"], band(run, event["name"])))
        elif event["verb"] == "mark" and event["name"] in WAITS:
            # After the messages that are on their way then.
            items.append((event["time"] + 0.3, f'<div class="wait"><span>{WAITS[event["name"]]}'
                                               '</span></div>'))
    items.sort(key=lambda item: item[0])
    start = items[0][0] if items else 0
    rows = "".join(f'<div class="row"><time>{time - start:.1f} s</time>'
                   f'<div class="lanes">{inner}</div></div>' for time, inner in items)
    top = ('<div class="heads"><div>phone<small>192.168.1.20</small></div>'
           '<div>gateway<small>198.51.100.1</small></div>'
           '<div>provider<small>203.0.113.5</small></div></div>')
    return card(run, top + rows)


def shown(pair):
    """First copies, and those that were lost."""
    return pair.copy == 0 or not pair.arrived()


def band(run, phase):
    """The media of a phase."""
    texts, good = [], True
    for who, name in (("phone", "phone &rarr; provider"), ("far", "provider &rarr; phone")):
        way = run.way(phase, who)
        if way:
            good = good and way.heard() and not way.stray()
            texts.append(f"{name} <b>{way.arrived} / {way.sent}</b>")
    title = html.escape(dict(story.PHASES)[phase])
    return f'<div class="band {"good" if good else "bad"}">{title}: {", ".join(texts)}</div>'


def message(pair):
    """An arrow in two halves, the changed fields, and the text to open."""
    halves = []
    for there in (pair.lan, pair.wan):
        kind = ("out" if pair.outward else "in") if there else "none"
        halves.append(f'<div class="half {kind}"></div>')
    changes = pair.changes()
    chips = "".join(
        f'<span class="chip mono{"" if change.field in story.NEEDED else " bad"}">'
        f"{html.escape(change.field)} <del>{html.escape(change.lan)}</del> &rarr; "
        f"{html.escape(change.wan)}</span>" for change in changes)
    label = f"call {pair.call()} {pair.name()}" + (" (again)" if pair.copy else "")
    return (f'<details class="msg c{pair.call()}"><summary>'
            f'<div class="label"><span>{html.escape(label)}</span></div>'
            f'<div class="arrows"><div></div>{"".join(halves)}<div></div></div>'
            f'<div class="changes">{chips}</div></summary><pre>{text(pair, changes)}</pre></details>')


def text(pair, changes):
    """The message, with both forms of each line that differs."""
    changed = {change.lan_line: change for change in changes}
    lines = []
    for line in (pair.lan or pair.wan).lines():
        change = changed.get(line) if pair.arrived() else None
        if not change:
            lines.append(html.escape(line) + "\n")
            continue
        start, old_end, new_end = capture.differing(change.lan_line, change.wan_line)
        lines.append(marked("minus", "- ", change.lan_line, start, old_end))
        lines.append(marked("plus", "+ ", change.wan_line, start, new_end))
    return "".join(lines).rstrip()


def marked(kind, sign, line, start, end):
    """A line of a diff with what differs marked."""
    return (f'<span class="diff {kind}">{sign}{html.escape(line[:start])}'
            f"<mark>{html.escape(line[start:end])}</mark>{html.escape(line[end:])}</span>")
