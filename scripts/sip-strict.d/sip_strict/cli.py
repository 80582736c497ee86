# SPDX-License-Identifier: GPL-2.0-only
"""The command line."""

import argparse
import json
import os
import sys

from . import UserError, calls, explain, ladder, metrics, status, trace
from .system import System

FINE, PROBLEM, USAGE = 0, 1, 2


def _status(options):
    data = status.collect(System(options.root), options)
    show(options, data, status.text)
    return PROBLEM if data["problems"] else FINE


def _calls(options):
    system = System(options.root)
    if options.watch is None:
        show(options, calls.collect(system, options), calls.text)
        return FINE
    screen = sys.stdout.isatty() and not options.json

    def again(data):
        if screen:
            print("\x1b[H\x1b[2J", end="")
        print(json.dumps(data) if options.json else calls.text(data), flush=True)
    calls.watch(system, options, again)
    return FINE


def _follow(options):
    events, text = (("call_end",), trace.log_text) if options.verb == "log" else (
        ("message", "edit", "skip", "dialog", "expect", "call_end"), trace.event_text)
    trace.follow(System(options.root), options, events,
                 lambda event: print(json.dumps(event) if options.json else text(event), flush=True))
    return FINE


def _metrics(options):
    data = metrics.collect(System(options.root), options)
    if options.output:
        metrics.write(options.output, json.dumps(data, indent=2) if options.json else metrics.text(data))
    else:
        show(options, data, metrics.text)
    return FINE


def _explain(options):
    data = explain.collect(options)
    if options.html:
        ladder.write(options.html, data)
    show(options, data, lambda d: explain.text(d, options.brief))
    return PROBLEM if explain.problems(data) else FINE


def show(options, data, text):
    """One structure, two ways to print it."""
    print(json.dumps(data, indent=2) if options.json else text(data))


def _positive(text):
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"'{text}' is no positive number")
    return int(value) if value == int(value) else value


def parser():
    """What can be said on the command line."""
    top = argparse.ArgumentParser(prog="sip-strict", description="See what nf_conntrack_sip_strict does, and what "
                                  "it would do.", epilog="Exit code: 0, 1 where a problem was found, 2 for bad input.")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON instead of text")
    live = argparse.ArgumentParser(add_help=False, parents=[common])
    live.add_argument("--root", metavar="DIR", help="look at a copy of another machine's files")
    chosen = argparse.ArgumentParser(add_help=False, parents=[live])
    chosen.add_argument("--call-id", metavar="TEXT", help="only what has this in its Call-ID")
    chosen.add_argument("--address", metavar="ADDRESS[:PORT]", help="only what has this address")
    followed = argparse.ArgumentParser(add_help=False, parents=[chosen])
    followed.add_argument("--count", "-n", type=_positive, metavar="N", help="end after so many")
    followed.add_argument("--seconds", type=_positive, metavar="S", help="end after so many seconds")
    followed.add_argument("--all-namespaces", action="store_true", help="not only this network namespace")

    one = verbs.add_parser("status", parents=[live], help="is it loaded, assigned, and set up as it should be; each "
                           "problem with the command that mends it")
    one.set_defaults(run=_status)

    one = verbs.add_parser("calls", parents=[chosen], help="live calls, registrations, media with packet counters, and "
                           "who is heard")
    one.add_argument("--watch", "-w", nargs="?", type=_positive, const=2, metavar="S", help="again every S seconds "
                     "(2), until Ctrl-C; with --json one object a line")
    one.set_defaults(run=_calls)

    one = verbs.add_parser("trace", parents=[followed], help="messages and edits as they happen, until Ctrl-C; with "
                           "--json one object a line")
    one.set_defaults(run=_follow)

    one = verbs.add_parser("log", parents=[followed], help="one line for each call that ends, until Ctrl-C")
    one.set_defaults(run=_follow)

    one = verbs.add_parser("metrics", parents=[live], help="counters and gauges as OpenMetrics text")
    one.add_argument("--output", "-o", metavar="FILE", help="write a file, at once as a whole (for the textfile "
                     "collector of node_exporter)")
    one.set_defaults(run=_metrics)

    one = verbs.add_parser("explain", parents=[common], help="what the module would change in a capture, or what "
                           "another gateway changed wrongly")
    one.add_argument("capture", nargs="?", metavar="FILE.pcap", help="a capture of the inside")
    one.add_argument("--lan", metavar="A.pcap", help="a capture of the inside of a gateway")
    one.add_argument("--wan", metavar="B.pcap", help="and of its outside at the same time")
    one.add_argument("--html", metavar="OUT", help="write the call as a ladder, too")
    one.add_argument("--call-id", metavar="TEXT", help="only messages that have this in their Call-ID")
    one.add_argument("--inside", metavar="NETWORK[,...]", help="what is inside (default: private addresses, or those "
                     "that only the LAN capture has)")
    one.add_argument("--outside", metavar="ADDRESS", help=f"outside address of the gateway, for one capture (default "
                     f"{explain.OUTSIDE4})")
    one.add_argument("--outside6", metavar="ADDRESS", help="the same for NAT66 (default: IPv6 is not translated)")
    one.add_argument("--media-host", action="store_true", help="as the sysctl media_host=1")
    one.add_argument("--brief", action="store_true", help="without what is kept; of two captures the summary only")
    one.set_defaults(run=_explain)
    return top


def main():
    """Runs a verb; gives the exit code."""
    options = parser().parse_args()
    try:
        return options.run(options)
    except UserError as err:
        print(f"sip-strict: {err}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FINE
