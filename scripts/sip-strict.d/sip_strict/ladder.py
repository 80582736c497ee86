# SPDX-License-Identifier: GPL-2.0-only
"""The ladder of explain --html: one file, nothing fetched, no script."""

import html
import os

from . import UserError
from .explain import VERDICTS, WRONG, split
from .message import differing

TEMPLATE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "ladder.html")


def write(path, data):
    """Writes the page."""
    try:
        with open(path, "w", encoding="utf-8") as handle:
            handle.write(page(data))
    except OSError as err:
        raise UserError(f"{path}: {err.strerror}") from None


def page(data):
    """The whole page."""
    with open(TEMPLATE, encoding="utf-8") as handle:
        text = handle.read()
    plan = data["mode"] == "plan"
    shown = [one for one in data["messages"] if one["direction"] in ("in", "out")]
    start = shown[0]["time"] if shown else 0
    parts = {
        "TITLE": "What the module would change" if plan else "What the gateway changed",
        "INTRO": html.escape(", ".join(os.path.basename(path) for path in data["files"].values())) +
                 f": {len(shown)} SIP messages.",
        "SUMMARY": _summary(data), "BLUE": "a field that the module would change" if plan else "changed rightly",
        "INSIDE": _names(shown, True), "OUTSIDE": _names(shown, False),
        "GATEWAY": html.escape(str(data["outside"]["ip4"])) if plan else _gateway(shown),
        "ROWS": "\n".join(_row(one, start, plan) for one in shown) or "<p>No message passes the gateway.</p>",
    }
    for name, value in parts.items():
        text = text.replace(f"@{name}@", value)
    return text


def _names(shown, inside):
    ends = [one["inside" if inside else "outside"] for one in shown]
    hosts = {split(end)[0] for end in ends if end}
    return html.escape(", ".join(sorted(hosts)[:3]) + (", ..." if len(hosts) > 3 else ""))


def _gateway(shown):
    hosts = {split(one["seen"])[0] for one in shown if one["seen"]}
    return html.escape(", ".join(sorted(hosts)[:2]))


def _summary(data):
    items, said = [], set()
    for one in data["summary"]:
        arrow = "stays, should be" if one["verdict"] == "missed" else "&rarr;"
        why = f" <span class=dim>{html.escape(one['why'])} (RFC {html.escape(one['rfc'])})</span>" \
            if one["verdict"] in WRONG and one["why"] not in said else ""
        said.add(one["why"])
        items.append(f'<li>{one["count"]} &times; {VERDICTS[one["verdict"]]}: <span class="chip {one["verdict"]}">'
                     f"<b>{html.escape(one['label'])}</b> {_value(one['old'])} {arrow} {_value(one['new'])}</span>"
                     f"{why}</li>")
    for one in data["media"]:
        items += [f'<li><span class="chip wrong"><b>media {html.escape(one["kind"])}</b> '
                  f"{html.escape(one['inside'])}: {html.escape(fault)}</span></li>" for fault in one["faults"]]
    return "".join(items) or "<li>nothing</li>"


def _value(text):
    return html.escape(text.strip("\r\n")) or "&empty;"


def _row(one, start, plan):
    kinds = ["out" if one["direction"] == "out" else "in"] * 2
    far = 1 if one["direction"] == "out" else 0
    if plan:
        kinds[far if one["direction"] == "out" else 1] += " would"
    lost = not plan and not one["arrived"]
    halves = []
    for i, kind in enumerate(kinds):
        gone = lost and i == far
        halves.append(f'<div class="half {"none" if gone else kind}">{"not seen" if gone else ""}</div>')
    chips = "".join(
        f'<span class="chip {change["verdict"]}"><b>{html.escape(change["label"])}</b> {_value(change["old"])} '
        f"{'should be' if change['verdict'] == 'missed' else '&rarr;'} {_value(change['new'])}</span>"
        for change in one["changes"])
    return (f'<div class="row"><time>{one["time"] - start:.3f} s</time><div class="lanes"><details><summary>'
            f'<div class="label"><span>{html.escape(one["title"])} <span class="dim">{html.escape(one["call_id"][:32])}'
            f'</span></span></div><div class="arrows"><div></div>{"".join(halves)}<div></div></div>'
            f'<div class="chips">{chips}</div></summary><pre>{_text(one)}</pre></details></div></div>')


def _text(one):
    """The message, with both forms of each line that differs, and why."""
    changes = {}
    for change in one["changes"]:
        changes.setdefault(change["line_old"], []).append(change)
    out = []
    for line in one["text"].replace("\r\n", "\n").rstrip("\n").split("\n"):
        found = changes.get(line)
        if not found:
            out.append(html.escape(line) + "\n")
            continue
        change = found.pop(0)
        start, old_end, new_end = differing(change["line_old"], change["line_new"])
        out.append(_marked("minus", "- ", change["line_old"], start, old_end))
        out.append(_marked("plus " + change["verdict"], "+ ", change["line_new"], start, new_end))
        if change["verdict"] in WRONG:
            out.append(f'<span class="why">{html.escape(change["why"])} (RFC {html.escape(change["rfc"])})</span>')
    for change in changes.get("", []):
        out.append(_marked("plus wrong", "+ ", change["line_new"], 0, len(change["line_new"])))
    return "".join(out).rstrip()


def _marked(kind, sign, line, start, end):
    return (f'<span class="{kind}">{sign}{html.escape(line[:start])}<mark>{html.escape(line[start:end])}</mark>'
            f"{html.escape(line[end:])}</span>")
