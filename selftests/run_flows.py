#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs flows/*.flow, each in network namespaces of its own, and prints TAP 13.

usage: run_flows.py [-t udp|tcp|all] [-6] [-p N] [-j N] [-k] [-v] [-l] [FLOW…]

    FLOW   a file, the name of a flow, or 'NAME:key=value' for some of its runs;
           'tcp/NAME' is the flow over TCP
    -t T   the transport of the messages (default all)
    -6     over IPv6, also what names no family
    -p N   over TCP each message leaves in segments of N bytes
    -j N   so many at once (default 12; most of a flow's time is waiting)
    -k     go on after a failure and name all of them
    -v     print each step and command also where all is well
    -l     list the flows
    -o FILE  what went wrong in each run, in a word each, as JSON; -k and no TAP

environment: HELPER=sip-strict|sip|none (default sip-strict), or stand-in: ours, loaded with
helper_name=sip, and rules that name 'sip'; ASSIGN=nft|iptables|auto;
RULES=COMMAND makes filter, NAT and assignment of the gateway, in its namespace, IPv4;
SIP_STRICT_MODULE=FILE, SIP_STRICT_NO_SKIP=1 (a skip is a failure),
KSFT_MACHINE_SLOW=N (limits N + 1 times as long), JOBS=N (as -j). Exit code: 0, 1, or 4
where all was skipped.
"""

import argparse
import glob
import json
import os
import select
import signal
import subprocess
import sys
import time
import traceback

import flowfile
import flowrun
import testnet

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 150 * testnet.SLOW      # seconds that one run may take
ATTEMPTS = 3            # of a run that failed where the machine stood still
OK, FAIL, SKIP = 0, 1, 4


class Case:
    """One run of one flow: a process, its output, its result."""

    def __init__(self, flow, params, helper, transport="udp"):
        self.flow, self.params, self.helper, self.transport = flow, params, helper, transport
        self.name = " ".join([("tcp/" if transport == "tcp" else "") + flow.name]
                             + [f"{k}={v}" for k, v in params.items()])
        self.alone = "alone" in flow.head
        self.pid = self.pipe = self.result = None
        self.output, self.started = b"", 0.0

    def start(self, options):
        """Runs the case in a child."""
        self.pipe, write = os.pipe()
        sys.stdout.flush()
        testnet.KernelLog.announce(self.name)
        self.started = time.monotonic()
        self.pid = os.fork()
        if self.pid:
            os.close(write)
            return
        os.close(self.pipe)
        os.dup2(write, 1)
        os.dup2(write, 2)
        code = FAIL
        try:
            testnet.give_up_after(LIMIT)
            code = run_case(self, options)
        except BaseException:   # pylint: disable=broad-except
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)

    def read(self):
        """Takes output; true when the child has ended."""
        data = os.read(self.pipe, 65536)
        self.output += data
        if data:
            return False
        os.close(self.pipe)
        status = os.waitpid(self.pid, 0)[1]
        code = os.waitstatus_to_exitcode(status)
        self.result = code if code in (OK, FAIL, SKIP) else FAIL
        return True

    def kinds(self):
        """The kinds of its failures, where it ran for findings."""
        words = self.output.decode("utf-8", "replace").split("\n")[0].split()
        return words if self.result == FAIL and words else ["broken"] * (self.result == FAIL)

    def overdue(self):
        """Ends a child that does not even give up."""
        if time.monotonic() - self.started > LIMIT + testnet.GIVE_UP:
            self.output += f"not done in {LIMIT + testnet.GIVE_UP} s\n".encode()
            os.kill(self.pid, signal.SIGKILL)


def attempt(case, options, story):
    """Runs one case once; its failures, the dump, and whether they may be the machine's."""
    flow, params, helper = case.flow, case.params, case.helper
    head = {**flow.head, **params}
    net = testnet.Net(helper, os.environ.get("ASSIGN", head.get("assign", "nft")),
                      head.get("nat", "masquerade"), head.get("forward"),
                      int(head.get("helper-port", 5060)), head.get("topology", ""),
                      head.get("observe") if helper == "sip-strict" else None,
                      int(head["udp-timeout"]) if "udp-timeout" in head else None,
                      head.get("filter") != "none", story.append, head.get("family", "4"))
    try:
        net.setup()
        run = flowrun.FlowRun(flow, params, net, story.append, case.transport, options.piece)
        failures = run.run(options.keep_going)
        dump = net.dump() if failures and not options.keep_going else ""
        return failures, dump, run.stood_still()
    except flowfile.FlowError as err:
        return [("flow", f"the flow file is wrong: {err}")], "", False
    finally:
        net.close()


def run_case(case, options):
    """Runs one case; its output says what was done, its result is a code."""
    for left in reversed(range(ATTEMPTS)):
        story = []
        try:
            failures, dump, stood_still = attempt(case, options, story)
        except testnet.Unsupported as err:
            print(err)
            return SKIP
        except (OSError, RuntimeError, subprocess.SubprocessError):
            # Findings need a run that can be judged. As a test it has failed.
            if not (options.out and left):
                raise
            continue
        if not (failures and stood_still and left):
            break
        if not options.out:
            print(f"the machine stood still, for longer than the flow's UDP timeout bears; "
                  f"once more, after: {failures[0][1]}")
    if options.out:
        print(" ".join(dict.fromkeys(kind for kind, _ in failures)))
        return FAIL if failures else OK
    for _, failure in failures:
        print(failure)
    if options.verbose or (failures and not options.keep_going):
        print("the story so far:")
        print("\n".join("  " + line for line in "\n".join(story).split("\n")))
        print(dump)
    return FAIL if failures else OK


def transports_of(flow, asked):
    """Those of the transports asked for that the flow is made for."""
    return [x for x in ("udp", "tcp") if asked in (x, "all")
            and x in flow.head.get("transports", "udp tcp").split()]


def runs_of(flow, six):
    """The runs of a flow; with six as many as can be, all over IPv6."""
    if not six:
        return flow.runs
    if "family" in flow.head:
        return flow.runs if flow.head["family"] == "6" else []
    return [{**run, "family": "6"} for run in flow.runs if run.get("family", "6") == "6"]


def select_cases(wanted, helper, transport, six=False):
    """The cases that the arguments name."""
    cases = []
    for word in wanted or sorted(glob.glob(os.path.join(HERE, "flows", "*.flow"))):
        name, *only = word.split(":")
        asked = transport
        if name.startswith("tcp/"):
            name, asked = name.removeprefix("tcp/"), "tcp"
        path = name if os.path.exists(name) else os.path.join(HERE, "flows", name + ".flow")
        if not os.path.exists(path):
            testnet.die(f"no flow '{name}': see run_flows.py -l")
        try:
            flow = flowfile.load(path)
        except flowfile.FlowError as err:
            testnet.die(str(err))
        cases += [Case(flow, run, helper, over) for over in transports_of(flow, asked)
                  for run in runs_of(flow, six)
                  if all(item in [f"{k}={v}" for k, v in run.items()] for item in only)]
    return cases


class Report:
    """Counts, and prints in the order of the list."""

    def __init__(self, cases):
        self.cases, self.shown = cases, 0
        self.counts = {OK: 0, FAIL: 0, SKIP: 0}
        print("TAP version 13")
        print(f"1..{len(cases)}", flush=True)

    def flush(self):
        """Prints what has ended, as far as all before it has."""
        while self.shown < len(self.cases) and self.cases[self.shown].result is not None:
            case = self.cases[self.shown]
            self.shown += 1
            result = case.result
            reason = case.output.decode("utf-8", "replace").strip()
            if result == SKIP and os.environ.get("SIP_STRICT_NO_SKIP") == "1":
                result = FAIL
            self.counts[result] += 1
            word = "not ok" if result == FAIL else "ok"
            tail = f" # SKIP {reason}" if result == SKIP else ""
            print(f"{word} {self.shown} {case.name}{tail}")
            if reason and result != SKIP:
                print("\n".join("# " + line for line in reason.split("\n")))
            sys.stdout.flush()

    def code(self):
        """The exit code, from the counts."""
        print(f"# {self.counts[OK]} passed, {self.counts[FAIL]} failed, "
              f"{self.counts[SKIP]} skipped")
        if self.counts[FAIL]:
            return FAIL
        return OK if self.counts[OK] else SKIP


class Findings:
    """What went wrong in each case, written to a file when all have ended."""

    def __init__(self, cases, path):
        self.cases, self.path = cases, path

    def flush(self):
        """Writes once the last has ended."""
        if any(case.result is None for case in self.cases):
            return
        rows = [{"flow": c.flow.name, "title": c.flow.head["title"], "run": c.name,
                 "skipped": c.result == SKIP, "kinds": c.kinds()} for c in self.cases]
        with open(self.path, "w", encoding="utf-8") as out:
            json.dump(rows, out, indent=1)

    @staticmethod
    def code():
        """Findings are no verdict."""
        return OK


def run_all(cases, options):
    """Runs the cases, some at once; watches the kernel's log meanwhile."""
    report = Findings(cases, options.out) if options.out else Report(cases)
    log = testnet.KernelLog()
    # The first alone: with it the kernel loads what all of them need.
    waiting, running, jobs = list(cases), [], 1
    while waiting or running:
        while waiting and len(running) < jobs and not any(c.alone for c in running) and \
                not (waiting[0].alone and running):
            running.append(waiting.pop(0))
            running[-1].start(options)
        ready, _, _ = select.select([c.pipe for c in running], [], [], 1)
        ended = [c for c in running if c.pipe in ready and c.read()]
        for case in running:
            if case not in ended:
                case.overdue()
        if not ended:
            continue
        jobs = options.jobs
        trouble = log.trouble()
        if trouble:
            names = ", ".join(c.name for c in running)
            for case in ended:
                case.result = FAIL
                case.output += ("\nthe kernel complained while " + names + " ran:\n"
                                + "\n".join("  " + x for x in trouble) + "\n").encode()
            options.jobs = jobs = 1     # so that the next complaint names one
        running = [c for c in running if c not in ended]
        report.flush()
    return report.code()


def main():
    """Reads the arguments and runs what they name."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("-t", dest="transport", choices=("udp", "tcp", "all"), default="all")
    parser.add_argument("-6", dest="six", action="store_true")
    parser.add_argument("-p", dest="piece", type=int, default=0)
    parser.add_argument("-j", dest="jobs", type=int, default=int(os.environ.get("JOBS", "12")))
    parser.add_argument("-k", dest="keep_going", action="store_true")
    parser.add_argument("-v", dest="verbose", action="store_true")
    parser.add_argument("-l", dest="list", action="store_true")
    parser.add_argument("-o", dest="out")
    parser.add_argument("flows", nargs="*")
    options = parser.parse_args()
    options.keep_going |= bool(options.out)
    helper = os.environ.get("HELPER", "sip-strict")
    cases = select_cases(options.flows, helper, options.transport, options.six)
    if options.list:
        for flow in {id(c.flow): c.flow for c in cases}.values():
            print(f"{flow.name:<26} {flow.head['title']}")
        return OK
    try:
        testnet.require("ip", "nft", "conntrack")
        testnet.load_helper(helper)
    except testnet.Unsupported as err:
        print(f"TAP version 13\n1..0 # SKIP {err}")
        return FAIL if os.environ.get("SIP_STRICT_NO_SKIP") == "1" else SKIP
    return run_all(cases, options)


if __name__ == "__main__":
    sys.exit(main())
