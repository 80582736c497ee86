# SPDX-License-Identifier: GPL-2.0-only
"""status: is the module loaded, assigned and set up as it should be.

Each check looks at what the machine says and adds problems (something does not
work), or notes (something to know), each with the command that mends it.
"""

import fnmatch
import os
import re

from . import core, module, rules
from .calls import beyond

SIP_PORT, TLS_PORT = 5060, 5061
IN_TREE = "nf_conntrack_sip"
MODES = {"0": "off", "1": "strict", "2": "observe"}
SYSCTL_DIRS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
KEY = f"net.netfilter.{module.NAME}."
REFUSED = ("Loading of unsigned module is rejected", "Key was rejected by service",
           "unsigned module loading is restricted", "Loading of module with unavailable key is rejected",
           "module verification failed: signature and/or required key missing - refusing")


class Status:
    """What was found."""

    def __init__(self, system):
        self.system = system
        self.facts, self.problems, self.notes = {}, [], []
        self.modules = {line.split()[0] for line in (system.read("/proc/modules") or "").splitlines() if line}
        self.settings, self.counters, self.calls = {}, {}, []
        self.parameters = module.parameters(system)
        self.nft, self.iptables, self.rules_seen = rules.read(system)
        self.assigned, self.flows = [], []

    def problem(self, kind, text, mend=None, hint=None):
        """Something does not work; the command that mends it, and what else is to be said."""
        self.problems.append({"id": kind, "text": text, "mend": mend, "hint": hint})

    def note(self, kind, text, mend=None, hint=None):
        """Something to know."""
        self.notes.append({"id": kind, "text": text, "mend": mend, "hint": hint})

    def ours(self, helper):
        """Is this the name of one of our helpers?"""
        return helper in (self.parameters["helper_name"], "sip-observe")

    def setting(self, name, default=0):
        """A sysctl as a number."""
        value = self.settings.get(name, "")
        return int(value) if re.fullmatch(r"-?\d+", value) else default


# ---- loaded? -----------------------------------------------------------------

def _log_lines(system):
    text = system.run("dmesg")
    if text is None:
        text = system.run("journalctl", "-k", "-b", "--no-pager", "-o", "cat") or ""
    return text.splitlines()


def check_loaded(status):
    """Loaded, or why not."""
    system = status.system
    status.facts["loaded"] = module.loaded(system)
    status.facts["version"] = module.version(system)
    status.facts["kernel"] = (system.read("/proc/sys/kernel/osrelease") or "").strip()
    if status.facts["loaded"]:
        return True
    log = _log_lines(system)
    own = [line for line in log if module.NAME + ": " in line]
    refused = [line for line in log if any(text in line for text in REFUSED)]
    where = (system.run("modinfo", "-n", module.NAME) or "").strip()
    if refused:
        status.problem("secure_boot", "the kernel refuses the module, for nobody it trusts has signed it (secure boot): "
                       + re.sub(r"^\[[^]]*\] *", "", refused[-1]),
                       "mokutil --import /var/lib/dkms/mok.pub", "then reboot, and enrol that key; DKMS signs with it, "
                       "what was built by hand nobody has signed: make dkms-install")
    elif not where:
        status.problem("not_installed", f"the module is not installed for kernel {status.facts['kernel']}",
                       "apt-get install linux-headers-$(uname -r) && dkms autoinstall",
                       "with the package; else in its sources: make && make install")
    elif own and "version" not in own[-1]:
        status.problem("load_failed", "the module did not load: " + re.sub(r"^\[[^]]*\] *", "", own[-1]),
                       f"modprobe {module.NAME}")
    else:
        status.problem("not_loaded", "the module is not loaded", f"modprobe {module.NAME}")
    return False


# ---- assigned? ---------------------------------------------------------------

def _has_ipv6(system):
    """Is there an address beside loopback and link-local ones?"""
    return any(line.split()[3] == "00" for line in (system.read("/proc/net/if_inet6") or "").splitlines())


def _flows(status):
    """Connections of conntrack: family, protocol, server ports, helper."""
    found, seen = [], False
    commands = [(family, protocol) for family in ("ipv4", "ipv6")[:1 + _has_ipv6(status.system)]
                for protocol in ("udp", "tcp")]
    for family, protocol in commands:
        text = status.system.run("conntrack", "-L", "-f", family, "-p", protocol)
        seen = seen or text is not None
        for line in (text or "").splitlines():
            ports = [int(x) for x in re.findall(r"\bdport=(\d+)", line)]
            sources = [int(x) for x in re.findall(r"\bsport=(\d+)", line)]
            helper = re.search(r"\bhelper=(\S+)", line)
            if ports:
                # The server's port before and behind a port forward.
                found.append({"family": family, "protocol": protocol, "ports": [ports[0], *sources[1:2]],
                              "helper": helper[1] if helper else None})
    if not seen:
        status.note("no_conntrack", "conntrack cannot be run: which flows have the helper is not known",
                    "apt-get install conntrack")
    return found


def _covers(one, port):
    return not one["ports"] or any(low <= port <= high for low, high in one["ports"])


def check_assigned(status):
    """Does some rule, or auto_assign, give flows the helper where it counts?"""
    every = rules.assignments(status.nft, status.iptables)
    ours = [one for one in every if status.ours(one["helper"])]
    status.assigned = ours
    status.flows = _flows(status)
    auto = status.setting("auto_assign") == 1
    status.facts["auto_assign"] = auto
    status.facts["rules"] = [{key: one[key] for key in ("by", "chain", "helper", "protocols", "ports")} |
                             {"fault": one["fault"][1] if one["fault"] else None} for one in ours]
    sip_ports = {SIP_PORT, *status.parameters["ports"]} | {
        port for one in ours for low, high in one["ports"] if high - low < 16 for port in range(low, high + 1)}
    served = [flow for flow in status.flows if flow["helper"] and status.ours(flow["helper"])]
    bare = [flow for flow in status.flows if not flow["helper"] and sip_ports & set(flow["ports"])]
    status.facts["flows"] = {"served": len(served), "at_sip_ports_without_helper": len(bare)}
    good = [one for one in ours if not one["fault"]]
    for one in ours:
        if one["fault"]:
            kind, why = one["fault"]
            what = {"late": "comes too late", "early": "comes too early", "unused": "is never reached"}[kind]
            status.problem(f"rule_{kind}", f"the rule in {one['chain']} that gives the helper {what}: {why}",
                           one["delete"], "then put it into a chain of type filter, hook prerouting, priority 0 (and hook "
                           "output, for a server on this machine)")
    if not status.rules_seen:
        status.note("no_rules_seen", "neither nft nor iptables-save can be run: whether a rule gives the helper is not "
                    "known", "apt-get install nftables")
    elif not ours and not auto:
        status.problem("no_rule", "no rule gives any flow the helper, and auto_assign is off",
                       f"sysctl -w {KEY}auto_assign=1", "or a rule: udp dport 5060 ct helper set \"sip-strict\"")
    _check_port(status, good, auto, served, bare)


def _ports_text(ranges):
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)


def _check_port(status, good, auto, served, bare):
    watched = set(status.parameters["ports"]) if auto else set()
    seen = {port for flow in bare for port in flow["ports"] if port == SIP_PORT}
    covered = any(_covers(one, SIP_PORT) for one in good) or SIP_PORT in watched
    ranges = sorted({r for one in good for r in one["ports"]} | {(p, p) for p in watched})
    if (good or auto) and not covered:
        text = f"the helper is given at port {_ports_text(ranges)}, not at SIP's own port {SIP_PORT}"
        if seen:
            status.problem("wrong_port", f"{text}, where {len(bare)} flows pass without it",
                           None if good else f"modprobe -r {module.NAME} && modprobe {module.NAME} ports="
                           f"{','.join(str(p) for p in [*sorted(watched), SIP_PORT])} && sysctl -w {KEY}auto_assign=1",
                           f"let the rule match udp dport {SIP_PORT}" if good else
                           "live calls go on as plain connections; other settings are those of /etc/sysctl.d then")
        elif not served:
            status.problem("wrong_port", text + ": right only if all your phones and providers use that port",
                           None, f"else let the rule match udp dport {{ {_ports_text(ranges)}, {SIP_PORT} }}")
    elif bare and status.counters.get("helper_lost"):
        status.note("helper_lost", f"{len(bare)} flows at a SIP port lost their helper when the module was loaded anew; "
                    "those with calls and registrations are served all the same")
    elif bare and not auto and good and all(one["narrow"] for one in good):
        status.note("flows_without_helper", f"{len(bare)} flows at a SIP port have no helper; the rules give it to some "
                    "flows only")
    elif (good or auto) and bare:
        status.problem("flows_without_helper", f"{len(bare)} flows at a SIP port have no helper: they are older than "
                       "the rule, or another rule accepts them before it",
                       f"conntrack -D -p udp --orig-port-dst {SIP_PORT}", "they come again with their next message")
    if any(TLS_PORT in flow["ports"] for flow in status.flows):
        status.note("tls", f"there are flows at port {TLS_PORT}: SIP over TLS cannot be read by any gateway")


def check_others(status):
    """The in-tree helper, and other helpers at SIP's port."""
    name = status.parameters["helper_name"]
    every = rules.assignments(status.nft, status.iptables)
    in_tree = IN_TREE in status.modules
    status.facts["in_tree_loaded"] = in_tree
    theirs = [one for one in every if one["helper"] == "sip" and name != "sip"]
    flows = [flow for flow in status.flows if flow["helper"] == "sip" and name != "sip"]
    automatic = (status.system.read("/proc/sys/net/netfilter/nf_conntrack_helper") or "").strip() == "1"
    for one in theirs:
        status.problem("in_tree_assigned", f"a rule in {one['chain']} gives flows the in-tree helper \"sip\" "
                       f"({IN_TREE}), which rewrites what it should not", one["delete"])
    if flows and not theirs:
        status.problem("in_tree_assigned", f"{len(flows)} flows have the in-tree helper \"sip\"",
                       "modprobe -r nf_nat_sip nf_conntrack_sip && conntrack -D -p udp --orig-port-dst 5060")
    if in_tree and automatic and name != "sip":
        status.problem("in_tree_assigned", "the in-tree helper takes flows by itself (nf_conntrack_helper=1)",
                       "sysctl -w net.netfilter.nf_conntrack_helper=0")
    elif in_tree and not theirs and not flows:
        status.note("in_tree_loaded", f"{IN_TREE} is loaded, but gets no flow",
                    "modprobe -r nf_nat_sip nf_conntrack_sip")
    for one in every:
        if one["helper"] not in (name, "sip-observe", "sip") and one["ports"] and _covers(one, SIP_PORT):
            status.problem("other_helper", f"a rule in {one['chain']} gives the helper \"{one['helper']}\" to flows at "
                           f"port {SIP_PORT}", one["delete"])
    for kind in ("openvswitch", "act_ct", "nf_conntrack_bridge"):
        if kind in status.modules:
            status.note("not_routed", f"{kind} is loaded: what it forwards does not pass the module, only what is "
                        "routed does")


# ---- settings ----------------------------------------------------------------

def check_mode(status):
    """Off, strict, observe."""
    mode = status.settings.get("mode", "")
    status.facts["mode"] = MODES.get(mode, mode)
    if mode == "0":
        status.problem("mode_off", "mode is 0: messages pass untouched and nothing is opened",
                       f"sysctl -w {KEY}mode=1")
    elif mode == "2":
        status.note("mode_observe", "mode is 2: everything is counted and nothing is changed or opened",
                    f"sysctl -w {KEY}mode=1")
    elif any(one["helper"] == "sip-observe" and not one["fault"] for one in status.assigned):
        status.note("observe_rule", "a rule gives some flows sip-observe: they pass unchanged")


def _files(system):
    """The files of sysctl.d in the order in which they count; one name counts once."""
    chosen = {}
    for folder in SYSCTL_DIRS:
        for path in system.glob(folder + "/*.conf"):
            chosen.setdefault(os.path.basename(path), path)
    found = [chosen[name] for name in sorted(chosen)]
    return found + (["/etc/sysctl.conf"] if system.exists("/etc/sysctl.conf") else [])


def wanted(system):
    """What the files of sysctl.d want: name -> (value, file)."""
    found = {}
    for path in _files(system):
        for line in (system.read(path) or "").splitlines():
            key, equals, value = line.strip().partition("=")
            if not equals or key.startswith(("#", ";")):
                continue
            key = key.strip().lstrip("-").replace("/", ".")
            if key.startswith(KEY) or "*" in key:
                found[key] = (value.strip(), path)
    return found


def check_settings(status):
    """Do they differ from what the files say?"""
    status.facts["settings"] = status.settings
    for key, (value, path) in wanted(status.system).items():
        for name, now in status.settings.items():
            if fnmatch.fnmatch(KEY + name, key) and now != value:
                status.problem("setting_differs", f"{name} is {now or 'empty'}, {path} says {value or 'empty'}",
                               f"sysctl -p {path}", "at boot that file may be read before the module is there: "
                               f"echo {module.NAME} >/etc/modules-load.d/{module.NAME}.conf")


def _number(system, path, default=0):
    text = (system.read(path) or "").strip()
    return int(text) if text.isdigit() else default


def check_limits(status):
    """Tables and ranges that are too small, by their sizes and by what was counted."""
    system, count = status.system, status.counters
    publish, most = status.setting("publish_expect"), _number(system, "/proc/sys/net/netfilter/nf_conntrack_expect_max")
    low, high = status.setting("media_port_min", 16384), status.setting("media_port_max", 32767)
    pairs = (high - low + 1) // 2
    status.facts["limits"] = {"expect_max": most, "publish_expect": publish, "media_port_pairs": pairs,
                              "dialog_max": status.setting("dialog_max"), "host_max": status.setting("host_max"),
                              "dialogs": count.get("dialogs_now", 0), "registrations": count.get("registrations_now", 0)}
    table = _number(system, "/sys/module/nf_conntrack/parameters/expect_hashsize")
    if most and publish > most // 2:
        status.note("expect_max", f"publish_expect is {publish}, more than half of nf_conntrack_expect_max ({most}): "
                       "other helpers may find no room; what is not listed works all the same",
                       f"sysctl -w net.netfilter.nf_conntrack_expect_max={max(1024, 4 * publish)}")
    if table and publish > 2 * table:
        status.note("expect_table", f"publish_expect is {publish}, and at most {2 * table} pinholes are listed, half of "
                    "what the table was made for; what is not listed works all the same", None,
                    f"a larger table is made at boot: options nf_conntrack expect_hashsize={publish} in /etc/modprobe.d")
    if count.get("skip_no_port"):
        status.problem("no_port", f"{count['skip_no_port']} times no media port was free ({low}-{high})",
                       f"sysctl -w {KEY}media_port_min=10000 {KEY}media_port_max=60000")
    elif pairs < 64:
        status.problem("port_range", f"media_port_min to media_port_max ({low}-{high}) holds {pairs} streams",
                       f"sysctl -w {KEY}media_port_min=16384 {KEY}media_port_max=32767")
    for key, what, knob in (("skip_table_full", "the table of calls and registrations was full", "dialog_max"),
                            ("skip_host_quota", "a host had host_max calls and registrations", "host_max")):
        if count.get(key):
            status.problem(key[5:], f"{count[key]} times {what} ({knob}={status.setting(knob)})",
                           f"sysctl -w {KEY}{knob}={2 * max(1, status.setting(knob))}")
    used = _number(system, "/proc/sys/net/netfilter/nf_conntrack_count")
    room = _number(system, "/proc/sys/net/netfilter/nf_conntrack_max")
    if room and used * 100 >= room * 95:
        status.problem("conntrack_full", f"conntrack is full: {used} of {room}",
                       f"sysctl -w net.netfilter.nf_conntrack_max={2 * room}")


# ---- firewall ----------------------------------------------------------------

def _outside_devices(system, family):
    """Devices of the default routes."""
    if family == "ipv4":
        rows = [line.split() for line in (system.read("/proc/net/route") or "").splitlines()[1:]]
        found = {row[0] for row in rows if len(row) > 7 and row[1] == row[7] == "00000000"}
    else:
        rows = [line.split() for line in (system.read("/proc/net/ipv6_route") or "").splitlines()]
        found = {row[9] for row in rows if len(row) > 9 and row[0] == "0" * 32 and row[1] == "00"}
    return sorted(found - {"lo"})


def check_firewall(status):
    """Does the filter let related packets in?"""
    media = (status.setting("media_port_min", 16384), status.setting("media_port_max", 32767))
    families = ["ipv4"] + ["ipv6"] * any(flow["family"] == "ipv6" and flow["helper"] and status.ours(flow["helper"])
                                         for flow in status.flows)
    status.facts["outside_devices"] = {family: _outside_devices(status.system, family) for family in families}
    named = set()
    for family, devices in status.facts["outside_devices"].items():
        packet = rules.Packet(devices, media, status.parameters["helper_name"], family)
        for one in rules.droppers(status.nft, status.iptables, packet):
            if one["chain"] not in named:
                status.problem("related_dropped", f"{one['chain']} drops what is related: media from outside does not "
                               "get in", one["mend"])
            named.add(one["chain"])


# ---- what was seen -----------------------------------------------------------

def check_seen(status):
    """What the counters and the live calls tell."""
    count = status.counters
    status.facts["counters"] = {key: value for key, value in count.items() if value}
    hosts = count.get("skip_other_host", 0)
    if hosts and not status.setting("media_host"):
        status.note("other_host", f"{hosts} times an inside host's SDP named another inside host: that media is not "
                    "opened ('sip-strict trace' shows whose, as other_host)", f"sysctl -w {KEY}media_host=1")
    said = sorted({text for one in status.calls for text in beyond(one)})
    for key in ("other_nat", "via_changed"):
        if count.get("skip_" + key) and not said:
            said = [f"{count['skip_' + key]} times: {core.reason_text(key)}"]
    if said:
        status.note("beyond", "; ".join(said), None, f"a 1:1 NAT of your own is told to the module: {KEY}external_addr4; an ALG further "
                    "out should be turned off")
    one_way = [one for one in status.calls if one.get("verdict") in module.ONE_WAY]
    if one_way:
        status.note("one_way", f"{len(one_way)} live calls are one-way", "sip-strict calls")
    for key, text in (("edit_failed", "messages went on unedited for want of memory or room"),
                      ("other_uplink", "media packets left by another uplink than the one that was advertised"),
                      ("zone_dir", "pinholes could not be opened, for their zone has a direction")):
        if count.get(key):
            status.note(key, f"{count[key]} {text}")


def collect(system, _options):
    """Everything."""
    status = Status(system)
    if check_loaded(status):
        status.settings = module.settings(system)
        status.counters = module.counters(system)
        status.calls = module.calls(system)
        status.facts["helper_name"] = status.parameters["helper_name"]
        for check in (check_mode, check_assigned, check_others, check_settings, check_limits, check_firewall,
                      check_seen):
            check(status)
    else:
        check_others(status)
    return {"facts": status.facts, "problems": status.problems, "notes": status.notes}


def text(data):
    """The same as text."""
    facts, lines = data["facts"], []
    if facts["loaded"]:
        lines.append(f"loaded: version {facts['version'] or 'unknown'}, kernel {facts['kernel']}, helper "
                     f"{facts['helper_name']}, mode {facts['mode']}")
        for rule in facts["rules"]:
            lines.append(f"assigned: {'/'.join(rule['protocols']) or 'any'} port {_ports_text(rule['ports']) or 'any'} "
                         f"by {rule['by']} in {rule['chain']} ({rule['helper']})")
        if facts["auto_assign"]:
            lines.append("assigned: by auto_assign")
        lines.append(f"flows: {facts['flows']['served']} served, {facts['flows']['at_sip_ports_without_helper']} at SIP "
                     f"ports without the helper; calls {facts['limits']['dialogs']}, registrations "
                     f"{facts['limits']['registrations']}")
    else:
        lines.append(f"not loaded, kernel {facts['kernel']}")
    for name, items in (("problem", data["problems"]), ("note", data["notes"])):
        for one in items:
            lines.append(f"{name}: {one['text']} [{one['id']}]")
            lines += [f"    {key}: {one[key]}" for key in ("mend", "hint") if one[key]]
    if not data["problems"]:
        lines.append("no problem found")
    return "\n".join(lines)
