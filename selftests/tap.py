# SPDX-License-Identifier: GPL-2.0-only
"""Runs the cases of a test program, each in a child, and prints TAP 13."""

import os
import select
import signal
import sys
import time
import traceback

import testnet

OK, FAIL, SKIP = 0, 1, 4


class Failed(Exception):
    """What should have held did not."""


def need(condition, text):
    """Fails with a text."""
    if not condition:
        raise Failed(text)


class Case:
    """One case: a function that raises where something is wrong."""

    def __init__(self, name, function, *args, alone=False, limit=120):
        self.name, self.function, self.args = name, function, args
        self.alone, self.limit = alone, limit * testnet.SLOW
        self.pid = self.pipe = self.result = None
        self.output, self.began = b"", 0.0

    def start(self):
        """Runs it in a child, which says through a pipe what is wrong."""
        self.pipe, write = os.pipe()
        sys.stdout.flush()
        testnet.KernelLog.announce(self.name)
        self.began = time.monotonic()
        self.pid = os.fork()
        if self.pid:
            os.close(write)
            return
        os.close(self.pipe)
        os.dup2(write, 1)
        os.dup2(write, 2)
        code = FAIL
        try:
            testnet.give_up_after(self.limit)
            self.function(*self.args)
            code = OK
        except testnet.Unsupported as err:
            print(err)
            code = SKIP
        except Failed as err:
            print(err)
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
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.result = code if code in (OK, SKIP) else FAIL
        return True

    def overdue(self):
        """Ends a child that does not even give up."""
        if time.monotonic() - self.began > self.limit + testnet.GIVE_UP:
            self.output += f"not done in {self.limit + testnet.GIVE_UP} s\n".encode()
            os.kill(self.pid, signal.SIGKILL)


def _report(number, case, counts):
    text = case.output.decode("utf-8", "replace").strip()
    result = case.result
    if result == SKIP and os.environ.get("SIP_STRICT_NO_SKIP") == "1":
        result = FAIL
    counts[result] += 1
    print(f"{'not ok' if result == FAIL else 'ok'} {number} {case.name}"
          + (f" # SKIP {text}" if result == SKIP else ""))
    if text and result != SKIP:
        print("# " + text.replace("\n", "\n# "))
    sys.stdout.flush()


def run(cases, jobs=1):
    """Runs the cases, some at once, and prints them in their order; the exit code."""
    counts, shown, running, waiting = {OK: 0, FAIL: 0, SKIP: 0}, 0, [], list(cases)
    log = testnet.KernelLog()
    print(f"TAP version 13\n1..{len(cases)}", flush=True)
    while waiting or running:
        while waiting and len(running) < jobs and not any(c.alone for c in running) and \
                not (waiting[0].alone and running):
            running.append(waiting.pop(0))
            running[-1].start()
        ready, _, _ = select.select([c.pipe for c in running], [], [], 1)
        ended = [c for c in running if c.pipe in ready and c.read()]
        for case in running:
            if case not in ended:
                case.overdue()
        trouble = log.trouble() if ended else []
        for case in ended if trouble else []:
            case.result = FAIL
            case.output += ("\nthe kernel complained:\n" + "\n".join(trouble)).encode()
        running = [c for c in running if c not in ended]
        while shown < len(cases) and cases[shown].result is not None:
            shown += 1
            _report(shown, cases[shown - 1], counts)
    print(f"# {counts[OK]} passed, {counts[FAIL]} failed, {counts[SKIP]} skipped")
    if counts[FAIL]:
        return FAIL
    return OK if counts[OK] else SKIP


def main(cases, tools, jobs=1):
    """The cases that the arguments name, by words of their names, or all."""
    words = sys.argv[1:]
    wanted = [c for c in cases if not words or any(word in c.name for word in words)]
    try:
        testnet.require(*tools)
        testnet.load_helper(os.environ.get("HELPER", "sip-strict"))
    except testnet.Unsupported as err:
        print(f"TAP version 13\n1..0 # SKIP {err}")
        return FAIL if os.environ.get("SIP_STRICT_NO_SKIP") == "1" else SKIP
    if not wanted:
        testnet.die("no case has such a name: " + ", ".join(c.name for c in cases))
    return run(wanted, jobs)
