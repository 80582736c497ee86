#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Real phones: baresip through Kamailio, with tones that the other side must hear.

usage: phones.py [-v] [udp|tcp]     what the phones speak; default both, one after the other
    -v     keep the logs of the phones and say where they are

    in1 … in8  192.168.1.101 … 108  == gateway 198.51.100.1 ==  Kamailio 203.0.113.5
                                                                out1 … out4  203.0.113.51 … 54

Kamailio is registrar and proxy, asks for passwords, and helps nobody with NAT. Each
phone sends a tone of its own; what a phone decodes is recorded, and level and
frequency of the record must be those of the phone it talks to. All phones use
the same few RTP ports. The gateway's UDP timeouts are short, so each hold is
longer than three of them.

With its first hold baresip 1.0 loses the filter that records. From there on the
record is taken from the RTP that arrives at the phone, and the phone itself must
say that it receives all of it.

environment: as run_flows.py; HELPER=sip|none shows what phones lose without ours.
"""

import array
import glob
import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import wave

import testnet

INSIDE = [f"in{n}" for n in range(1, 9)]
OUTSIDE = [f"out{n}" for n in range(1, 5)]
PROXY = testnet.host_address("proxy")
RATE = 8000
BITS = 8 * RATE         # of PCMU, a second
RTP_PORTS = range(16384, 16392)
AMPLITUDE = 8000        # of the tone, of 32767
TONE_SECONDS = 120 * testnet.SLOW       # longer than any call here: with its tone a call ends
WINDOW = RATE // 4      # samples that are looked at
UDP_TIMEOUT = 2
PTIME = min(20 * testnet.SLOW, 60)      # ms of audio in a packet: fewer of them on a slow machine
ANSWER = 10 * testnet.SLOW      # seconds for anything that phones do by messages
MODULES = ("g711", "aufile", "aubridge", "sndfile", "uuid")
APPS = ("account", "menu", "ctrl_tcp")
MODULE_DIR = "/usr/lib/baresip/modules"

KAMAILIO = """#!KAMAILIO
debug=0
log_stderror=yes
children=2
tcp_children=2
tcp_source_ipv4={proxy}
auto_aliases=no
dns=no
rev_dns=no
listen=udp:{proxy}:5060
listen=tcp:{proxy}:5060
loadmodule "pv.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)

request_route {{
    if (!mf_process_maxfwd_header("20")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (has_totag()) {{
        if (loose_route() || (is_method("ACK") && t_check_trans()))
            t_relay();
        else if (!is_method("ACK"))
            sl_send_reply("404", "Not Here");
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans())
            t_relay();
        exit;
    }}
    t_check_trans();
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("$td", "secret", "0"))
            www_challenge("$td", "0");
        else
            save("location");
        exit;
    }}
    if (!pv_proxy_authenticate("$fd", "secret", "0")) {{
        proxy_challenge("$fd", "0");
        exit;
    }}
    consume_credentials();
    record_route();
    if (!lookup("location")) {{
        sl_send_reply("404", "Not Registered");
        exit;
    }}
    t_relay();
}}
"""

PHONE = """poll_method epoll
sip_listen {address}:5060
net_interface eth0
ctrl_tcp_listen 127.0.0.1:4444
call_max_calls 4
audio_source aufile,{folder}/tone.wav
audio_player aubridge,nobody
audio_alert aubridge,nobody
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
rtp_ports {ports}
snd_path {folder}
module_path {modules}
"""


class Failed(Exception):
    """What should have held did not."""


class Lab(testnet.Net):
    """The gateway of the flows, with a switch inside and one outside."""

    def __init__(self, helper):
        super().__init__(helper, os.environ.get("ASSIGN", "nft"), udp_timeout=UDP_TIMEOUT)
        tail = self.names["gw"].rsplit("-", 1)[1]
        self.phones = {name: f"192.168.1.{101 + i}" for i, name in enumerate(INSIDE)}
        self.phones |= {name: f"203.0.113.{51 + i}" for i, name in enumerate(OUTSIDE)}
        self.names |= {name: f"sips-{name}-{tail}" for name in self.phones}

    def _addresses(self, is_six):
        super()._addresses(is_six)
        for side, address in (("lan", None), ("wan", "203.0.113.1/24")):
            lines = ["link add switch type bridge", "link set switch up"]
            if address:
                lines.append(f"addr add {address} dev switch")
            else:
                lines += ["addr flush dev eth0", "link set eth0 master switch"]
            for name in INSIDE if side == "lan" else OUTSIDE:
                lines += [f"link add {name} type veth peer name eth0 netns {self.names[name]}",
                          f"link set {name} master switch up"]
            self.run(side, f"ip -n {self.names[side]} -batch -", stdin="\n".join(lines) + "\n")
        self.write("wan", "/proc/sys/net/ipv4/ip_forward", 1)
        for name, address in self.phones.items():
            gateway = testnet.LAN_GW if name in INSIDE else "203.0.113.1"
            self.run(name, f"ip -n {self.names[name]} -batch -", stdin="\n".join([
                f"addr add {address}/24 dev eth0", "link set eth0 up",
                f"route add default via {gateway}"]) + "\n")

    def start(self, side, argv, folder):
        """A program in a namespace, its output in a file."""
        with open(os.path.join(folder, "log"), "wb") as log:
            return subprocess.Popen(["ip", "netns", "exec", self.names[side], *argv],
                                    stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=subprocess.STDOUT, cwd=folder)


def write_tone(path, frequency):
    """A tone as a WAV file; it begins anew each second, so the frequency is a whole number."""
    second = array.array("h", (round(AMPLITUDE * math.sin(2 * math.pi * frequency * i / RATE))
                               for i in range(RATE)))
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(second.tobytes() * TONE_SECONDS)


def strength(samples, frequency):
    """Amplitude of one frequency in the samples (Goertzel)."""
    factor = 2 * math.cos(2 * math.pi * frequency / RATE)
    before, last = 0.0, 0.0
    for sample in samples:
        before, last = last, sample + factor * last - before
    power = max(before * before + last * last - factor * before * last, 0.0)
    return 2 * math.sqrt(power) / len(samples)


class Phone:
    """One baresip."""

    def __init__(self, net, name, folder, transport):
        self.net, self.name = net, name
        self.folder = os.path.join(folder, name)
        # Apart from each other, no multiples, and whole periods in a window.
        self.frequency = 400 + 52 * (INSIDE + OUTSIDE).index(name)
        # baresip adds the transport to what is dialled.
        self.uri = f"sip:{name}@{PROXY}"
        self.account = f"<{self.uri};transport={transport}>"
        self.events, self.buffer, self.tokens = [], b"", 0
        self.sock = self.process = None
        self.heard_at = {}
        self.wire = None
        os.mkdir(self.folder)
        write_tone(os.path.join(self.folder, "tone.wav"), self.frequency)
        lines = [PHONE.format(address=net.phones[name], folder=self.folder, rate=RATE,
                              modules=MODULE_DIR, ports=f"{RTP_PORTS[0]}-{RTP_PORTS[-1]}")]
        lines += [f"module {m}.so\n" for m in MODULES] + [f"module_app {m}.so\n" for m in APPS]
        self._write("config", "".join(lines))
        self._write("accounts", "")     # made by register(), so that its events are seen
        self._write("contacts", "")

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as out:
            out.write(text)

    def start(self):
        """Runs it."""
        self.process = self.net.start(self.name, ["baresip", "-f", self.folder], self.folder)

    def connect(self):
        """The control connection, once it listens."""
        def attempt():
            self.net.enter(self.name)
            try:
                self.sock = socket.create_connection(("127.0.0.1", 4444), 5)
                self.wire = Wire()
            except OSError:
                return False
            finally:
                self.net.enter(None)
            return True
        if not testnet.wait_until(attempt, 20):
            raise Failed(f"{self.name} did not start: {self.last_words()}")

    def stop(self):
        """Ends it."""
        if self.sock:
            self.sock.close()
        if self.wire:
            self.wire.sock.close()
        if self.process:
            self.process.kill()
            self.process.wait()

    def last_words(self):
        """The end of its log."""
        with open(os.path.join(self.folder, "log"), "rb") as log:
            return log.read()[-600:].decode("latin-1")

    # Control: JSON in netstrings

    def _pump(self, wait):
        if not testnet.readable([self.sock], wait):
            return
        data = self.sock.recv(65536)
        if not data:
            raise Failed(f"{self.name} ended: {self.last_words()}")
        self.buffer += data
        while b":" in self.buffer:
            size, rest = self.buffer.split(b":", 1)
            if len(rest) <= int(size):
                break
            self.events.append(json.loads(rest[:int(size)].decode("latin-1")))
            self.buffer = rest[int(size) + 1:]

    def wait(self, seconds, **want):
        """The first event with these values, taken off the queue, or None."""
        end = time.monotonic() + seconds
        while True:
            for event in self.events:
                if all(str(event.get(k)) == v for k, v in want.items()):
                    self.events.remove(event)
                    return event
            left = end - time.monotonic()
            if left <= 0:
                return None
            self._pump(left)

    def command(self, command, params=None):
        """A command of its menu."""
        self.tokens += 1
        token = str(self.tokens)
        order = {"command": command, "token": token} | ({"params": params} if params else {})
        text = json.dumps(order).encode()
        self.sock.sendall(b"%d:%s," % (len(text), text))
        answer = self.wait(ANSWER, token=token)
        if not answer or not answer.get("ok"):
            raise Failed(f"{self.name}: '{command}' gave {answer}")

    def refuses(self, command):
        """The failure of a command, where it fails."""
        try:
            self.command(command)
        except Failed as err:
            return err
        return None

    def expect(self, kind, why):
        """An event that must come."""
        event = self.wait(ANSWER, type=kind)
        if not event:
            seen = ", ".join(f"{e.get('type')} {e.get('param') or ''}".strip()
                             for e in self.events if "type" in e)
            raise Failed(f"{self.name}: {why}; it saw: {seen or 'nothing'}")
        return event

    def forget(self):
        """Drops what has happened."""
        self._pump(0)
        self.events.clear()

    # What it hears

    def _records(self):
        return {path: os.path.getsize(path)
                for path in glob.glob(os.path.join(self.folder, "dump-*-dec.wav"))}

    def mark(self):
        """What is recorded from here on counts as heard."""
        self.heard_at = self._records()
        self.wire.mark()

    def grown(self):
        """The record that has grown most since the mark, and by how many samples."""
        news = {path: size - self.heard_at.get(path, 44)
                for path, size in self._records().items()}
        path = max(news, key=news.get, default=None)
        return path, (news[path] // 2 if path else 0)

    def check_hears(self, other, resumed=False):
        """It must hear the other's tone, as loud as it was sent, within seconds."""
        count = self.wire.arrived if resumed else lambda: self.grown()[1]
        need = WINDOW + RATE // 10      # the first words after the mark may be old ones
        if not testnet.wait_until(lambda: count() >= need, 4):
            raise Failed(f"{self.name} does not hear {other.name}: {count()} samples in 4 s")
        # A machine that is late leaves gaps: wait for a stretch without one.
        if not testnet.wait_until(lambda: self.strengths(other, resumed)[2], 4):
            level, tone, _ = self.strengths(other, resumed)
            raise Failed(f"{self.name} hears a level of {level:.0f}, of it {tone:.0f} at "
                         f"{other.frequency} Hz, the tone of {other.name}, not {AMPLITUDE}")
        # A machine that is slow does not send all of it.
        least = (0.8 if testnet.SLOW == 1 else 0.1) * BITS
        if resumed and not testnet.wait_until(lambda: self.rate() > least, 8):
            raise Failed(f"{self.name} says that it receives {self.rate()} bit/s of RTP")

    def strengths(self, other, resumed):
        """What it hears now: level, strength of the other's tone, and whether that is all."""
        samples = self.wire.last(WINDOW) if resumed else self.last(WINDOW)
        level = math.sqrt(2 * sum(x * x for x in samples) / len(samples))
        tone = strength(samples, other.frequency)
        return level, tone, 0.8 * AMPLITUDE < tone < 1.2 * AMPLITUDE and tone >= 0.8 * level

    def last(self, count):
        """The last so many recorded samples."""
        path, _ = self.grown()
        samples = array.array("h")
        with open(path, "rb") as record:
            record.seek(os.path.getsize(path) // 2 * 2 - 2 * count)
            samples.frombytes(record.read(2 * count))
        return samples

    def rate(self):
        """Bits a second of RTP that the call receives, as the phone's status line says."""
        seen = re.findall(r"audio=\d+/(\d+)", self.last_words())
        return int(seen[-1]) if seen else 0


def pcmu_values():
    """What the 256 bytes of PCMU (G.711) stand for."""
    values = []
    for byte in range(256):
        code = byte ^ 0xff
        size = (((code & 15) << 3) + 132 << (code >> 4 & 7)) - 132
        values.append(-size if code & 128 else size)
    return values


class Wire:
    """The RTP that arrives at a host (made in its namespace)."""

    VALUES = pcmu_values()

    def __init__(self):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x800))
        self.sock.setblocking(False)
        self.streams = {}

    def mark(self):
        """Forgets what has come."""
        self._read()
        self.streams = {}

    def _read(self):
        while True:
            try:
                data, source = self.sock.recvfrom(2048)
            except BlockingIOError:
                return
            port = int.from_bytes(data[22:24], "big")
            if source[2] != socket.PACKET_OUTGOING and data[9] == socket.IPPROTO_UDP and \
                    port in RTP_PORTS[::2] and len(data) > 40:
                self.streams.setdefault(port, bytearray()).extend(data[40:])

    def arrived(self):
        """Samples of the longest stream since the mark."""
        self._read()
        return max(map(len, self.streams.values()), default=0)

    def last(self, count):
        """Its last so many samples."""
        self._read()
        return [self.VALUES[byte] for byte in max(self.streams.values(), key=len)[-count:]]


def audio(*pairs, resumed=False):
    """Each pair must hear each other."""
    for phone in {p for pair in pairs for p in pair}:
        phone.mark()
    failed = []
    for one, other in pairs:
        for listener, speaker in ((one, other), (other, one)):
            try:
                listener.check_hears(speaker, resumed)
            except Failed as err:
                failed.append(str(err))
    if failed:
        raise Failed("\n".join(failed))


class Story:
    """The calls, one stage after the other; each claim is a case."""

    def __init__(self, net, folder, transport, results):
        self.net, self.folder, self.transport = net, folder, transport
        self.phones = {name: Phone(net, name, folder, transport) for name in net.phones}
        self.results, self.log = results, testnet.KernelLog()
        self.kamailio = None

    # Claims

    def claim(self, name, steps, *args):
        """Runs steps; the claim holds unless they fail."""
        name = f"tcp/{name}" if self.transport == "tcp" else name
        testnet.KernelLog.announce(name)
        reason = ""
        try:
            steps(*args)
        except Failed as err:
            reason = str(err)
        trouble = self.log.trouble()
        if trouble:
            reason += "\nthe kernel complained:\n" + "\n".join(trouble)
        self.results.append(not reason)
        print(("not ok" if reason else "ok") + f" {len(self.results)} {name}")
        if reason:
            print("# " + reason.strip().replace("\n", "\n# "))
        sys.stdout.flush()
        return not reason

    # What the phones do

    def start(self):
        """Kamailio, then all phones at once."""
        home = os.path.join(self.folder, "kamailio")
        os.mkdir(home)
        config = os.path.join(home, "kamailio.cfg")
        with open(config, "w", encoding="ascii") as out:
            out.write(KAMAILIO.format(proxy=PROXY))
        self.kamailio = self.net.start("wan", ["kamailio", "-f", config, "-DD", "-E", "-m", "16",
                                               "-M", "4", "-Y", home, "-w", home], home)
        testnet.wait_until(lambda: self._proxy_listens() or self.kamailio.poll() is not None, 20)
        if not self._proxy_listens():
            with open(os.path.join(home, "log"), "rb") as log:
                raise Failed("Kamailio did not start: " + log.read()[-600:].decode("latin-1"))
        for phone in self.phones.values():
            phone.start()
        for phone in self.phones.values():
            phone.connect()

    def _proxy_listens(self):
        return "203.0.113.5:5060" in self.net.run("wan", "ss -Hlun", check=False, quiet=True)

    def register(self):
        """Each phone, with a password."""
        for phone in self.phones.values():
            phone.command("uanew", f"{phone.account};auth_user={phone.name};auth_pass=secret;"
                          f"regint=600;audio_codecs=PCMU/8000/1;ptime={PTIME};answermode=manual")
        for phone in self.phones.values():
            phone.expect("REGISTER_OK", "is not registered")

    def call(self, *pairs):
        """The first of each pair calls the second, which answers; both must hear the other."""
        for caller, called in pairs:
            caller.forget()
            called.forget()
            caller.command("dial", called.uri)
        for caller, called in pairs:
            called.expect("CALL_INCOMING", f"the call of {caller.name} did not ring")
            called.command("accept")
        for pair in pairs:
            for phone in pair:
                phone.expect("CALL_ESTABLISHED", "the call is not up")
        audio(*pairs)

    def hang_up(self, phone, other):
        """One hangs up, and the other's call ends by that."""
        phone.forget()
        other.forget()
        phone.command("hangup")
        other.expect("CALL_CLOSED", f"its call does not end when {phone.name} hangs up")

    @staticmethod
    def transfer(who, whom, to):
        """who has a call with whom and transfers it: whom calls to."""
        time.sleep(1.1)     # records are named by the second
        for phone in (who, whom, to):
            phone.forget()
        who.command("transfer", to.uri)
        to.expect("CALL_INCOMING", f"the call that {who.name} transferred did not ring")
        to.command("accept")
        to.expect("CALL_ESTABLISHED", "the transferred call is not up")
        who.expect("CALL_CLOSED", "its call does not end after the transfer")
        audio((whom, to))

    def end_all(self):
        """Whatever is still up after a failure."""
        for phone in self.phones.values():
            for _ in range(2):
                try:
                    phone.command("hangup")
                except Failed:
                    break
        time.sleep(0.5)

    def media_entries(self):
        """Media entries of the gateway."""
        return [line for line in self.net.conntrack() if "port=5060" not in line]

    def nothing_left(self):
        """No media entry, and no pinhole but those of the registrations."""
        def left():
            pinholes = self.net.expectations("proto=17")
            return self.media_entries() + [x for x in pinholes if "class=0" not in x]
        if not testnet.wait_until(lambda: not left(), 8):
            raise Failed("left: " + "\n".join(left()[:4]))

    def verdicts(self):
        """The module must say of every call that both sides were heard."""
        counters = self.net.counters()
        odd = {name: counters[name] for name in ("one_way_inside", "one_way_outside",
                                                 "neither_heard", "refused_source")
               if counters[name]}
        if odd or not counters["both_heard"]:
            raise Failed(f"{odd}, both_heard {counters['both_heard']}")

    def run(self):
        """All of it."""
        p = self.phones
        if not self.claim("start", self.start) or not self.claim("register", self.register):
            return
        self._two_ways(p)
        self._transfers(p)
        self._eight(p)
        self.claim("nothing-left", self.nothing_left)
        if self.net.helper == "sip-strict":
            self.claim("verdicts", self.verdicts)

    def _two_ways(self, p):
        """Calls out and in, each held by one side and resumed."""
        calls = {"out": [(p["in1"], p["out1"]), (p["in2"], p["out2"])],
                 "in": [(p["out3"], p["in3"]), (p["out4"], p["in4"])]}
        # One way after the other: so much audio at once is too much for a slow machine.
        for way, (first, second) in calls.items():
            if self.claim(f"call-{way}", self.call, first, second):
                self._hold([(f"hold-{way}-by-caller", *first),
                            (f"hold-{way}-by-called", *reversed(second))])
            self.end_all()

    def _hold(self, holds):
        """Calls are held for longer than the UDP timeout, resumed, and ended."""
        wrong = {}
        for name, holder, _ in holds:
            wrong[name] = holder.refuses("hold")
        time.sleep(0.5)
        for _, holder, _ in holds:
            holder.mark()
        time.sleep(3 * UDP_TIMEOUT + 1)
        news = {name: holder.wire.arrived() for name, holder, _ in holds}
        for name, holder, _ in holds:
            wrong[name] = wrong[name] or holder.refuses("resume")
        for name, holder, other in holds:
            self.claim(name, self._resumed, holder, other, news[name], wrong[name])
        for name, holder, other in holds:
            self.claim(name.replace("hold", "hang-up"), self.hang_up, holder, other)

    @staticmethod
    def _resumed(holder, other, news, wrong):
        if wrong:
            raise wrong
        if news:
            raise Failed(f"{holder.name} heard {news} samples while it held the call")
        audio((holder, other), resumed=True)

    def _transfers(self, p):
        """A call with one phone becomes a call with another."""
        for name, who, whom, to in (("transfer-inwards", p["in1"], p["out1"], p["in2"]),
                                    ("transfer-outwards", p["out3"], p["in3"], p["out4"]),
                                    ("transfer-inside", p["in5"], p["in6"], p["in7"])):
            def steps(who=who, whom=whom, to=to):
                self.call((who, whom))
                self.transfer(who, whom, to)
                self.hang_up(to, whom)
            self.claim(name, steps)
            self.end_all()

    def _eight(self, p):
        """Every phone inside talks, with one outside or with one inside."""
        calls = [(p["in1"], p["in2"]), (p["in3"], p["out1"]), (p["in4"], p["out2"]),
                 (p["out3"], p["in5"]), (p["out4"], p["in6"]), (p["in7"], p["in8"])]
        inside = "eight"
        if testnet.SLOW > 2:
            inside, calls = "four", calls[3:]   # more is too much for it
        if self.claim(f"{inside}-at-once", self.call, *calls):
            for n, (caller, called) in enumerate(calls):
                ending = (caller, called) if n % 2 else (called, caller)
                self.claim(f"{inside}-hang-up-{n + 1}", self.hang_up, *ending)
        self.end_all()

    def stop(self):
        """Ends all programs."""
        for phone in self.phones.values():
            phone.stop()
        if self.kamailio:
            self.kamailio.terminate()
            self.kamailio.wait()


def run_story(helper, transport, keep, results):
    """The whole story in one network."""
    folder = tempfile.mkdtemp(prefix="sips-phones-")
    net, story, before = Lab(helper), None, len(results)
    try:
        net.setup()
        story = Story(net, folder, transport, results)
        story.run()
        if not all(results[before:]):
            print("# " + net.dump()[:3000].replace("\n", "\n# "))
    finally:
        if story:
            story.stop()
        net.close()
        if keep:
            print(f"# logs and records: {folder}")
        else:
            shutil.rmtree(folder)


def main():
    """The stories, and the sum of them."""
    words = sys.argv[1:]
    helper = os.environ.get("HELPER", "sip-strict")
    transports = [x for x in words if x != "-v"] or ["udp", "tcp"]
    if set(transports) - {"udp", "tcp"}:
        testnet.die(f"no transport of phones: {' '.join(transports)}")
    print("TAP version 13", flush=True)
    try:
        testnet.require("ip", "nft", "conntrack", "baresip", "kamailio")
        testnet.load_helper(helper)
    except testnet.Unsupported as err:
        print(f"1..0 # SKIP {err}")
        return 1 if os.environ.get("SIP_STRICT_NO_SKIP") == "1" else 4
    begin, results = time.monotonic(), []
    for transport in transports:
        run_story(helper, transport, "-v" in words, results)
    print(f"1..{len(results)}")
    print(f"# {sum(results)} passed, {results.count(False)} failed, in "
          f"{time.monotonic() - begin:.0f} s")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
