#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The same calls without a helper, with the in-tree one, and with ours.

usage: compare.py run DIR             all calls with $HELPER, on this machine, into DIR
       compare.py table DIR [-w TOP]  what was found in DIR/none, DIR/sip, DIR/sip-open
                                      and DIR/sip-strict, as a table; -w: also into
                                      TOP/docs/compare.md and TOP/README.md

What is judged is the call: whether each message arrives, and audio both ways.
Where it works, but bytes changed that should not, ports are not those of the SDP,
or something stays open, the table says so behind 'works'.

The in-tree helper runs twice: with its defaults, and ('sip-open') with
sip_direct_media=0 sip_direct_signalling=0, which admit media and calls from others
than the proxy. The table has the better outcome of the two.

environment: HELPER=none|sip|sip-open|sip-strict, SIP_STRICT_MODULE=FILE
"""

import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
RUNS = ("none", "sip", "sip-open", "sip-strict")
# Others than the flows: program, arguments, environment
PROGRAMS = {"trunk": (["trunk.py", "500"], {"BYTES": "0"}), "sipp": (["sipp.sh"], {}),
            "phones": (["phones.py", "udp"], {})}
SYMPTOMS = (
    ("calls drop after a set time", "long-call mute-both lost-ack phones/hold-in-by-called"),
    ("calls drop, or stay silent, when retrieved from hold",
     "hold-direction hold-zero hold-from-outside reinvite-fails phones/hold-out-by-caller"),
    ("calls drop on transfer", "transfer-blind transfer-attended replaces-pickup "
     "same-rtp-port-two-calls phones/transfer-inwards phones/transfer-inside"),
    ("calls are not received", "inbound-registered register-many register-port-differs "
     "register-no-rport two-registrars-one-socket phones/call-in"),
    ("no outbound calls", "outbound-basic auth-challenge serial-failover odd-forms "
     "phones/call-out"),
    ("no audio, or one way only", "early-media port-clash many-media far-end-nat fork-parallel "
     "183-then-other-200 inside-answers-late trunk-500 phones/eight-at-once"),
    ("other extensions keep ringing", "ring-group cancel-in"),
    ("an incoming call cuts the one being dialled", "incoming-cuts-dialling two-calls-one-flow"),
)
LOSES = {"lost": "a message is lost", "audio": "no audio", "cut": "does not come to its end"}
ODD = {"bytes": "other bytes", "port": "other ports", "source": "other source",
       "open": "lets in", "left": "something left", "missing": "something missing",
       "expect": "pinholes", "extra": "more messages", "counter": "counters"}
BEGIN, END = "<!-- symptoms: written by make compare -->", "<!-- end of symptoms -->"


# ---- running ---------------------------------------------------------------------


def load(helper):
    """Loads the in-tree helper as the run wants it."""
    direct = int(helper != "sip-open")
    subprocess.run(["modprobe", "nf_conntrack_sip", f"sip_direct_media={direct}",
                    f"sip_direct_signalling={direct}"], check=True)
    subprocess.run(["modprobe", "nf_nat_sip"], check=True)


def run(folder):
    """Everything with one helper."""
    helper = os.environ.get("HELPER", "sip-strict")
    if helper not in RUNS:
        sys.exit(f"compare.py: HELPER is one of {', '.join(RUNS)}")
    if helper.startswith("sip") and helper != "sip-strict":
        load(helper)
    env = dict(os.environ, HELPER="sip" if helper == "sip-open" else helper)
    subprocess.run([os.path.join(HERE, "run_flows.py"), "-t", "udp", "-o", os.path.join(folder, "flows.json")],
                   env=env, check=True)
    for name, (argv, more) in PROGRAMS.items():
        with open(os.path.join(folder, name + ".tap"), "wb") as out:
            subprocess.run([os.path.join(HERE, argv[0]), *argv[1:]], env=env | more, stdout=out,
                           stderr=subprocess.STDOUT, check=False)
    with open(os.path.join(folder, "kernel"), "w", encoding="ascii") as out:
        out.write(os.uname().release + "\n")


# ---- reading ---------------------------------------------------------------------


def outcome(runs):
    """In words, what came of the runs of one scenario: (rank, text); rank 0 is all right."""
    judged = [r for r in runs if not r["skipped"]]
    if not judged:
        return 3, "-"
    kinds = list(dict.fromkeys(kind for r in judged for kind in r["kinds"]))
    lost = [k for k in kinds if k not in ODD]
    bad = sum(1 for r in judged if set(r["kinds"]) - set(ODD))
    if lost:
        share = f" ({bad} of {len(judged)} runs)" if bad < len(judged) else ""
        return 2, "**fails**: " + ", ".join(LOSES.get(k, k) for k in lost) + share
    if kinds:
        return 1, "works; " + ", ".join(ODD[k] for k in kinds)
    return 0, "ok"


def read_flows(folder):
    """flow -> (title, outcome)"""
    with open(os.path.join(folder, "flows.json"), encoding="utf-8") as handle:
        rows = json.load(handle)
    # Not a finding: the run itself went wrong.
    broken = [f"{row['run']} was not judged: {' '.join(row['kinds'])}" for row in rows
              if set(row["kinds"]) - set(LOSES) - set(ODD)]
    if broken:
        sys.exit("\n".join(f"compare.py: {os.path.basename(folder)}: {text}" for text in broken))
    flows = {}
    for row in rows:
        flows.setdefault(row["flow"], []).append(row)
    return {name: (rows[0]["title"], outcome(rows)) for name, rows in flows.items()}


def read_programs(folder):
    """Cases of the other programs: name -> (title, outcome)"""
    out = {}
    for program in PROGRAMS:
        with open(os.path.join(folder, program + ".tap"), encoding="utf-8") as handle:
            for match in re.finditer(r"^(not )?ok \d+ (\S+)$", handle.read(), re.M):
                name = match[2] if match[2].startswith(program) else f"{program}/{match[2]}"
                out[name] = "", (2, "**fails**") if match[1] else (0, "ok")
    return out


def read(top):
    """name -> {run: outcome}, and titles"""
    found, titles = {}, {}
    for name in RUNS:
        folder = os.path.join(top, name)
        for row, (title, result) in {**read_flows(folder), **read_programs(folder)}.items():
            found.setdefault(row, {})[name] = result
            titles[row] = title or titles.get(row, "")
    for row in found.values():
        for name in RUNS:
            row.setdefault(name, (2, "**fails**: not reached"))
        row["in-tree"] = min(row["sip"], row["sip-open"])
    return found, titles


# ---- writing ---------------------------------------------------------------------


def link(name, up):
    """A scenario as a link to what makes it."""
    if name.startswith("phones/"):
        return f"[{name}]({up}selftests/phones.py)"
    if name.startswith(("trunk", "sipp")):
        return f"[{name}]({up}selftests/{'trunk.py' if name[0] == 't' else 'sipp.sh'})"
    return f"[{name}]({up}selftests/flows/{name}.flow)"


def summary(found):
    """How many of the scenarios each passes."""
    rows = list(found.values())
    everybody = sum(1 for r in rows if all(r[c][0] <= 1 for c in ("none", "in-tree",
                                                                  "sip-strict")))
    only = sum(1 for r in rows if r["sip-strict"][0] == 0 and r["in-tree"][0] >= 2
               and r["none"][0] >= 2)
    words = [f"{len(rows)} scenarios."]
    for title, column in (("Without a helper", "none"), ("with the in-tree one", "in-tree"),
                          ("with ours", "sip-strict")):
        words.append(f"{title} the call works in {sum(1 for r in rows if r[column][0] <= 1)}, "
                     f"all is as it must be in {sum(1 for r in rows if r[column][0] == 0)};")
    return " ".join(words)[:-1] + f". It works with all three in {everybody}, " \
        f"with ours alone in {only}."


def page(found, titles, kernel):
    """docs/compare.md"""
    lines = ["# The same calls three times", "",
             f"Written by `make compare` on kernel {kernel}. {summary(found)}", "",
             "*ok*: every message arrives byte for byte as it must, audio both ways from and to",
             "the ports that the SDP says, everything closed in the end. *works*: messages and",
             "audio arrive, with what is not as it must be behind it. The far side answers",
             "messages to where they come from, and sends audio to where the SDP says; so",
             "without a helper a phone can register and ring, and is heard by a far side that",
             "sends to where audio comes from, which is not tested here. Of the in-tree helper",
             "the better outcome of two set-ups is shown: its defaults, and",
             "`sip_direct_media=0 sip_direct_signalling=0`.", "",
             "| scenario | no helper | in-tree | ours |", "|---|---|---|---|"]
    for name, row in found.items():
        title = f"<br>{titles[name]}" if titles[name] else ""
        lines.append(f"| {link(name, '../')}{title} | {row['none'][1]} | {row['in-tree'][1]} | "
                     f"{row['sip-strict'][1]} |")
    return "\n".join(lines) + "\n"


def symptoms(found):
    """The list in the README."""
    lines = [BEGIN, "| symptom | shown gone by | in-tree helper | ours |", "|---|---|---|---|"]
    for symptom, names in SYMPTOMS:
        for name in names.split():
            if name not in found:
                sys.exit(f"compare.py: no scenario '{name}' for '{symptom}'")
            row = found[name]
            lines.append(f"| {symptom} | {link(name, '')} | {row['in-tree'][1]} | "
                         f"{row['sip-strict'][1]} |")
            symptom = ""
    return "\n".join(lines + [END])


def write(top, found, titles, kernel):
    """The page, and the list in the README between its marks."""
    with open(os.path.join(top, "docs", "compare.md"), "w", encoding="utf-8") as out:
        out.write(page(found, titles, kernel))
    path = os.path.join(top, "README.md")
    with open(path, encoding="utf-8") as handle:
        text = handle.read()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"compare.py: {path} has no place for the symptoms")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    with open(path, "w", encoding="utf-8") as out:
        out.write(before + symptoms(found) + after)


def table(folder, top):
    """Prints the table; the exit code says whether ours passes all."""
    found, titles = read(folder)
    with open(os.path.join(folder, "sip-strict", "kernel"), encoding="ascii") as handle:
        kernel = handle.read().strip()
    plain = [[row[c][1].replace("*", "") for c in ("none", "in-tree", "sip-strict")]
             for row in found.values()]
    widths = [max(map(len, column)) for column in zip(*plain)]
    print(f"{'':<32} {'no helper':<{widths[0]}}  {'in-tree':<{widths[1]}}  ours")
    for name, cells in zip(found, plain):
        print(f"{name:<32} {cells[0]:<{widths[0]}}  {cells[1]:<{widths[1]}}  {cells[2]}")
    print("\n" + summary(found))
    if top:
        write(top, found, titles, kernel)
    failed = [name for name, row in found.items() if row["sip-strict"][0]]
    if failed:
        print("ours does not pass: " + ", ".join(failed))
    return 1 if failed else 0


def main():
    """Runs, or shows."""
    words = sys.argv[1:]
    if len(words) == 2 and words[0] == "run":
        return run(words[1])
    if len(words) in (2, 4) and words[0] == "table" and words[2:3] in ([], ["-w"]):
        return table(words[1], words[3] if words[3:] else None)
    sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(main())
