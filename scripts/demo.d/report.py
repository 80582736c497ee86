#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Shows what the runs of the demo brought, on one screen, and writes the page.

usage: report.py [--colour] [--diffs] DIRECTORY KERNEL RUN...

DIRECTORY/RUN has what the guest script left. messages.txt and index.html go to
DIRECTORY. Exit code 1 when our own run is not what it should be.
"""

import argparse
import shutil
import sys
import textwrap

import page
import story

COLOURS = {"good": "32", "bad": "31;1", "head": "1", "dim": "2", "old": "31", "new": "32"}


class Screen:
    """Text with colours, or without."""

    def __init__(self, colour, out=sys.stdout):
        self.colour, self.out = colour, out
        self.width = max(80, min(shutil.get_terminal_size((100, 50)).columns, 100))

    def paint(self, text, *styles):
        """The text in its colours."""
        codes = ";".join(COLOURS[style] for style in styles if style)
        return f"\x1b[{codes}m{text}\x1b[0m" if self.colour and codes and text else text

    def cell(self, text, width, *styles):
        """The text, cut or filled to a width, in its colours."""
        text = text if len(text) <= width else text[:width - 1] + "~"
        return self.paint(text, *styles) + " " * (width - len(text))

    def line(self, *parts):
        """One line."""
        print("".join(parts).rstrip(), file=self.out)

    def section(self, title, *heads):
        """A heading, with those of its columns."""
        self.line()
        self.line(self.paint(title, "head"), *heads)


def show_messages(screen, runs):
    """Fields that were changed, inside against outside, messages alike together."""
    field, inside = 18, 22
    column = (screen.width - field - inside) // len(runs)
    screen.section(f"{'CHANGED BY THE GATEWAY':<{field}}  "[:field + 5].ljust(field + 5),
                   screen.cell("inside (LAN)", inside - 5, "head"),
                   *(screen.cell(f"outside: {run.name}", column, "head") for run in runs))
    for outward, names, rows in story.groups(runs):
        arrow = "phone -> provider" if outward else "provider -> phone"
        text = f"{arrow}: {names_of(names)}"
        for part in textwrap.wrap(text, screen.width - 1, subsequent_indent="  "):
            screen.line(screen.paint(part, "dim"))
        for name, lan, wans in rows:
            cells = []
            for run in runs:
                if run.name not in wans:
                    cells.append(screen.cell("(left as it was)", column, "dim"))
                elif name in story.NEEDED:
                    cells.append(screen.cell(f"+ {wans[run.name]}", column, "new"))
                else:
                    cells.append(screen.cell(f"! {wans[run.name]} (no need)", column, "bad"))
            screen.line("  ", screen.cell(name, field - 2), screen.cell(f"- {lan}", inside, "old"),
                        *cells)
    for run in runs:
        lost = run.lost()
        if lost:
            what = names_of([(pair.call(), pair.name()) for pair in lost])
            screen.line(screen.paint(f"  {run.name}: never reached the other side: {what}", "bad"))


def names_of(names):
    """call 1 INVITE, BYE; call 2 INVITE"""
    calls = {}
    for call, name in names:
        calls.setdefault(call, [])
        if name not in calls[call]:
            calls[call].append(name)
    return "; ".join(f"call {call} {', '.join(found)}" for call, found in sorted(calls.items()))


def count(screen, way, width):
    """75/75, in green or red."""
    if way is None:
        return screen.cell("-", width, "dim")
    mark = "" if way.heard() else " !"
    if way.stray():
        mark += " port!"
    return screen.cell(f"{way.arrived}/{way.sent}{mark}", width,
                       "good" if way.heard() and not way.stray() else "bad")


def show_media(screen, runs):
    """Packets that arrived, of those that were sent."""
    first = 40
    half = (screen.width - first) // len(runs) // 2
    screen.section(screen.cell("RTP OF CALL 1 (arrived/sent)", first),
                   *(screen.cell(run.name, 2 * half, "head") for run in runs))
    screen.line(" " * first, *("".join(screen.cell(text, half, "dim") for text in
                                       ("to provider", "to phone")) for run in runs))
    for phase, title in story.PHASES:
        screen.line(screen.cell(f"  {title}", first),
                    *(count(screen, run.way(phase, who), half)
                      for run in runs for who in ("phone", "far")))


def show_conntrack(screen, runs):
    """What was open, when."""
    first = 40
    column = (screen.width - first) // len(runs)
    screen.section(screen.cell("PINHOLES OF CALL 1, CONNTRACK ENTRIES", first),
                   *(screen.cell(run.name, column, "head") for run in runs))
    for look, title in story.LOOKS:
        screen.line(screen.cell(f"  {title}", first),
                    *(screen.cell(opened(run, look), column) for run in runs))
    for run in runs:
        listed = [(title, run.listed(look)) for look, title in story.LOOKS]
        if any(number is not None for _, number in listed):
            screen.line(screen.paint("  calls in /proc/net/nf_conntrack_sip_strict: " + ", ".join(
                str(number) for _, number in listed), "dim"))


def opened(run, look):
    """Ports at which the outside could still send to call 1, and entries."""
    if look not in run.looks:
        return "(it never came to that)"
    holes = " ".join(str(port) for port in run.pinholes(look)) or "none"
    return f"{holes:<13}%d RTP, %d SIP" % run.entries(look)


def show_notes(screen, runs):
    """What the caller would have noticed."""
    screen.section("WHAT THE CALLER WOULD HAVE NOTICED")
    for run in runs:
        screen.line(screen.paint(run.title, "head"))
        for good, text in run.noticed():
            lines = textwrap.wrap(text, screen.width - 6)
            screen.line("  ", screen.paint("ok  " if good else "BAD ", "good" if good else "bad"),
                        lines[0])
            for more in lines[1:]:
                screen.line("      ", more)


def write_diffs(run, out):
    """Each changed message of a run, line by line."""
    print(f"==== {run.title}: LAN side (-) against WAN side (+)", file=out)
    for pair in run.crossed():
        changes = pair.changes()
        if not changes:
            continue
        arrow = "phone -> provider" if pair.outward else "provider -> phone"
        print(f"\n{arrow}  call {pair.call()}  {pair.name()}  "
              f"Call-ID: {pair.message().header('Call-ID')}", file=out)
        for change in changes:
            print(f"- {change.lan_line}\n+ {change.wan_line}", file=out)
    print(file=out)


def problems(run):
    """What our own run must not show."""
    found = [text for good, text in run.noticed() if not good]
    found += [f"{pair.name()} of call {pair.call()} never arrived" for pair in run.lost()]
    found += [f"{pair.name()}: {change.field} was changed" for pair, change in run.needless()]
    if run.pinholes("after"):
        found.append(f"after the BYE pinholes are open: {run.pinholes('after')}")
    return found


def main():
    """Reads, shows, writes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--colour", action="store_true")
    parser.add_argument("--diffs", action="store_true")
    parser.add_argument("directory")
    parser.add_argument("kernel")
    parser.add_argument("runs", nargs="+")
    args = parser.parse_args()
    runs = [story.Run(args.directory, name) for name in args.runs]
    with open(f"{args.directory}/messages.txt", "w", encoding="utf-8") as out:
        for run in runs:
            write_diffs(run, out)
    with open(f"{args.directory}/index.html", "w", encoding="utf-8") as out:
        out.write(page.page(runs, args.kernel))
    screen = Screen(args.colour)
    if args.diffs:
        for run in runs:
            write_diffs(run, sys.stdout)
    screen.line(screen.paint("Two calls on one flow, one cancelled; then a hold longer than the UDP "
                             "timeout.", "head"))
    screen.line(f"Linux {args.kernel}, masquerade; phone 192.168.1.20, outside address "
                "198.51.100.1, provider 203.0.113.5")
    show_messages(screen, runs)
    show_media(screen, runs)
    show_conntrack(screen, runs)
    show_notes(screen, runs)
    bad = [text for run in runs if run.name == "sip-strict" for text in problems(run)]
    for text in bad:
        print(f"demo: sip-strict: {text}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
