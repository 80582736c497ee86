#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""scripts/sip-strict on a gateway: broken set-ups, one-way calls, other gateways' rewrites.

usage: tool.py [CASE…]

A set-up that is right has no problem; each of the broken ones gets its fault
named, in text and in JSON alike, with a command that mends it, and the command is
run: then the fault is gone. Calls with blocked media show as one-way with their
reason in calls, log and metrics. What the in-tree helper does to a call is
captured on both sides, and explain names what it should have left alone.
"""

import glob
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import flowfile
import flowrun
import testnet

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.environ.get("SIP_STRICT_TOOL", os.path.join(HERE, "..", "scripts", "sip-strict"))
LIMIT = 20 * testnet.SLOW


class Failed(Exception):
    """What should have held did not."""


def tool(net, *words, side="gw", codes=(0, 1)):
    """Runs the tool in a namespace: its output."""
    net.enter(side)
    try:
        done = subprocess.run([sys.executable, TOOL, *words], capture_output=True, text=True, timeout=60 * testnet.SLOW, check=False)
    finally:
        net.enter(None)
    if done.returncode not in codes or "Traceback" in done.stderr:
        raise Failed(f"sip-strict {' '.join(words)}: exit code {done.returncode}: {done.stderr.strip()[-600:]}")
    return done.stdout


def as_json(net, *words):
    """The same as data."""
    return json.loads(tool(net, *words, "--json"))


def need(condition, text):
    """Fails with a text."""
    if not condition:
        raise Failed(text)


def until(read, what):
    """What is read when it is true at last."""
    end = time.monotonic() + LIMIT
    while True:
        found = read()
        if found:
            return found
        need(time.monotonic() < end, f"{what}: not within {LIMIT} s")
        time.sleep(0.1)


def play(net, text, run=None):
    """Some steps of a flow; the same run goes on with more."""
    with tempfile.NamedTemporaryFile("w", suffix=".flow", dir="/tmp") as handle:
        handle.write("# SPDX-License-Identifier: GPL-2.0-only\ntitle: steps of tool.py\nrfc: 3261\n"
                     f"include {HERE}/flows/calls.inc\n{text}")
        handle.flush()
        flow = flowfile.load(handle.name)
    if run:
        run.flow = flow
    else:
        run = flowrun.FlowRun(flow, {}, net, lambda text: None)
    failures = run.run()
    need(not failures, "\n".join(f"{kind}: {text}" for kind, text in failures))
    return run


def network(**options):
    """A network, ready."""
    net = testnet.Net(**options).setup()
    if testnet.SLOW > 1:
        net.timeouts(120 * testnet.SLOW)    # entries outlive the commands that look for them
    return net


OPTIONS = """
phone -> proxy
    OPTIONS sip:203.0.113.5 SIP/2.0
    Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bK-1;rport
    Max-Forwards: 70
    From: <sip:alice@203.0.113.5>;tag=a
    To: <sip:203.0.113.5>
    Call-ID: c
    CSeq: 1 OPTIONS
    Content-Length: 0
  unchanged
"""

MAPPED = OPTIONS.replace("  unchanged\n", "  changed\n    Via.sent-by  192.168.1.20:5060 -> 198.51.100.1:$SIP\n")


# ---- status ------------------------------------------------------------------

def status(net, kind, mends=True):
    """The problem is named, alone, in both forms; its command mends it."""
    data = as_json(net, "status")
    found = [one for one in data["problems"] if one["id"] == kind]
    need(found, f"status does not name {kind}: {[one['id'] for one in data['problems']]}")
    need(len(found) == len(data["problems"]), f"status names more than {kind}: {data['problems']}")
    text = tool(net, "status", codes=(1,))
    for one in found:
        need(f"problem: {one['text']} [{kind}]" in text, f"text and JSON differ: {one['text']!r} is not in\n{text}")
        need(one["mend"] or one["hint"], f"nothing is said to mend {kind}")
        for key in ("mend", "hint"):
            need(not one[key] or f"{key}: {one[key]}" in text, f"text and JSON differ: no {one[key]!r}")
    if mends:
        for one in found:
            net.run("gw", one["mend"])
        left = [one["id"] for one in as_json(net, "status")["problems"]]
        need(kind not in left, f"'{found[0]['mend']}' did not mend {kind}")
    return found


def fine(net):
    """No problem at all."""
    data = as_json(net, "status")
    need(not data["problems"], f"a good set-up has problems: {data['problems']}")
    need("no problem found" in tool(net, "status", codes=(0,)), "text and JSON differ: no 'no problem found'")
    return data


def good_nft(net):
    """By a rule of nftables."""
    play(net, MAPPED)
    data = fine(net)
    need(data["facts"]["flows"]["served"] == 1, f"flows: {data['facts']['flows']}")
    need(data["facts"]["rules"] == [{"by": "nft", "chain": f"ip selftest helper_{hook}",
                                     "helper": "sip-strict", "protocols": [proto],
                                     "ports": [[5060, 5060]], "fault": None}
                                    for hook in ("prerouting", "output") for proto in ("udp", "tcp")],
         f"rules: {data['facts']['rules']}")


def good_iptables(net):
    """By a rule of iptables, and iptables' own filter."""
    net.run("gw", "iptables -w -P FORWARD DROP")
    net.run("gw", "iptables -w -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
    net.run("gw", "iptables -w -A FORWARD -i lan0 -j ACCEPT")
    play(net, MAPPED)
    data = fine(net)
    need([rule["by"] for rule in data["facts"]["rules"]] == ["iptables"] * 4,
         f"rules: {data['facts']['rules']}")


def good_auto(net):
    """By auto_assign."""
    play(net, MAPPED)
    need(fine(net)["facts"]["auto_assign"], "auto_assign is not seen")


def not_loaded(net):
    """What can be said without the module."""
    root = tempfile.mkdtemp()
    os.makedirs(root + "/proc/net")
    data = json.loads(tool(net, "status", "--root", root, "--json", codes=(1,)))
    need([one["id"] for one in data["problems"]] == ["not_installed"], f"{data['problems']}")


def in_tree_too(net):
    """The in-tree helper is assigned as well."""
    net.run("gw", "nft -f -", stdin='table ip other {\n ct helper old { type "sip" protocol udp; }\n'
            ' chain c { type filter hook prerouting priority 10; udp dport 5060 ct helper set "old"; }\n}\n')
    status(net, "in_tree_assigned")


def no_rule(net):
    """Nothing gives flows the helper."""
    play(net, OPTIONS)
    status(net, "no_rule")
    play(net, "gateway conntrack -F\n" + MAPPED.replace("=1 OPTIONS", "=2 OPTIONS"))
    fine(net)


def _table(chain, rule):
    return ('table ip late {\n ct helper h { type "sip-strict" protocol udp; }\n'
            f' chain c {{ type filter hook {chain}; {rule} ct helper set "h"; }}\n}}\n')


def rule_late(net):
    """A rule that comes after the flow is confirmed, or after the module has looked."""
    for chain, rule in (("postrouting priority 2147483647", "udp dport 5060"),
                        ("prerouting priority 0", "udp dport 5060 ct state established")):
        net.run("gw", "nft -f -", stdin=_table(chain, rule))
        status(net, "rule_late", mends=False)
        net.run("gw", "nft delete table ip late")
    net.run("gw", "nft -f -", stdin=_table("prerouting priority -300", "udp dport 5060"))
    status(net, "rule_early", mends=False)
    net.run("gw", "nft delete table ip late")


def wrong_port(net):
    """The helper is given at another port than the phones use."""
    play(net, OPTIONS)
    found = status(net, "wrong_port", mends=False)
    need("5062" in found[0]["text"] and "1 flows pass without" in found[0]["text"], found[0]["text"])


def older_flows(net):
    """Flows from before the rule."""
    play(net, OPTIONS)
    net.run("gw", "nft -f -", stdin=_table("prerouting priority 0", "udp dport 5060"))
    status(net, "flows_without_helper")


def mode_off(net):
    """Mode 0."""
    net.sysctl("mode", 0)
    status(net, "mode_off")


FILTER = ("table ip block {{\n chain forward {{ type filter hook forward priority 0; policy drop;\n"
          "  {0}\n  iifname lan0 accept\n }}\n}}\n")


def related_dropped(net):
    """A filter that lets in what is established, but not what is related."""
    for rule, ok in (("ct state established accept", False), ("ct state vmap { established : accept }", False),
                     ("ct state { established, related } accept", True),
                     ("ct state vmap { established : accept, related : accept }", True)):
        net.run("gw", "nft -f -", stdin=FILTER.format(rule))
        found = [one["id"] for one in as_json(net, "status")["problems"]]
        need(found == ([] if ok else ["related_dropped"]), f"{rule}: {found}")
        net.run("gw", "nft delete table ip block")
    net.run("gw", "nft -f -", stdin=FILTER.format("ct state established accept"))
    status(net, "related_dropped")
    net.run("gw", "nft delete table ip block")
    net.run("gw", "iptables -w -P FORWARD DROP")
    net.run("gw", "iptables -w -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT")
    net.run("gw", "iptables -w -A FORWARD -i lan0 -j ACCEPT")
    status(net, "related_dropped")


# ---- calls, log, metrics, trace ----------------------------------------------

class Following:
    """The tool's log or trace, running in the gateway."""

    ends = itertools.cycle((signal.SIGINT, signal.SIGTERM))     # the one and the other way to end it

    def __init__(self, net, *words):
        net.enter("gw")
        try:
            # A shell that runs this in the background has it ignore Ctrl-C, and what it starts too.
            self.process = subprocess.Popen([sys.executable, TOOL, *words, "--json"], stdout=subprocess.PIPE,
                                            stderr=subprocess.PIPE, text=True,
                                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        finally:
            net.enter(None)
        pattern = f"/sys/kernel/tracing/instances/sip-strict-{self.process.pid}/events/sip_strict/sip_strict_call_end/enable"
        until(lambda: [path for path in glob.glob(pattern) if open(path, encoding="ascii").read().strip() == "1"],
              "tracing begins")

    def events(self):
        """Ends it: what it has said."""
        time.sleep(0.6 * testnet.SLOW)
        self.process.send_signal(next(Following.ends))
        out, err = self.process.communicate(timeout=LIMIT)
        need(not err and self.process.returncode == 0, f"it ended with {self.process.returncode}: {err}")
        left = glob.glob(f"/sys/kernel/tracing/instances/sip-strict-{self.process.pid}")
        need(not left, "its trace instance is still there")
        return [json.loads(line) for line in out.splitlines()]


def sample(text, name, **labels):
    """The value of a sample of the metrics."""
    inner = ",".join(f'{key}="{value}"' for key, value in labels.items())
    match = re.search(re.escape(name + (f"{{{inner}}}" if inner else "")) + r" (\d+)$", text, re.M)
    need(match, f"metrics have no {name} {labels}")
    return int(match[1])


def one_way(net, steps, verdict, counter):
    """A call with that verdict: in calls while it lives, in log when it ends, in metrics both times."""
    before = sample(tool(net, "metrics"), "sip_strict_calls_ended_by_verdict_total", verdict=counter)
    log = Following(net, "log")
    run = play(net, "do call-out\n" + steps)
    data = as_json(net, "calls")
    need(len(data["calls"]) == 1, f"calls: {data}")
    call = data["calls"][0]
    need(call["verdict"] == verdict, f"calls says {call['verdict']}, not {verdict}")
    text = tool(net, "calls", "--call-id", call["call_id"])
    need(call["verdict_text"] in text, f"text and JSON of calls differ:\n{text}")
    need((f"  ! {call['verdict_text']}" in text) == call["one_way"], f"one-way is not marked:\n{text}")
    need(not json.loads(tool(net, "calls", "--call-id", "nobody", "--json"))["calls"], "the filter lets all through")
    need(sample(tool(net, "metrics"), "sip_strict_live_calls_by_verdict", verdict=verdict) == 1,
         "metrics do not count the live call")
    play(net, "do bye-out\n", run)
    ended = log.events()
    need(len(ended) == 1 and ended[0]["type"] == "call_end", f"log: {ended}")
    need(ended[0]["verdict"] == verdict and ended[0]["why"] == "bye", f"log: {ended[0]}")
    need(ended[0]["call_id"] == call["call_id"], f"log: {ended[0]}")
    rtp = [one for one in ended[0]["media"] if one["kind"] == "rtp"][0]
    was = [one for one in call["media"] if one["kind"] == "rtp"][0]
    need((rtp["packets_out"], rtp["packets_in"]) == (was["packets_out"], was["packets_in"]),
         f"log and calls count differently: {rtp}, {was}")
    after = sample(tool(net, "metrics"), "sip_strict_calls_ended_by_verdict_total", verdict=counter)
    need(after == before + 1, f"metrics: {before} before, {after} after")


def both_heard(net):
    """For comparison: a call in which both are heard."""
    one_way(net, "audio phone:16384 <-> peer:31000 first inside\n", "both_heard", "both_heard")


def outside_blocked(net):
    """The outside's media is dropped on its way: it is not heard."""
    net.run("gw", "nft -f -", stdin="table ip block { chain in { type filter hook prerouting priority -300; "
            "iifname wan0 ip saddr 203.0.113.40 drop; }\n}\n")
    _half(net, "phone", "outside_not_heard")


def inside_silent(net):
    """The inside sends nothing."""
    _half(net, "peer", "inside_not_heard")


def _half(net, sender, verdict):
    def send():
        for port in (0, 0, 0):
            if sender == "phone":
                net.send("phone", 16384, b"\x80\0" + bytes(170), ("203.0.113.40", 31000 + port))
            else:
                net.send("peer", 31000, b"\x80\0" + bytes(170), ("198.51.100.1", 16384))
        time.sleep(0.2)
        net.unread()
    hooked = flowrun.FlowRun._do_wait
    try:
        flowrun.FlowRun._do_wait = lambda self, rest: send()
        one_way(net, "wait 1\n", verdict, verdict)
    finally:
        flowrun.FlowRun._do_wait = hooked


def refused_source(net):
    """The outside's media comes from an address that its SDP does not name."""
    one_way(net, "refused stranger:31000 -> phone:16384\n", "refused_other_source", "refused_other_source")


def netns_exec(net):
    """Under "ip netns exec", which hides the machine's sysfs."""
    done = subprocess.run(["ip", "netns", "exec", net.names["gw"], sys.executable, TOOL, "log", "--seconds", "1"],
                          capture_output=True, text=True, timeout=60 * testnet.SLOW, check=False)
    need(done.returncode == 0 and not done.stderr, f"log: {done.returncode}: {done.stderr}")
    done = subprocess.run(["ip", "netns", "exec", net.names["gw"], sys.executable, TOOL, "status"],
                          capture_output=True, text=True, timeout=60 * testnet.SLOW, check=False)
    need(done.returncode == 0 and "helper sip-strict, mode strict" in done.stdout, f"status: {done.stdout}{done.stderr}")


def trace(net):
    """Messages, their edits and reasons in order; filtered by Call-ID and address."""
    follow = [Following(net, "trace"), Following(net, "trace", "--call-id", "call-1@"),
              Following(net, "trace", "--address", "192.168.1.20"), Following(net, "trace", "--address", "192.168.1.21")]
    run = play(net, "do register\ndo call-out\naudio phone:16384 <-> peer:31000 first outside\ndo bye-out\n")
    every, one_call, phone, phone2 = [one.events() for one in follow]
    need(run, "")
    kinds = {event["type"] for event in every}
    need({"message", "edit", "dialog", "expect", "call_end"} <= kinds, f"trace has only {kinds}")
    need(not phone2, f"another address's events are shown: {phone2[:2]}")
    need({e.get("call_id") for e in one_call} == {"call-1@192.168.1.20"}, f"{one_call[:2]}")
    need(len(phone) >= len([e for e in every if e["type"] in ("message", "edit")]), "events of the address are missing")
    for i, event in enumerate(every):
        if event["type"] == "edit":
            owner = [e for e in every[:i] if e["type"] == "message"][-1]
            need(owner["call_id"] == event["call_id"] and owner["outcome"] == "edited", f"{event} after {owner}")
    invite = [e for e in every if e["type"] == "message" and e.get("request") == "INVITE"][0]
    edits = [e["field"] for e in every if e["type"] == "edit" and e["call_id"] == invite["call_id"]][:invite["edits"]]
    need({"via-sent-by", "contact", "sdp-c"} <= set(edits), f"edits of the INVITE: {edits}")


REGISTERED = """
phone -> proxy from 198.51.100.1:$SIP
    REGISTER sip:203.0.113.5 SIP/2.0
    Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bK-2;rport
    Max-Forwards: 70
    From: <sip:alice@203.0.113.5>;tag=b
    To: <sip:alice@203.0.113.5>
    Call-ID: r@192.168.1.20
    CSeq: 1 REGISTER
    Contact: <sip:alice@192.168.1.20:5060>
    Expires: 600
    Content-Length: 0
  changed
    Via.sent-by  192.168.1.20:5060 -> 198.51.100.1:$SIP
    Contact      192.168.1.20:5060 -> 198.51.100.1:$SIP

proxy -> phone
    SIP/2.0 200 OK
    Via: SIP/2.0/UDP 198.51.100.1:$SIP;branch=z9hG4bK-2;rport=7777;received=192.0.2.80
    From: <sip:alice@203.0.113.5>;tag=b
    To: <sip:alice@203.0.113.5>;tag=r
    Call-ID: r@192.168.1.20
    CSeq: 1 REGISTER
    Contact: <sip:alice@198.51.100.1:$SIP>;expires=600
    Content-Length: 0
  changed
    Via.sent-by  198.51.100.1:$SIP -> 192.168.1.20:5060
    Contact      198.51.100.1:$SIP -> 192.168.1.20:5060
"""


def other_nat(net):
    """Another NAT outside of us is named, by its address."""
    play(net, REGISTERED)
    data = as_json(net, "status")
    said = [one["text"] for one in data["notes"] if one["id"] == "beyond"]
    need(len(said) == 1 and "192.0.2.80" in said[0] and not data["problems"], f"status: {data['notes']}")
    need("! another NAT in the path: the far side sees 192.0.2.80" in tool(net, "calls"), tool(net, "calls"))
    need(sample(tool(net, "metrics"), "sip_strict_live_beyond", kind="nat") == 1, "metrics do not count it")


# ---- explain -----------------------------------------------------------------

class Captures:
    """tcpdump on both sides of the gateway."""

    def __init__(self, net):
        self.net, self.files, self.jobs = net, {}, []
        for side in ("lan", "wan"):
            self.files[side] = tempfile.mktemp(suffix=".pcap", prefix=f"tool-{side}-", dir="/tmp")
            net.enter("gw")
            try:
                job = subprocess.Popen(["tcpdump", "-i", side + "0", "-p", "-U", "--immediate-mode", "-w", self.files[side],
                                        "udp"], stderr=subprocess.PIPE, text=True)
            finally:
                net.enter(None)
            self.jobs.append(job)
            while "listening" not in (line := job.stderr.readline()):
                need(line, "tcpdump does not start")

    def close(self):
        """Ends them."""
        time.sleep(0.5)
        for job in self.jobs:
            job.send_signal(signal.SIGINT)
            job.communicate(timeout=LIMIT)
        return self.files["lan"], self.files["wan"]


INVITE = """
phone -> proxy
    INVITE sip:bob@203.0.113.5 SIP/2.0
    Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bK-i;rport
    Max-Forwards: 70
    From: "192.168.1.20" <sip:alice@192.168.1.20>;tag=a
    To: <sip:bob@203.0.113.5>
    Call-ID: call@192.168.1.20
    CSeq: 1 INVITE
    Contact: <sip:alice@192.168.1.20:5060>
    Content-Type: application/sdp
    Content-Length: $CL

    v=0
    o=alice 1 1 IN IP4 192.168.1.20
    s=-
    c=IN IP4 192.168.1.20
    t=0 0
    m=audio 16384 RTP/AVP 0
    m=video 16390 RTP/AVP 96
    c=IN IP4 203.0.113.99
    a=rtcp:16391 IN IP4 203.0.113.99
  %s
"""

ANSWER = """
proxy -> phone
    SIP/2.0 486 Busy Here
    Via: SIP/2.0/UDP 198.51.100.1:$SIP;branch=z9hG4bK-i;received=198.51.100.1;rport=$SIP
    From: "192.168.1.20" <sip:alice@%s>;tag=a
    To: <sip:bob@203.0.113.5>;tag=b
    Call-ID: call@192.168.1.20
    CSeq: 1 INVITE
    Content-Length: 0
  %s
"""


def _explained(net, changed, source, answered, folder):
    captures = Captures(net)
    try:
        # What arrives is judged by explain, not here: a run that fails has been captured.
        run = flowrun.FlowRun(None, {}, net, lambda text: None)
        run.values["SIP"] = "5060"
        for text in (INVITE % changed, ANSWER % (source, answered)):
            try:
                play(net, text, run)
            except Failed:
                pass
    finally:
        lan, wan = captures.close()
    page = os.path.join(folder, "ladder.html")
    out = tool(net, "explain", "--lan", lan, "--wan", wan, "--html", page, "--json")
    for path in (lan, wan):
        os.unlink(path)
    with open(page, encoding="utf-8") as handle:
        return json.loads(out), handle.read()


OURS = """changed
    Via.sent-by  192.168.1.20:5060 -> 198.51.100.1:$SIP
    Contact      192.168.1.20:5060 -> 198.51.100.1:$SIP
    c=           192.168.1.20 -> 198.51.100.1"""


def explain_in_tree(net):
    """Of a call through the in-tree helper its wrong rewrites are listed, by rule."""
    with tempfile.TemporaryDirectory() as folder:
        data, page = _explained(net, "unchanged", "198.51.100.1", "unchanged", folder)
    wrong = {one["field"] for one in data["summary"] if one["verdict"] == "wrong"}
    right = {one["field"] for one in data["summary"] if one["verdict"] == "right"}
    # The session's c= gets the address of the last stream, which is somebody else's: no audio.
    need({"identity", "sdp-other", "sdp-c"} <= wrong, f"wrong: {wrong}")
    need({"via-sent-by", "contact"} <= right, f"right: {right}")
    lines = [change["line_new"] for one in data["messages"] for change in one["changes"] if change["verdict"] == "wrong"]
    need(any(line.startswith("From:") for line in lines) and any(line.startswith("o=") for line in lines), f"{lines}")
    need(all(change["rfc"] and change["why"] for one in data["messages"] for change in one["changes"]
             if change["verdict"] == "wrong"), "a wrong change without rule or RFC")
    need("o=alice" in page and "INVITE" in page and "http://" not in page.replace("http://www.w3.org", ""),
         "the page lacks the message, or fetches something")


def explain_ours(net):
    """Of the same call through this module nothing is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        data, _ = _explained(net, OURS, "192.168.1.20", "changed\n    Via.sent-by   198.51.100.1:$SIP -> "
                             "192.168.1.20:5060\n    Via.received  198.51.100.1 -> 192.168.1.20\n    Via.rport     "
                             "$SIP -> 5060", folder)
    bad = [one for one in data["summary"] if one["verdict"] != "right"]
    need(not bad, f"{bad}")
    need(len(data["messages"]) == 2 and all(one["arrived"] for one in data["messages"]), f"{data['messages']}")


def reloaded(net):
    """A log does not go on, dumb, when the module is taken away under it."""
    log = Following(net, "log")
    testnet.unload_module()
    testnet.load_helper("sip-strict")
    out, err = log.process.communicate(timeout=LIMIT)
    need(log.process.returncode not in (0, None) and "begin again" in err, f"{log.process.returncode}: {out}{err}")


def kernel_log(net):
    """One line at load, none per packet; the tool's own work leaves none either."""
    def lines():
        out = subprocess.run(["dmesg"], capture_output=True, text=True, check=True).stdout
        return [line for line in out.splitlines() if "nf_conntrack_sip_strict: " in line]
    testnet.unload_module()
    before = len(lines())
    testnet.load_helper("sip-strict")
    loaded = lines()[before:]
    need(len(loaded) == 1 and re.search(r"version \S+, helper sip-strict, ports 5060$", loaded[0]), f"{loaded}")
    again = network()
    try:
        play(again, "do register\ndo call-out\naudio phone:16384 <-> peer:31000 first outside\ndo bye-out\n")
        tool(again, "status")
    finally:
        again.close()
    need(lines()[before:] == loaded, f"{lines()[before:]}")
    need(net, "")


UNFILTERED = {"filtered": False}
CASES = [
    (good_nft, {}), (good_iptables, {"assign": "iptables", **UNFILTERED}), (good_auto, {"assign": "auto"}),
    (not_loaded, {}), (in_tree_too, {}), (no_rule, {"helper": "none"}), (rule_late, {"helper": "none"}),
    (wrong_port, {"port": 5062}), (older_flows, {"helper": "none"}), (mode_off, {}), (related_dropped, UNFILTERED),
    (both_heard, {}), (outside_blocked, {}), (inside_silent, {}), (refused_source, {}), (trace, {}), (netns_exec, {}), (other_nat, {}),
    (explain_in_tree, {"helper": "sip"}), (explain_ours, {}), (reloaded, {"helper": "none"}),
    (kernel_log, {"helper": "none"}),
]


ALONE = (reloaded, kernel_log)      # they unload the module
AT_ONCE = 4                 # most of a case's time is waiting


def run(case, options):
    """One case: what went wrong, or nothing."""
    testnet.KernelLog.announce("tool " + case.__name__)
    net = network(**options)
    try:
        case(net)
    except (Failed, flowfile.FlowError, RuntimeError, OSError, subprocess.SubprocessError, LookupError,
            ValueError) as err:
        return str(err) if isinstance(err, Failed) else f"{type(err).__name__}: {err}"
    finally:
        net.close()
    return ""


def start(case, options):
    """Runs a case in a child: its pid, and where its output comes."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(read)
        try:
            reason = run(case, options)
        except BaseException as err:     # pylint: disable=broad-except
            reason = f"{type(err).__name__}: {err}"
        with os.fdopen(write, "w") as handle:
            handle.write(reason)
        os._exit(0 if not reason else 1)
    os.close(write)
    return pid, read


def batch(cases):
    """Some cases at once: (case, what went wrong) of each."""
    children = [(case, *start(case, options)) for case, options in cases]
    for case, pid, read in children:
        with os.fdopen(read) as handle:
            reason = handle.read()
        if os.waitpid(pid, 0)[1] and not reason:
            reason = "it was killed"
        yield case, reason


def main():
    """TAP."""
    wanted = [case for case in CASES if not sys.argv[1:] or case[0].__name__ in sys.argv[1:]]
    print("TAP version 13")
    try:
        testnet.require("ip", "nft", "conntrack", "tcpdump", "iptables")
        for helper in ("sip", "sip-strict"):
            testnet.load_helper(helper)
        # Before any limit of time: on an emulated processor it takes minutes.
        subprocess.run(["make", "-s", "-C", os.path.join(os.path.dirname(TOOL), "sip-strict.d")], check=True)
    except testnet.Unsupported as err:
        print(f"1..0 # SKIP {err}")
        return 1 if os.environ.get("SIP_STRICT_NO_SKIP") == "1" else 4
    # With it the kernel patches its scheduler at each start of tracing, which hangs emulated processors.
    with open("/sys/kernel/tracing/options/record-cmd", "w", encoding="ascii") as handle:
        handle.write("0")
    log, failed, number = testnet.KernelLog(), 0, 0
    print(f"1..{len(wanted)}")
    together = [case for case in wanted if case[0] not in ALONE]
    batches = [together[i:i + AT_ONCE] for i in range(0, len(together), AT_ONCE)]
    for cases in batches + [[case] for case in wanted if case[0] in ALONE]:
        for case, reason in batch(cases):
            number += 1
            trouble = log.trouble()
            if trouble:
                reason += "\nthe kernel complained:\n" + "\n".join(trouble)
            failed += bool(reason)
            print(("not ok" if reason else "ok") + f" {number} {case.__name__.replace('_', '-')}")
            if reason:
                print("# " + reason.replace("\n", "\n# "))
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
