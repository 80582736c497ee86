# SPDX-License-Identifier: GPL-2.0-only
"""Runs the steps of a flow in a network of its own.

Besides messages (see flowfile.py) a flow has these steps:

    again [NAME]              the last message (or the one sent 'as NAME') once more
    audio A <-> B first SIDE  RTP and RTCP both ways, SIDE (inside, outside) first;
                              'rtp-only', 'rtcp-mux'; 'at ADDRESS:PORT' instead of what
                              the SDP that the outside received names
    rtp A -> B at ADDRESS:PORT  one packet from A to there reaches B; 'from ADDRESS:PORT':
                              seen by B as coming from there
    refused A -> B            RTP and RTCP from outside to B's advertised port: nothing
                              arrives; 'at ADDRESS:PORT' as above, 'rtp-only'
    silence                   quiet for three UDP timeouts
    wait SECONDS              quiet
    entry WORDS               conntrack -L has such an entry
    gone within S: WORDS      conntrack -L has none any more
    expected WORDS            conntrack -L expect has such an expectation
    not-expected within S: WORDS
    expectations N            conntrack -L expect has so many
    listed WORDS              the module's list of live calls has such a line
    not-listed within S: WORDS
    counter NAME +N           NAME has grown by N (or: >=N) since the flow or 'count' began
    count                     counters count from here
    mode N, sysctl NAME VALUE
    gateway COMMAND           runs on the gateway; not with another helper, where it names
                              sip-observe, which only our module has
    hang-up A -> B HOW        A ends its TCP connections with B: 'orderly', or by 'reset';
                              over UDP there are none to end
    unload, load              rmmod; insmod and auto_assign 1 (alone: yes, assign: auto)
"""

import difflib
import ipaddress
import re
import struct
import time

import flow6
import flowfile
import streams
import testnet
from flowfile import FlowError, NotKnown

SIDE_ORDER = {"inside": ("in", "out"), "outside": ("out", "in")}


class Failed(Exception):
    """What the far side saw is not what it should have seen; kind is one word for it."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


def _inside(host):
    return not testnet.HOSTS[host][0].startswith("wan")


def _on_gateway(host):
    return testnet.HOSTS[host][0] == "gw"


def _endpoint(word, port=5060):
    host, _, number = word.partition(":")
    if host not in testnet.HOSTS:
        raise FlowError(f"no host '{host}'")
    return host, int(number or port)


def _show(text):
    """Lines with CR, LF, tabs and odd bytes visible."""
    lines = re.findall(r"[^\n]*\n|[^\n]+$", text)
    return [re.sub(r"[^\x20-\x7e]", lambda m: {"\t": "\\t", "\r": "\\r", "\n": "\\n"}.get(
        m[0], f"\\x{ord(m[0]):02x}"), re.sub(flowfile.MARK + r"([^\ue000]*)" + flowfile.MARK,
                                           r"$\1", line)) for line in lines]


def show_diff(expected, received):
    """The lines that differ, with what is invisible made visible."""
    diff = difflib.ndiff(_show(expected), _show(received))
    return "\n".join("    " + line for line in diff if line[0] in "-+?" and line.strip())


def _same_form(address):
    """An IPv6 address as RFC 5952 spells it."""
    return str(ipaddress.IPv6Address(address)) if address and ":" in address else address


def sdp_media(text):
    """The streams of the SDP in a message: (address, port, RTCP address, RTCP port)."""
    body = text[flowfile.body_offset(text):]
    session, streams = None, []
    for line in re.split(r"\r?\n", body):
        match = re.match(r"c=IN IP[46] (\S+)", line)
        if match:
            if streams:
                streams[-1]["c"] = match[1]
            else:
                session = match[1]
        match = re.match(r"m=\S+ (\d+)", line)
        if match:
            streams.append({"port": int(match[1])})
        match = re.match(r"a=rtcp:(\d+)(?: IN IP[46] (\S+))?", line)
        if match and streams:
            streams[-1]["rtcp"] = (match[2], int(match[1]))
    out = []
    for stream in streams:
        address = _same_form(stream.get("c", session))
        rtcp = stream.get("rtcp", (None, stream["port"] + 1))
        out.append((address, stream["port"], _same_form(rtcp[0]) or address, rtcp[1]))
    return out


class FlowRun:
    """One flow with one set of parameters.

    transport is what its messages travel on, piece the size of their TCP segments (0: what
    TCP makes of them).
    """

    def __init__(self, flow, params, net, log, transport="udp", piece=0):
        self.flow, self.params, self.net, self.log = flow, params, net, log
        self.transport, self.streams = transport, streams.Streams(net, piece)
        self.values = {}
        self.named = {}         # name -> (step, from, to, …) of a message that was sent
        self.last = None
        self.paths = {}         # (outside, inside socket) -> address:port seen outside
        self.adverts = {}       # inside media socket -> what the outside was told
        self.rtcp_of = {}       # media socket, as its own SDP names it -> its RTCP socket
        self.base = {}
        self.count = 0
        self.since = 0.0        # when the step began, or its last message arrived
        self.slowest = 0.0      # seconds that the slowest message took
        self.ours = net.helper in ("sip-strict", "sip-observe", testnet.STAND_IN)

    # Steps

    def run(self, keep_going=False):
        """Runs all steps; returns what failed, in order."""
        failures = []
        self.base = self.net.counters()
        for step in flowfile.steps_of(self.flow, self.params):
            if self.net.six:
                step = flow6.over_ipv6(step)
            self.since = time.monotonic()
            try:
                self._step(step)
                self._nothing_else(step)
            except Failed as err:
                failures.append((err.kind, f"{step.where}: {err}"))
                if not keep_going:
                    break
            except FlowError as err:
                if failures and isinstance(err, NotKnown):
                    failures.append(("cut", f"{step.where}: {err}, because of what failed before"))
                    break
                where = "" if re.match(r"\S+:\d+( \(.*\))?: ", str(err)) else f"{step.where}: "
                raise FlowError(f"{where}{err}") from None
        return failures

    def _step(self, step):
        words = step.words
        if step.text:
            self._message(step)
            return
        self.log(f"# {words}")
        verb, _, rest = words.partition(" ")
        handler = getattr(self, "_do_" + verb.replace("-", "_"), None)
        if not handler:
            raise FlowError(f"no step '{words}'")
        handler(rest.strip())

    def _nothing_else(self, step):
        for host, port, data, source in self.net.unread() + self.streams.unread():
            first = data.decode("latin-1").split("\r\n")[0]
            raise Failed("extra", f"after '{step.words}' {host}:{port} also got, from "
                         f"{testnet.endpoint(*source)}: {first!r}")

    def stood_still(self):
        """Whether one message alone took so long that the gateway may have forgotten a flow.

        It says nothing on the helper then: the short UDP timeout of the flow is for its
        silences, and a message takes some hundredths of a second. Of one that was lost
        nobody knows how long the gateway let it lie: the others are a sign.
        """
        return bool(self.net.udp_timeout) and self.slowest > self.net.udp_timeout / 10

    # Messages

    def _options(self, words, flags):
        """Splits 'A -> B at X from Y …' into its parts."""
        parts = words.split()
        out = {"": []}
        while parts:
            word = parts.pop(0)
            if word in flags:
                if not parts:
                    raise FlowError(f"'{word}' of what?")
                out[word] = parts.pop(0)
            else:
                out[""].append(word)
        return out

    def _message(self, step):
        opts = self._options(step.words, ("at", "from", "as", "over"))
        if len(opts[""]) != 3 or opts[""][1] != "->":
            raise FlowError(f"not 'A -> B': {step.words}")
        sender, receiver = _endpoint(opts[""][0]), _endpoint(opts[""][2])
        if self.transport == "tcp" and "over" not in opts:
            step = flowfile.over_tcp(step)
        text = flowfile.fill_known(flowfile.wire_text(step), self.values)
        sent = flowfile.set_length(text)
        if flowfile.MARK in sent:
            unknown = re.search(flowfile.MARK + "(.*?)" + flowfile.MARK, sent)[1]
            raise NotKnown(f"${unknown} is not known yet")
        record = {"step": step, "sender": sender, "receiver": receiver, "text": text,
                  "sent": sent, "opts": opts, "to": self._target(opts, sender, receiver),
                  "values": {}, "over": self._transport(opts)}
        if "as" in opts:
            self.named[opts["as"]] = record
        self.last = record
        for _ in range(int(self.flow.head.get("copies", 1))):
            self._deliver(record)

    def _transport(self, opts):
        """What carries a message: the sockets of the network, or its streams."""
        word = opts.get("over", self.transport)
        if word not in ("udp", "tcp"):
            raise FlowError(f"over udp or tcp, not {word}")
        return self.streams if word == "tcp" else self.net

    def _target(self, opts, sender, receiver):
        if "at" in opts:
            return self._address(opts["at"])
        if _on_gateway(sender[0]) or _on_gateway(receiver[0]) or \
                not _inside(receiver[0]) or _inside(sender[0]):
            return self.net.address(receiver[0]), receiver[1]
        if (sender, receiver) in self.paths:
            return self.paths[(sender, receiver)]
        if self.net.forward == receiver[0]:
            return self.net.own(testnet.WAN_GW), self.net.port
        if self.net.nat == "none":
            return self.net.address(receiver[0]), receiver[1]
        raise NotKnown("nothing came this way before: say 'at ADDRESS:PORT'")

    def _address(self, word):
        text = flowfile.fill_known(word, self.values)
        if flowfile.MARK in text:
            raise NotKnown(f"'{word}' is not known yet")
        host, _, port = text.rpartition(":")
        if host in testnet.HOSTS:
            host = self.net.address(host)
        return host.strip("[]"), int(port)

    def _expected(self, record):
        text = record["text"]
        for change in record["step"].changes:
            text = flowfile.apply_change(text, change, self.values)
        return text

    def _deliver(self, record):
        step, (receiver, port), over = record["step"], record["receiver"], record["over"]
        wait = testnet.REFUSE if step.outcome == "lost" else testnet.ARRIVE
        over.socket(receiver, port)
        first = record["sent"].split("\r\n")[0]
        self.log(f"{step.words}  ({testnet.endpoint(*record['to'])})  {first}")
        error = over.send(*record["sender"], record["sent"].encode("latin-1"), record["to"], wait)
        sent = time.monotonic()
        got = None if error else over.receive(receiver, port, wait)
        took = (time.monotonic() if got else sent) - self.since
        self.since, self.slowest = time.monotonic(), max(self.slowest, took)
        if step.outcome == "lost":
            if got:
                raise Failed("open", f"{receiver}:{port} got what it should not have: {first!r}")
            return
        if not got:
            raise Failed("lost", error or f"{receiver}:{port} never got {first!r}")
        self._check(record, got[0].decode("latin-1"), got[1])

    def expected(self, record):
        """What the receiver must get, as far as its values are known."""
        return flowfile.set_length(flowfile.refill(self._expected(record), self.values))

    def _check(self, record, received, source):
        self._learn(self._expected(record), received)
        expected = self.expected(record)
        if not _inside(record["receiver"][0]):
            self.paths[(record["receiver"], record["sender"])] = source
        self._learn_media(record, received)
        problems = []
        if expected != received:
            problems.append("bytes differ (- expected, + received):\n"
                            + show_diff(expected, received))
        problems += self._check_source(record, source)
        if problems:
            raise Failed("bytes" if expected != received else "source", "\n  ".join(problems))

    def _check_source(self, record, source):
        sender = record["sender"]
        if "from" in record["opts"]:
            want = record["opts"]["from"]
            text = flowfile.fill_known(want, self.values)
            self._learn(text, testnet.endpoint(*source))
            text = flowfile.refill(text, self.values)
        elif _inside(sender[0]) and not _inside(record["receiver"][0]) and \
                self.net.nat != "none":
            text = testnet.endpoint(self.net.own(testnet.WAN_GW), source[1])
        else:
            text = testnet.endpoint(self.net.address(sender[0]), sender[1])
        if testnet.endpoint(*source) != text:
            return [f"came from {testnet.endpoint(*source)}, not from {text}"]
        return []

    def _learn(self, expected, received):
        """Lets the first message that has a $NAME decide it, line by line."""
        for want, got in self._matching_lines(expected, received):
            names = re.findall(flowfile.MARK + r"([A-Z][A-Z0-9]*)" + flowfile.MARK, want)
            if not names:
                continue
            pattern, seen = "", set()
            for part in re.split(f"({flowfile.MARK}[^{flowfile.MARK}]+{flowfile.MARK})", want):
                name = part.strip(flowfile.MARK)
                if not part.startswith(flowfile.MARK):
                    pattern += re.escape(part)
                elif name in seen:
                    pattern += f"(?P={name})"
                elif re.fullmatch(r"[A-Z][A-Z0-9]*", name):
                    pattern += rf"(?P<{name}>\d+)"
                    seen.add(name)
                else:
                    pattern += r"\d+"
            match = re.fullmatch(pattern, got)
            for name, value in (match.groupdict() if match else {}).items():
                if name != "CL":
                    self.values.setdefault(name, value)

    @staticmethod
    def _matching_lines(expected, received):
        want, got = expected.split("\n"), received.split("\n")
        if len(want) == len(got):
            return zip(want, got)
        return []

    def _learn_media(self, record, received):
        sender, sent = record["sender"][0], sdp_media(record["sent"])
        for stream in sent:
            self.rtcp_of[stream[:2]] = stream[2:]
        if _inside(sender) and not _inside(record["receiver"][0]):
            for ours, theirs in zip(sent, sdp_media(received)):
                self.adverts[ours[:2]] = theirs

    def _do_again(self, rest):
        record = self.named.get(rest) if rest else self.last
        if not record:
            raise FlowError(f"no message '{rest}' to send again")
        self._deliver(record)

    # Media

    def _advert(self, opts, host, port):
        """Where the outside sends RTP and RTCP for an inside media socket."""
        if "at" in opts:
            address, number = self._address(opts["at"])
            return (address, number), (address, number + 1)
        told = self._of_socket(self.adverts, host, port)
        if not told:
            raise Failed("audio", f"no SDP that reached the outside named {host}:{port}")
        return told[:2], told[2:]

    def _packet(self, rtcp, name):
        self.count += 1
        head = struct.pack("!BBH", 0x80, 200, 6) if rtcp else \
            struct.pack("!BBHI", 0x80, 0, self.count, self.count * 160)
        return head + f"{name} {self.count}".encode()

    def _rtcp_port(self, host, port):
        return (self._of_socket(self.rtcp_of, host, port) or (None, port + 1))[1]

    def _of_socket(self, table, host, port):
        """What is known of a host's media socket, in whichever family an SDP named it."""
        found = (table.get((self.net.address(host, family == 6), port))
                 for family in self.net.families())
        return next((value for value in found if value), None)

    def _probe(self, what, sender, target, receiver, source):
        """One packet: must arrive, and come from exactly that source (None: from any)."""
        data = self._packet("RTCP" in what, what)
        is_six = ":" in target[0]
        self.net.socket(*receiver, is_six)
        error = self.net.send(*sender, data, target)
        shown = f"{what} from {sender[0]}:{sender[1]} to {testnet.endpoint(*target)}"
        if error:
            raise Failed("audio", f"{what}: {error}")
        got = self.net.receive(*receiver, is_six=is_six)
        if not got:
            raise Failed("audio", f"no audio: {shown} never reached {receiver[0]}:{receiver[1]}")
        if got[0] != data:
            raise Failed("audio", f"{shown} arrived changed, or another did")
        if source and got[1] != source:
            raise Failed("port", f"{shown} came from {testnet.endpoint(*got[1])}, "
                         f"not from {testnet.endpoint(*source)}")

    def _do_audio(self, rest):
        opts = self._options(rest, ("first", "at"))
        words = opts[""]
        if len(words) < 3 or words[1] != "<->" or opts.get("first") not in SIDE_ORDER:
            raise FlowError("not 'audio INSIDE <-> OUTSIDE first inside|outside'")
        host, port = _endpoint(words[0])
        peer, peer_port = _endpoint(words[2])
        rtp, rtcp = self._advert(opts, host, port)
        peer_address = self.net.address(peer, ":" in rtp[0])
        pairs = [("RTP", port, rtp, peer_port)]
        if not {"rtp-only", "rtcp-mux"} & set(words):
            pairs.append(("RTCP", self._rtcp_port(host, port), rtcp,
                          self._rtcp_port(peer, peer_port)))
        if "rtcp-mux" in words:
            pairs.append(("RTCP on the RTP port", port, rtp, peer_port))
        for way in SIDE_ORDER[opts["first"]] * 2:
            for what, inside, advert, outside in pairs:
                if way == "out":
                    self._probe(what, (peer, outside), advert, (host, inside),
                                (peer_address, outside))
                else:
                    self._probe(what, (host, inside), (peer_address, outside),
                                (peer, outside), advert)

    def _do_rtp(self, rest):
        opts = self._options(rest, ("at", "from"))
        words = opts[""]
        if len(words) != 3 or words[1] != "->" or "at" not in opts:
            raise FlowError("not 'rtp A -> B at ADDRESS:PORT'")
        self._probe("RTP", _endpoint(words[0]), self._address(opts["at"]), _endpoint(words[2]),
                    self._address(opts["from"]) if "from" in opts else None)

    def _do_refused(self, rest):
        opts = self._options(rest, ("at",))
        words = opts[""]
        if len(words) < 3 or words[1] != "->":
            raise FlowError("not 'refused A -> B'")
        sender, receiver = _endpoint(words[0], 40000), _endpoint(words[2])
        rtp, rtcp = self._advert(opts, *receiver)
        rtcp_port, is_six = self._rtcp_port(*receiver), ":" in rtp[0]
        self.net.socket(*receiver, is_six)
        self.net.socket(receiver[0], rtcp_port, is_six)
        self.net.send(*sender, self._packet(False, "refused"), rtp)
        if "rtp-only" not in words:
            self.net.send(sender[0], sender[1] + 1, self._packet(True, "refused"), rtcp)
        if self.net.receive(*receiver, testnet.REFUSE, is_six):
            raise Failed("open", f"RTP from {sender[0]} reached {receiver[0]}:{receiver[1]}")
        if self.net.receive(receiver[0], rtcp_port, 0, is_six):
            raise Failed("open", f"RTCP from {sender[0]} reached {receiver[0]}:{rtcp_port}")

    # Time

    def _do_silence(self, rest):
        if not self.net.udp_timeout or rest:
            raise FlowError("silence needs 'udp-timeout: N' in the head")
        time.sleep(3 * self.net.udp_timeout)

    def _do_wait(self, rest):
        time.sleep(float(rest))

    # What the gateway knows

    def _within(self, rest):
        match = re.match(r"within (\d+):?\s*(.*)", rest)
        seconds, words = (int(match[1]), match[2]) if match else (0, rest)
        words = flowfile.fill_known(words, self.values)
        if flowfile.MARK in words:
            raise NotKnown(f"'{rest}' has a value that is not known yet")
        return seconds, words.split()

    def _there(self, rest, read, what):
        seconds, words = self._within(rest)
        if not testnet.wait_until(lambda: read(*words), seconds):
            raise Failed("missing", f"{what} has nothing with '{' '.join(words)}'")

    def _not_there(self, rest, read, what):
        seconds, words = self._within(rest)
        if not testnet.wait_until(lambda: not read(*words), seconds):
            raise Failed("left", f"{what} has after {seconds} s: {read(*words)[0].strip()}")

    def _do_entry(self, rest):
        self._there(rest, self.net.conntrack, "conntrack")

    def _do_gone(self, rest):
        self._not_there(rest, self.net.conntrack, "conntrack")

    def _do_expected(self, rest):
        self._there(rest, self.net.expectations, "conntrack -L expect")

    def _do_not_expected(self, rest):
        self._not_there(rest, self.net.expectations, "conntrack -L expect")

    def _do_expectations(self, rest):
        found = self.net.expectations()
        if len(found) != int(rest):
            raise Failed("expect", f"conntrack -L expect has {len(found)} entries, not {rest}")

    def _do_listed(self, rest):
        if self.ours:
            self._there(rest, self.net.calls, testnet.CALLS)

    def _do_not_listed(self, rest):
        if self.ours:
            self._not_there(rest, self.net.calls, testnet.CALLS)

    def _do_count(self, rest):
        if rest:
            raise FlowError("count takes nothing")
        self.base = self.net.counters()

    def _do_counter(self, rest):
        match = re.fullmatch(r"(\S+)\s+(\+|>=)(\d+)", rest)
        if not match:
            raise FlowError("not 'counter NAME +N' or 'counter NAME >=N'")
        if not self.ours:
            return
        now = self.net.counters()
        if match[1] not in now:
            raise Failed("counter", f"{testnet.STAT} has no {match[1]}")
        grown, want = now[match[1]] - self.base.get(match[1], 0), int(match[3])
        if grown < want or (match[2] == "+" and grown != want):
            raise Failed("counter", f"counter {match[1]} grew by {grown}, not by {match[2].strip('+')}{want}")

    def _do_mode(self, rest):
        if self.ours:
            self.net.sysctl("mode", int(rest))

    def _do_sysctl(self, rest):
        name, _, value = rest.partition(" ")
        if self.ours:
            self.net.sysctl(name, value.strip())

    def _do_gateway(self, rest):
        if "sip-observe" in rest and not self.ours:
            return
        self.net.run("gw", flowfile.fill_known(rest, self.values), shell=True)

    def _do_hang_up(self, rest):
        words = rest.split()
        if len(words) != 4 or words[1] != "->" or words[3] not in ("orderly", "reset"):
            raise FlowError("not 'hang-up A -> B orderly|reset'")
        one, other = _endpoint(words[0]), _endpoint(words[2])
        peer = self._target({}, one, other)
        ended = self.streams.hang_up(*one, peer, words[3] == "reset")
        if self.transport == "tcp" and not ended:
            raise FlowError(f"{words[0]} has no connection with {peer[0]}:{peer[1]}")

    def _do_unload(self, rest):
        if rest:
            raise FlowError("unload takes nothing")
        if self.ours:
            testnet.unload_module()

    def _do_load(self, rest):
        if rest:
            raise FlowError("load takes nothing")
        if self.ours:
            testnet.load_helper(self.net.helper)
            self.net.sysctl("auto_assign", 1)
