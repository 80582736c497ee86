# SPDX-License-Identifier: GPL-2.0-only
"""A flow that is written for IPv4, over IPv6.

Where SIP is over IPv6 (family 6), an address of the network stands for the IPv6 one of the
same host: 192.168.1.20 for [2001:db8:1::20], in SDP and received= without brackets, IN IP4
for IN IP6, and in the commands for the gateway the words of IPv4 for those of IPv6. So the
blocks serve both families. An IPv6 address that is written in a flow stays as it is.
"""

import re

import testnet
from flowfile import Change, Line, Step

_NETWORK = re.compile(r"(?<![\w.])(?:" + "|".join(map(re.escape, testnet.NETS6))
                      + r")\.(?:\d+|\$[A-Z]+)(?![\w.])")
_SDP_ADDRESS = re.compile(r"IN IP4 (0\.0\.0\.0(?![\w.])|" + _NETWORK.pattern + ")")
# What a line for the gateway says of IPv4.
_COMMANDS = ((re.compile(r"\b(table|chain|rule|flowtable) ip\b"), r"\1 ip6"),
             (re.compile(r"\bip ([sd]addr)\b"), r"ip6 \1"),
             (re.compile(r"\biptables\b"), "ip6tables"),
             (re.compile(r"\bip rule\b"), "ip -6 rule"),
             (re.compile(r"\bconntrack -D\b"), "conntrack -D -f ipv6"),
             (re.compile(r"(ip addr (?:add|replace) \S+/64 dev \w+)"), r"\1 nodad"),
             (re.compile(r"\bexternal_addr4\b"), "external_addr6"))


def _six(text, brackets):
    """Text with the IPv6 addresses of the network in it; brackets(match): whether in them."""
    return _NETWORK.sub(lambda match: f"[{testnet.six(match[0])}]" if brackets(match)
                        else testnet.six(match[0]), text)


def _six_line(text):
    if re.match(r"[a-z]=", text):
        text = _SDP_ADDRESS.sub(lambda match: f"IN IP6 {testnet.six(match[1])}", text)
        return _six(text, lambda match: text.endswith("//", 0, match.start()))
    return _six(text, lambda match: not text.endswith("received=", 0, match.start()))


def _six_words(text):
    text = _six(text, lambda match: text.startswith(":", match.end())
                or text.endswith("@", 0, match.start()))
    if text.startswith(("gateway ", "sysctl ")):
        text = re.sub(r"(2001:db8:\S*)/(24|32)\b",
                      lambda match: f"{match[1]}/{64 if match[2] == '24' else 128}", text)
        for pattern, new in _COMMANDS:
            text = pattern.sub(new, text)
    return text


def over_ipv6(step):
    """A step as it is where all is IPv6: its addresses are."""
    def change(row):
        bare = bool(re.match(r"[a-z]=|.*\.received$", row.field))
        old, new = ("::" if bare and value == "0.0.0.0" else _six(value, lambda _: not bare)
                    for value in (row.old, row.new))
        return Change(row.field, old, new, row.where)
    return Step(_six_words(step.words), step.where,
                [Line(_six_line(row.text), row.where) for row in step.text], step.outcome,
                [change(row) for row in step.changes])
