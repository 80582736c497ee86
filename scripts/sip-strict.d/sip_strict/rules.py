# SPDX-License-Identifier: GPL-2.0-only
"""Rule sets: which rules give flows a helper, and whether related packets get through.

nftables rules come from nft -j, those of iptables from iptables-save. Both become
chains of rules with conditions that are true, false or unknown for one packet: the
first of a media stream, RELATED, that comes from outside. A chain drops it for
certain only where no rule that might match accepts it.
"""

import json
import shlex

CONNTRACK, MODULE, CONFIRM = -200, 300, 2147483647
ACCEPT, DROP, RETURN, GO_ON = "accept", "drop", "return", "go on"


class Packet:
    """What is known of the packet that is thought through the chains."""

    def __init__(self, outside, media, helper, family):
        self.outside, self.media, self.helper, self.family = outside, media, helper, family

    def device(self, names, incoming):
        """Does it come in (or go out) by one of these devices?"""
        if not self.outside:
            return None
        hits = [any(dev == name or name.endswith(("*", "+")) and dev.startswith(name[:-1]) for name in names)
                for dev in self.outside]
        if incoming:
            return True if all(hits) else None if any(hits) else False
        return False if hits and all(hits) and len(names) == 1 else None

    def port(self, ports):
        """Is its destination among these? A few ports that are no media ports: no."""
        few = sum(high - low + 1 for low, high in ports) <= 16
        inside = any(low <= self.media[1] and high >= self.media[0] for low, high in ports)
        if any(low <= self.media[0] and high >= self.media[1] for low, high in ports) and not few:
            return None
        return False if few and not inside else None


class Rule:
    """Conditions as functions of a packet, and what happens."""

    def __init__(self, where):
        self.where = where
        self.conditions = []
        self.verdict = None         # accept, drop, return, or ("jump", chain), ("goto", chain)
        self.states = None          # ct states that it wants, None: any
        self.ports = []             # (low, high), destination or source
        self.protocols = set()
        self.helpers = []           # that it gives: (type, protocol) each
        self.narrow = False         # it looks at more than protocol, port and state
        self.vmap = None            # ct state -> verdict
        self.delete = None          # the command that takes it away

    def matches(self, packet):
        """True, False, or None for unknown."""
        found = [condition(packet) for condition in self.conditions]
        return False if False in found else None if None in found else True


class Chain:
    """A chain of rules; hook and priority of a base chain."""

    def __init__(self, family, table, name):
        self.family, self.table, self.name = family, table, name
        self.hook = self.priority = self.policy = None
        self.type = None
        self.rules = []

    def title(self):
        """As a person names it."""
        return f"{self.family} {self.table} {self.name}"


def run_chain(chains, chain, packet, depth=0):
    """(verdict, whether an unknown rule might have accepted) for a packet."""
    maybe = False
    for rule in chain.rules:
        match = rule.matches(packet)
        verdict = rule.vmap.get("related") if rule.vmap else rule.verdict
        if match is False or not verdict:
            continue
        if isinstance(verdict, tuple):
            target = chains.get((chain.family, chain.table, verdict[1]))
            if not target or depth > 16:
                maybe = True
                continue
            found, perhaps = run_chain(chains, target, packet, depth + 1)
            maybe = maybe or perhaps or (match is None and found == ACCEPT)
            if found in (ACCEPT, DROP) and match:
                return found, maybe
            if verdict[0] == "goto" and match:
                break
            continue
        if verdict == "unknown":
            maybe = True
        elif match is None:
            maybe = maybe or verdict == ACCEPT
        elif verdict == RETURN:
            break
        else:
            return verdict, maybe
    return (chain.policy if depth == 0 else GO_ON), maybe


# ---- nftables ----------------------------------------------------------------

def _values(right):
    if isinstance(right, dict) and "set" in right:
        return [value for one in right["set"] for value in _values(one)]
    if isinstance(right, list):
        return [value for one in right for value in _values(one)]
    return [right]


def _ranges(right):
    found = []
    for value in _values(right):
        if isinstance(value, dict) and "range" in value:
            value = value["range"]
            if all(isinstance(x, int) for x in value):
                found.append(tuple(value))
                continue
        if isinstance(value, dict) and "elem" in value:
            value = value["elem"].get("val")
        if not isinstance(value, int):
            return []               # a named set: unknown
        found.append((value, value))
    return found


def _not(answer):
    return None if answer is None else not answer


def _nft_match(rule, match):
    """Adds the condition of a match."""
    left, right, negated = match.get("left", {}), match.get("right"), match.get("op") == "!="
    values = [value for value in _values(right) if isinstance(value, str)]
    condition = None
    if isinstance(left, dict) and left.get("ct", {}).get("key") == "state":
        rule.states = None if negated else set(values)

        def condition(_packet):
            return ("related" in values) != negated
    elif isinstance(left, dict) and left.get("ct", {}).get("key") == "helper":
        def condition(packet):
            return (packet.helper in values) != negated
    elif isinstance(left, dict) and left.get("meta", {}).get("key") in ("iifname", "iif"):
        def condition(packet):
            answer = packet.device(values, True)
            return _not(answer) if negated else answer
    elif isinstance(left, dict) and left.get("meta", {}).get("key") in ("oifname", "oif"):
        def condition(packet):
            answer = packet.device(values, False)
            return _not(answer) if negated else answer
    elif isinstance(left, dict) and left.get("meta", {}).get("key") in ("l4proto", "nfproto"):
        known = left["meta"]["key"]
        if known == "l4proto":
            rule.protocols |= set(values)

        def condition(packet):
            return (("udp" if known == "l4proto" else packet.family) in values) != negated
    elif isinstance(left, dict) and left.get("payload", {}).get("protocol") in ("udp", "tcp", "th"):
        protocol, field = left["payload"]["protocol"], left["payload"].get("field")
        ports = _ranges(right) if field in ("dport", "sport") and not negated else []
        if protocol != "th":
            rule.protocols.add(protocol)
        rule.ports += ports

        def condition(packet):
            if protocol == "tcp":
                return False
            return packet.port(ports) if ports and field == "dport" else None
    else:
        rule.narrow = True

        def condition(_packet):
            return None
    rule.conditions.append(condition)


def _nft_verdict(expr):
    for key in ("accept", "drop", "return"):
        if key in expr:
            return key
    if "reject" in expr:
        return DROP
    for key in ("jump", "goto"):
        if key in expr:
            return key, expr[key]["target"]
    return None


def _nft_helpers(rule, what, one, helpers):
    """The helper objects of "ct helper set": a name, or a map to names."""
    names = [what] if isinstance(what, str) else []
    if isinstance(what, dict) and isinstance(what.get("map", {}).get("data"), dict):
        for key, name in what["map"]["data"].get("set", []):
            names += [name] if isinstance(name, str) else []
            rule.ports += _ranges(key)
    return [helpers.get((one["family"], one["table"], name), (name, None)) for name in names]


def _nft_rule(one, helpers):
    rule = Rule(f"{one['family']} {one['table']} {one['chain']}")
    rule.delete = f"nft delete rule {one['family']} {one['table']} {one['chain']} handle {one.get('handle', '?')}"
    for expr in one.get("expr", []):
        if not isinstance(expr, dict):
            continue
        if "match" in expr:
            _nft_match(rule, expr["match"])
        elif "ct helper" in expr:
            rule.helpers += _nft_helpers(rule, expr["ct helper"], one, helpers)
        elif "vmap" in expr:
            key = expr["vmap"].get("key", {})
            data = expr["vmap"].get("data", {})
            if isinstance(key, dict) and key.get("ct", {}).get("key") == "state" and isinstance(data, dict):
                rule.vmap = {str(state): _nft_verdict(verdict) for states, verdict in data.get("set", [])
                             for state in _values(states)}
            else:
                rule.verdict = "unknown"
        else:
            rule.verdict = _nft_verdict(expr) or rule.verdict
    return rule


def nft(text):
    """Chains by (family, table, name) of nft -j list ruleset; tables that iptables writes are left out."""
    try:
        items = json.loads(text)["nftables"]
    except (ValueError, KeyError, TypeError):
        return {}
    helpers, chains, foreign = {}, {}, set()
    for item in items:
        if "ct helper" in item:
            one = item["ct helper"]
            helpers[one["family"], one["table"], one["name"]] = (one["type"], one.get("protocol"))
        elif "chain" in item:
            one = item["chain"]
            chain = Chain(one["family"], one["table"], one["name"])
            chain.hook, chain.priority, chain.type = one.get("hook"), one.get("prio"), one.get("type")
            chain.policy = one.get("policy", ACCEPT)
            chains[one["family"], one["table"], one["name"]] = chain
    for item in items:
        if "rule" in item:
            one = item["rule"]
            if any(isinstance(expr, dict) and "xt" in expr for expr in one.get("expr", [])):
                foreign.add((one["family"], one["table"]))
            chain = chains.get((one["family"], one["table"], one["chain"]))
            if chain:
                chain.rules.append(_nft_rule(one, helpers))
    return {key: chain for key, chain in chains.items() if key[:2] not in foreign}


# ---- iptables ----------------------------------------------------------------

_IPT_HOOKS = {"PREROUTING": "prerouting", "INPUT": "input", "FORWARD": "forward", "OUTPUT": "output",
              "POSTROUTING": "postrouting"}


def _ipt_ports(text):
    found = []
    for part in text.split(","):
        low, _, high = part.partition(":")
        if low.isdigit():
            found.append((int(low), int(high) if high.isdigit() else int(low)))
    return found


def _ipt_rule(words, family, table, command):
    """A rule of a line "-A CHAIN ..."."""
    rule = Rule(f"{family} {table} {words[1]}")
    rule.delete = f"{command} -t {table} -D {shlex.join(words[1:])}"
    i, negated = 2, False

    def add(condition, no):
        rule.conditions.append((lambda packet: _not(condition(packet))) if no else condition)

    while i < len(words):
        word, value = words[i], words[i + 1] if i + 1 < len(words) else ""
        step = 2
        if word == "!":
            negated, step = True, 1
            i += step
            continue
        if word in ("-m", "--match", "--comment"):
            pass
        elif word == "-i":
            add(lambda packet, v=value: packet.device([v], True), negated)
        elif word == "-o":
            add(lambda packet, v=value: packet.device([v], False), negated)
        elif word == "-p":
            rule.protocols.add(value)
            add(lambda _packet, v=value: v in ("udp", "all"), negated)
        elif word in ("--ctstate", "--state"):
            states = {state.lower() for state in value.split(",")}
            rule.states = None if negated else states
            add(lambda _packet, s=states: "related" in s, negated)
        elif word in ("--dport", "--dports", "--destination-port", "--sport", "--sports", "--ports"):
            ports = _ipt_ports(value)
            rule.ports += [] if negated else ports
            add((lambda packet, p=ports: packet.port(p)) if "sport" not in word and not negated
                else (lambda _packet: None), False)
        elif word in ("-j", "-g") and value == "CT":
            rest = words[i + 2:]
            if "--helper" in rest[:-1]:
                rule.helpers.append((rest[rest.index("--helper") + 1], None))
            step = len(words) - i
        elif word == "--helper" and "-j" not in words[:i]:
            add(lambda packet, v=value: packet.helper == v, negated)
        elif word in ("-j", "-g"):
            rule.verdict = {"ACCEPT": ACCEPT, "DROP": DROP, "REJECT": DROP, "RETURN": RETURN}.get(
                value, ("goto" if word == "-g" else "jump", value))
            if value in ("LOG", "NFLOG", "MARK", "CONNMARK", "TCPMSS", "NOTRACK", "AUDIT", "TRACE", "CLASSIFY"):
                rule.verdict = None
            step = len(words) - i
        elif word.startswith("-"):
            rule.narrow = True
            rule.conditions.append(lambda _packet: None)
            step = 1 if value.startswith("-") or not value else 2
        else:
            step = 1
        negated = False
        i += step
    return rule


def iptables(text, family, command):
    """Chains of iptables-save or ip6tables-save."""
    chains, table = {}, None
    priority = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
    for line in (text or "").splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":") and table:
            name, policy = line[1:].split()[:2]
            chain = chains[family, table, name] = Chain(family, table, name)
            chain.hook, chain.priority = _IPT_HOOKS.get(name), priority.get(table, 0)
            chain.type = table
            chain.policy = DROP if policy == "DROP" else ACCEPT
        elif line.startswith("-A ") and table:
            try:
                words = shlex.split(line)
            except ValueError:
                continue
            chain = chains.get((family, table, words[1]))
            if chain:
                chain.rules.append(_ipt_rule(words, family, table, command))
    return chains


# ---- questions ---------------------------------------------------------------

def read(system):
    """(chains of nftables, chains of iptables, whether either could be read) of this namespace."""
    text = system.run("nft", "-j", "list", "ruleset")
    nft_chains, old, seen = nft(text or ""), {}, text is not None
    for save, command, family in (("iptables-save", "iptables", "ip"), ("ip6tables-save", "ip6tables", "ip6"),
                                  ("iptables-legacy-save", "iptables-legacy", "ip"),
                                  ("ip6tables-legacy-save", "ip6tables-legacy", "ip6")):
        text = system.run(save)
        seen = seen or text is not None
        for key, chain in iptables(text, family, command).items():
            if key not in nft_chains and not (key in old and old[key].rules):
                old[key] = chain
    return nft_chains, old, seen


def _bases(chains, chain, seen=()):
    """The base chains that lead to a chain."""
    if chain.hook:
        return [chain]
    found = []
    for other in chains.values():
        if (other.family, other.table) != (chain.family, chain.table) or other.name in seen:
            continue
        targets = [rule.verdict[1] for rule in other.rules if isinstance(rule.verdict, tuple)]
        targets += [verdict[1] for rule in other.rules for verdict in (rule.vmap or {}).values()
                    if isinstance(verdict, tuple)]
        if chain.name in targets:
            found += _bases(chains, other, (*seen, other.name))
    return found


def assignments(nft_chains, old_chains):
    """Each rule that gives flows a helper: which, to what ports, and what is wrong with its place."""
    found = []
    for chains, by in ((nft_chains, "nft"), (old_chains, "iptables")):
        for chain in chains.values():
            for rule in chain.rules:
                for name, protocol in rule.helpers:
                    found.append({"by": by, "chain": chain.title(), "helper": name,
                                  "protocols": sorted(rule.protocols) or ([protocol] if protocol else []),
                                  "ports": sorted(set(rule.ports)), "narrow": rule.narrow,
                                  "fault": None if by == "iptables" else _place(chains, chain, rule),
                                  "delete": rule.delete})
    return found


def _place(chains, chain, rule):
    """Why a rule of nftables cannot give a helper where it stands, or None."""
    if rule.states is not None and not rule.states & {"new", "untracked"}:
        return "late", f"it matches {', '.join(sorted(rule.states))} only: by then the flow is confirmed"
    bases = _bases(chains, chain)
    if not bases:
        return "unused", "no base chain leads to its chain"
    faults = [_hook(base) for base in bases]
    return None if None in faults else faults[0]


def _hook(base):
    if base.family in ("netdev", "arp", "bridge") or base.hook in ("ingress", "egress"):
        return "early", f"hook {base.hook} of family {base.family} knows no conntrack"
    if base.hook in ("prerouting", "output") and base.priority <= CONNTRACK:
        return "early", f"hook {base.hook} priority {base.priority} comes before conntrack ({CONNTRACK})"
    if base.hook in ("postrouting", "input") and base.priority >= MODULE:
        return "late", (f"hook {base.hook} priority {base.priority} comes after the module ({MODULE})" +
                        (", and after the flow is confirmed" if base.priority >= CONFIRM else ""))
    return None


def droppers(nft_chains, old_chains, packet):
    """Base chains at the forward hook that drop related packets from outside for certain."""
    found = []
    families = (packet.family.replace("ipv4", "ip").replace("ipv6", "ip6"), "inet")
    for chains, by in ((nft_chains, "nft"), (old_chains, "iptables")):
        for chain in chains.values():
            if chain.hook != "forward" or chain.family not in families:
                continue
            verdict, maybe = run_chain(chains, chain, packet)
            if verdict == DROP and not maybe:
                mend = (f"nft insert rule {chain.title()} ct state related accept" if by == "nft" else
                        f"{'ip6tables' if chain.family == 'ip6' else 'iptables'} -I {chain.name} 1 "
                        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
                found.append({"by": by, "chain": chain.title(), "mend": mend})
    return found
