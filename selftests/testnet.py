# SPDX-License-Identifier: GPL-2.0-only
"""The network of a selftest: three namespaces, and sockets in each of them.

    inside (lan)                      gateway (gw)                    outside (wan)

    phone   192.168.1.20 --+
    phone2  192.168.1.21 --+-- lan0 192.168.1.1 | 198.51.100.1 wan0 --+-- proxy    203.0.113.5
    pbx     192.168.1.10 --+                                          +-- proxy2   203.0.113.6
    dect    192.168.1.9  --+                                          |
                                                                      +-- peer     203.0.113.40
                           +-- dmz0 10.9.0.1                          +-- peer2    203.0.113.41
    server  10.9.0.10 -----+   (topology: dmz)                        +-- peer3    203.0.113.42
                                                                      +-- stranger 192.0.2.66
                                                                      +-- stray    10.8.0.66
                                            | 198.51.101.1 wan1 --+ the same hosts
                                                                    (topology: uplink2)

With family 6 it is the same network of IPv6 addresses (see six()): the phone is
2001:db8:1::20, the gateway 2001:db8:51::1, the proxy 2001:db8:cc::5. With family 46
all have both; SIP is IPv4 then, media are of the family that their SDP names, and the
gateway translates IPv4 alone.

Behind the second uplink's router (table 2, packets with mark 2) are the same hosts. They
answer where they were asked from, so an answer comes by the uplink that has the address.

With topology: twins there are two networks behind lan1 and wan1 that have the addresses
of those behind lan0 and wan0: conntrack zone 2, and a routing table of its own.

A program on the gateway is "gateway" to the inside and "box" to the outside.

The gateway forwards what comes from inside, and from outside only what
conntrack calls established or related, or what a port forward asks for. So a
pinhole that should be there and is not, or should not be and is, shows.
"""

import ctypes
import json
import os
import random
import re
import select
import shlex
import signal
import socket
import string
import subprocess
import sys
import time

HOSTS = {
    "phone": ("lan", "192.168.1.20"),
    "phone2": ("lan", "192.168.1.21"),
    "dect": ("lan", "192.168.1.9"),     # shorter than the outside address
    "pbx": ("lan", "192.168.1.10"),
    "proxy": ("wan", "203.0.113.5"),
    "proxy2": ("wan", "203.0.113.6"),
    "peer": ("wan", "203.0.113.40"),
    "peer2": ("wan", "203.0.113.41"),
    "peer3": ("wan", "203.0.113.42"),
    "stranger": ("wan", "192.0.2.66"),
    "stray": ("wan", "10.8.0.66"),      # outside, with a private address
    "server": ("dmz", "10.9.0.10"),
    "twinphone": ("lan2", "192.168.1.20"),      # topology: twins
    "twinproxy": ("wan2", "203.0.113.5"),
    "twinpeer": ("wan2", "203.0.113.40"),
    "gateway": ("gw", "192.168.1.1"),
    "box": ("gw", "198.51.100.1"),      # the gateway, by its outside address
}
LAN_GW, WAN_GW, DMZ_GW = "192.168.1.1", "198.51.100.1", "10.9.0.1"
ROUTER = "198.51.100.254"
TWINS = {"lan2": "lan1", "wan2": "wan1"}    # and their devices on the gateway
WAN2_GW, ROUTER2 = "198.51.101.1", "198.51.101.254"
NETS6 = {"192.168.1": "2001:db8:1", "10.9.0": "2001:db8:9", "198.51.100": "2001:db8:51",
         "198.51.101": "2001:db8:52", "203.0.113": "2001:db8:cc", "192.0.2": "2001:db8:66",
         "10.8.0": "fd00:8"}
STAT = "/proc/net/stat/nf_conntrack_sip_strict"
CALLS = "/proc/net/nf_conntrack_sip_strict"
SYSCTL = "/proc/sys/net/netfilter/nf_conntrack_sip_strict"
CLONE_NEWNET = 0x40000000
RULES = os.environ.get("RULES")     # makes all rules of the gateway, in place of ours
STAND_IN = "stand-in"   # ours under the name of the in-tree helper
SLOW = int(os.environ.get("KSFT_MACHINE_SLOW", "0") or 0) + 1
ARRIVE = 2.0 * SLOW     # seconds until something that should arrive counts as lost
GIVE_UP = 20 * SLOW     # seconds that a case has to clean up when its time is over
REFUSE = 0.25 * SLOW    # seconds after which what should not arrive has not

_libc = ctypes.CDLL(None, use_errno=True)


def readable(socks, wait):
    """Those of the sockets that can be read within so many seconds; any number of them."""
    by_fd = {sock.fileno(): sock for sock in socks}
    poll = select.poll()
    for fd in by_fd:
        poll.register(fd, select.POLLIN)
    return [by_fd[fd] for fd, _ in poll.poll(int(wait * 1000))]


class Unsupported(Exception):
    """This machine cannot run it: a skip, with what is missing."""


def host_address(name):
    """The IPv4 address of a host by its name."""
    return HOSTS[name][1]


def six(address):
    """The IPv6 address in the place of an IPv4 one: 2001:db8:1::20 for 192.168.1.20."""
    if address == "0.0.0.0":
        return "::"
    head, _, last = address.rpartition(".")
    return f"{NETS6[head]}::{last}"


def endpoint(address, port):
    """An address and a port as one writes them."""
    return f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"


class Net:
    """The namespaces of one case."""

    def __init__(self, helper="sip-strict", assign="nft", nat="masquerade", forward=None,
                 port=5060, topology="", observe=None, udp_timeout=None, filtered=True, log=None,
                 family="4"):
        self.helper, self.assign, self.nat = helper, assign, nat
        self.named = "sip" if helper == STAND_IN else helper    # in rules
        self.forward, self.port, self.observe = forward, port, observe
        self.topology = topology.split()
        self.family, self.six = family, family == "6"   # six: SIP is over IPv6
        self.udp_timeout, self.filtered = udp_timeout, filtered
        self.log = log or (lambda text: None)
        tail = "".join(random.choices(string.ascii_lowercase + string.digits, k=6))
        self.names = {side: f"sips-{side}-{tail}" for side in self._sides()}
        self.fds = {}
        self.sockets = {}
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.made = False

    def _sides(self):
        sides = ["gw", "lan", "wan"]
        if "dmz" in self.topology:
            sides.append("dmz")
        if "twins" in self.topology:
            sides += ["lan2", "wan2"]
        return sides

    def families(self):
        """The address families of the hosts."""
        return [int(x) for x in self.family]

    def own(self, address):
        """An address as it is in the family that carries SIP."""
        return six(address) if self.six else address

    def address(self, host, is_six=None):
        """The address of a host, in the family that carries SIP or in the one asked for."""
        address = host_address(host)
        return six(address) if (self.six if is_six is None else is_six) else address

    # Commands, each printed with the host it runs on

    def run(self, side, command, check=True, stdin=None, quiet=False, shell=False):
        """Runs a command in a namespace and gives back its output."""
        if not quiet:
            self.log(f"{side}$ {command}" + ("".join(f"\n    {x}" for x in stdin.split("\n"))
                                             if stdin else ""))
        self.enter(side)
        try:
            return _command(["sh", "-c", command] if shell else shlex.split(command),
                            check, stdin, command)
        finally:
            self.enter(None)

    def enter(self, side):
        """Moves this process into a namespace."""
        fd = self.home if side is None else self.fds[side]
        if _libc.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    def write(self, side, path, value):
        """Writes a file below /proc/sys as a namespace sees it."""
        self.enter(side)
        try:
            with open(path, "w", encoding="ascii") as handle:
                handle.write(f"{value}\n")
        finally:
            self.enter(None)

    def read(self, side, path):
        """Reads a file below /proc as a namespace sees it."""
        self.enter(side)
        try:
            # /proc/net is the one of the thread group, /proc/thread-self follows setns().
            with open(path.replace("/proc/net/", "/proc/thread-self/net/"), "rb") as handle:
                return handle.read().decode("latin-1")
        finally:
            self.enter(None)

    # Set-up and end

    def setup(self):
        """Makes the namespaces, the links, the filter and the NAT."""
        name = self.names
        batch = [f"netns add {ns}" for ns in name.values()] + self._links()
        self.made = True
        _command(["ip", "-batch", "-"], True, "\n".join(batch) + "\n", "ip -batch")
        for side, ns in name.items():
            self.fds[side] = os.open(f"/run/netns/{ns}", os.O_RDONLY)
            for knob in ("default", "all"):
                self.write(side, f"/proc/sys/net/ipv4/conf/{knob}/rp_filter", 0)
                self.write(side, f"/proc/sys/net/ipv6/conf/{knob}/disable_ipv6",
                           int("6" not in self.family))
        for family in self.families():
            self._addresses(family == 6)
        self.write("gw", "/proc/sys/net/ipv4/ip_forward", 1)
        if "6" in self.family:
            self.write("gw", "/proc/sys/net/ipv6/conf/all/forwarding", 1)
        for family in self.families():
            self._ruleset(family == 6)
        self._assign()
        if self.udp_timeout:
            self.timeouts(self.udp_timeout)
        return self

    def _links(self):
        gateway = self.names["gw"]
        ends = [(TWINS.get(side, f"{side}0"), side, "eth0") for side in self._sides()
                if side != "gw"]
        if "uplink2" in self.topology:
            ends.append(("wan1", "wan", "eth1"))
        return [f"link add {device} netns {gateway} type veth peer name {peer} "
                f"netns {self.names[side]}" for device, side, peer in ends]

    def _addresses(self, is_six):
        def add(address, dev, alone=False):
            width = (128, 64) if is_six else (32, 24)
            return f"addr add {of(address)}/{width[not alone]} dev {dev}" + \
                " nodad" * is_six
        of = six if is_six else str
        batch = {side: ["link set lo up"] for side in self.names}
        for side, address in HOSTS.values():
            if side in batch and side != "gw":
                batch[side].append(add(address, "eth0", side.startswith("wan")))
        batch["wan"].append(add(ROUTER, "eth0"))
        for side, gateway in (("lan", LAN_GW), ("dmz", DMZ_GW)):
            if side in batch:
                batch[side] += ["link set eth0 up", f"route add default via {of(gateway)}"]
        batch["wan"].append("link set eth0 up")
        batch["gw"] += [add(LAN_GW, "lan0"), add(WAN_GW, "wan0"), "link set lan0 up",
                        "link set wan0 up", f"route add default via {of(ROUTER)}"]
        if "dmz" in batch:
            batch["gw"] += [add(DMZ_GW, "dmz0"), "link set dmz0 up"]
        if "uplink2" in self.topology:
            batch["wan"] += [add(ROUTER2, "eth1"), "link set eth1 up"]
            batch["gw"] += [add(WAN2_GW, "wan1"), "link set wan1 up",
                            f"route add default via {of(ROUTER2)} table 2",
                            "rule add fwmark 2 table 2"]
        if "twins" in self.topology:
            self._twins(batch, add, of)
        if self._source_nat(is_six) == "none":
            inside = "2001:db8:1::/64" if is_six else "192.168.1.0/24"
            batch["wan"].append(f"route add {inside} via {of(WAN_GW)}")
        if is_six:
            self._neighbours(batch)
        for side, lines in batch.items():
            _command(["ip", f"-{(4, 6)[is_six]}", "-n", self.names[side], "-batch", "-"], True,
                     "\n".join(lines) + "\n", "ip -batch")

    def _neighbours(self, batch):
        """Neighbours are known: on a busy machine a multicast group is joined late, and then
        the first packet waits for a second solicitation longer than a test does."""
        def add(side, device, address, at):
            if at not in macs:
                macs[at] = self._macs(at[0])[at[1]]
            batch[side].append(f"neigh replace {six(address)} lladdr {macs[at]} dev {device} "
                               "nud permanent")
        macs = {}
        for side, device, gateway in (("lan", "lan0", LAN_GW), ("dmz", "dmz0", DMZ_GW)):
            if side not in batch:
                continue
            add(side, "eth0", gateway, ("gw", device))
            for where, address in HOSTS.values():
                if where == side:
                    add("gw", device, address, (side, "eth0"))
        add("wan", "eth0", WAN_GW, ("gw", "wan0"))
        add("gw", "wan0", ROUTER, ("wan", "eth0"))

    def _macs(self, side):
        links = json.loads(_command(["ip", "-j", "-n", self.names[side], "link"], True, None,
                                    "ip link"))
        return {link["ifname"]: link["address"] for link in links}

    @staticmethod
    def _twins(batch, add, of):
        batch["lan2"] += ["link set eth0 up", f"route add default via {of(LAN_GW)}"]
        batch["wan2"] += [add(ROUTER, "eth0"), "link set eth0 up"]
        batch["gw"] += [f"{add(LAN_GW, 'lan1')} noprefixroute", "link set lan1 up",
                        f"{add(WAN_GW, 'wan1')} noprefixroute", "link set wan1 up"]
        for device, address in (("lan1", LAN_GW), ("wan1", WAN_GW)):
            net = of(address.rpartition(".")[0] + ".0")
            batch["gw"] += [f"route add {net}/{64 if of is six else 24} dev {device} table 2",
                            f"rule add iif {device} table 2"]
        batch["gw"].append(f"route add default via {of(ROUTER)} dev wan1 table 2")

    def _source_nat(self, is_six):
        return self.nat if self.six == is_six else "none"

    def _nat_rules(self, of):
        rules = []
        if self.forward:
            rules.append("chain prerouting { type nat hook prerouting priority dstnat; "
                         f"iifname wan0 meta l4proto {{ tcp, udp }} th dport {self.port} "
                         f"dnat to {of(host_address(self.forward))}; }}")
        source = {"masquerade": "masquerade", "snat": f"snat to {of(WAN_GW)}"}.get(
            self._source_nat(of is six))
        if source:
            rules.append("chain postrouting { type nat hook postrouting priority srcnat; "
                         f"oifname {{ wan0, wan1 }} {source}; }}")
        return "\n".join(rules)

    def _helper_rules(self, of, ip):
        if self.helper == "none" or self.assign != "nft":
            return ""
        rules, chain = [], []
        for proto in ("udp", "tcp"):
            match = f'{proto} dport {self.port}'
            rules.append(f'ct helper sip-{proto} {{ type "{self.named}" protocol {proto}; }}')
            others = ""
            if self.observe:
                rules.append(f'ct helper watch-{proto} {{ type "sip-observe" protocol {proto}; }}')
                address = of(host_address(self.observe))
                chain += [f'{ip} {side}addr {address} {match} ct helper set "watch-{proto}"'
                          for side in "ds"]
                others = f"{ip} daddr != {address} {ip} saddr != {address} "
            chain.append(f'{others}{match} ct helper set "sip-{proto}"')
        for hook in ("prerouting", "output"):
            rules.append(f"chain helper_{hook} {{ type filter hook {hook} priority 0; "
                         + "; ".join(chain) + "; }")
        return "\n".join(rules)

    def _zone_rules(self):
        if "twins" not in self.topology:
            return ""
        return "chain zones { type filter hook prerouting priority raw; " \
            "iifname { lan1, wan1 } ct zone set 2; }"

    def _filter_rules(self, of, ip):
        forwarded = (f"iifname wan0 {ip} daddr {of(host_address(self.forward))} "
                     f"meta l4proto {{ tcp, udp }} th dport {self.port} ct status dnat accept"
                     if self.forward else "")
        neighbours = ("icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"
                      if ip == "ip6" else "")
        return f"""
chain forward {{
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname {{ "lan0", "lan1", "dmz0" }} accept
    {forwarded}
}}
chain input {{
    type filter hook input priority 0; policy accept;
    {neighbours}
    iifname {{ wan0, wan1 }} ct state established,related accept
    iifname {{ wan0, wan1 }} drop
}}"""

    def _ruleset(self, is_six):
        if RULES:
            self.run("gw", RULES)
            return
        of, ip = (six, "ip6") if is_six else (str, "ip")
        rules = [self._zone_rules(), self._helper_rules(of, ip), self._nat_rules(of),
                 self._filter_rules(of, ip) if self.filtered else ""]
        text = f"table {ip} selftest {{\n" + "\n".join(x.strip() for x in rules if x) + "\n}"
        self.run("gw", "nft -f -", stdin=text)
        if self.helper != "none" and self.assign == "iptables":
            for chain in ("PREROUTING", "OUTPUT"):
                for proto in ("udp", "tcp"):
                    self.run("gw", f"{ip}tables -w -t raw -A {chain} -p {proto} "
                                   f"--dport {self.port} -j CT --helper {self.named}")

    def _assign(self):
        if self.assign == "auto":
            if self.helper == "sip":
                raise Unsupported("the in-tree helper has no auto_assign")
            if self.helper != "none":
                self.sysctl("auto_assign", 1)

    def timeouts(self, seconds):
        """Sets the UDP timeouts of the gateway."""
        for knob in ("", "_stream"):
            self.write("gw", f"/proc/sys/net/netfilter/nf_conntrack_udp_timeout{knob}", seconds)

    def sysctl(self, name, value):
        """Sets a sysctl of the module in the gateway."""
        self.log(f"gw$ sysctl -w net.netfilter.nf_conntrack_sip_strict.{name}={value}")
        self.write("gw", f"{SYSCTL}/{name}", value)

    def be_patient(self):
        """Lets the module wait for the rest of a message as long as a slow machine may take."""
        if self.helper == "sip-strict" and SLOW > 1:
            self.sysctl("tcp_hold_time", 60)

    def close(self):
        """Takes everything down again."""
        for sock in self.sockets.values():
            sock.close()
        self.sockets = {}
        for fd in self.fds.values():
            os.close(fd)
        self.fds = {}
        if self.made:
            batch = "".join(f"netns del {ns}\n" for ns in self.names.values())
            _command(["ip", "-force", "-batch", "-"], False, batch, "ip -batch")
            self.made = False
        os.close(self.home)

    # Sockets

    def socket(self, host, port, is_six=None):
        """The UDP socket of a host, made when it is first asked for."""
        is_six = self.six if is_six is None else is_six
        key = (host, port, is_six)
        if key not in self.sockets:
            address = self.address(host, is_six)
            self.enter(HOSTS[host][0])
            try:
                sock = socket.socket(socket.AF_INET6 if is_six else socket.AF_INET,
                                     socket.SOCK_DGRAM)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
                sock.bind((address, port))
            finally:
                self.enter(None)
            sock.setblocking(False)
            self.sockets[key] = sock
        return self.sockets[key]

    def send(self, host, port, data, to, _wait=0):
        """Sends a datagram; an error that the network gives at once is returned."""
        try:
            self.socket(host, port, ":" in to[0]).sendto(data, to)
        except OSError as err:
            return f"{host}:{port} cannot send to {endpoint(*to)}: {os.strerror(err.errno)}"
        return None

    def receive(self, host, port, wait=ARRIVE, is_six=None):
        """The next datagram of a host, as (data, (address, port)), or None."""
        sock = self.socket(host, port, is_six)
        return _datagram(sock) if readable([sock], wait) else None

    def unread(self):
        """What has arrived without being waited for."""
        left = []
        if not self.sockets:
            return left
        ready = readable(self.sockets.values(), 0)
        for (host, port, _), sock in self.sockets.items():
            if sock in ready:
                data, source = _datagram(sock)
                left.append((host, port, data, source))
        return left

    # What the gateway knows

    def conntrack(self, *words):
        """Entries of the gateway that hold all words."""
        return self._conntrack("conntrack -L", words)

    def _conntrack(self, command, words):
        out = "".join(self.run("gw", f"{command} -f {name}", check=False, quiet=True)
                      for digit, name in (("4", "ipv4"), ("6", "ipv6")) if digit in self.family)
        return [line for line in out.splitlines() if _has(line, words)]

    def expectations(self, *words):
        """Expectations of the gateway that hold all words."""
        return self._conntrack("conntrack -L expect", words)

    def calls(self, *words):
        """Lines of the list of live calls and registrations that hold all words."""
        try:
            return [x for x in self.read("gw", CALLS).splitlines() if _has(x, words)]
        except FileNotFoundError:
            return []

    def counters(self):
        """The counters of the gateway."""
        try:
            text = self.read("gw", STAT)
        except FileNotFoundError:
            return {}
        rows = (line.split() for line in text.splitlines())
        return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}

    def dump(self):
        """Everything that helps to see why a case failed."""
        parts = []
        for title, read in (("counters that are not 0",
                             lambda: "\n".join(f"{k} {v}" for k, v in self.counters().items()
                                               if v)),
                            ("calls", lambda: "\n".join(self.calls())),
                            ("conntrack", lambda: "\n".join(self.conntrack())),
                            ("expectations", lambda: "\n".join(self.expectations()))):
            try:
                text = read().strip()
            except OSError as err:
                text = str(err)
            parts.append(f"{title}:\n" + ("\n".join("    " + x for x in text.split("\n"))
                                          if text else "    none"))
        return "\n".join(parts)


def _datagram(sock):
    data, source = sock.recvfrom(65535)
    return data, source[:2]     # an IPv6 one has a flow label and a scope as well


def _has(line, words):
    return all(re.search(r"(?<![\w.])" + re.escape(word) + r"(?![\w.])", line)
               for word in words)


def _command(argv, check, stdin, shown):
    done = subprocess.run(argv, input=stdin, text=True, capture_output=True, timeout=60 * SLOW,
                          check=False)
    if check and done.returncode:
        raise RuntimeError(f"'{shown}' gave {done.returncode}: {done.stderr.strip()}")
    return done.stdout


class Overdue(BaseException):
    """The time of a case is over. Not an error that a step on the way may take for its own."""


def kernel():
    """Version of the kernel: (6, 1)."""
    return tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))


def give_up_after(seconds):
    """Lets this process say where it was, and clean up, when its time is over."""
    def late(*_):
        raise Overdue(f"not done in {seconds} s")
    signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)


def wait_until(condition, seconds):
    """Polls a condition; its last value."""
    begin = time.monotonic()
    end = begin + seconds * SLOW
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(min(0.1 + (time.monotonic() - begin) / 10, 0.5))


def require(*tools):
    """A skip, unless all tools are there and this is root."""
    if os.geteuid():
        raise Unsupported("needs root (namespaces, modules)")
    packages = {"nft": "nftables", "ip": "iproute2", "sipp": "sip-tester",
                "baresip": "baresip-core"}
    for tool in tools:
        if not any(os.access(os.path.join(folder, tool), os.X_OK)
                   for folder in os.environ.get("PATH", "").split(":") + ["/usr/sbin"]):
            raise Unsupported(f"needs {tool}: apt-get install {packages.get(tool, tool)}")


def unload_module():
    """Removes the module; a rule of a namespace that is just going may hold it."""
    def gone():
        return not subprocess.run(["rmmod", "nf_conntrack_sip_strict"], check=False,
                                  capture_output=True).returncode
    if not wait_until(gone, 15):
        raise RuntimeError("rmmod nf_conntrack_sip_strict failed for 15 s")


def load_helper(helper):
    """Loads the module that has a helper, unless it is there, or the rules load it."""
    if helper == "none" or RULES:
        return
    with open("/proc/modules", encoding="ascii") as handle:
        loaded = {line.split()[0] for line in handle}
    if helper == "sip":
        if "nf_nat_sip" not in loaded and \
                subprocess.run(["modprobe", "nf_nat_sip"], check=False).returncode:
            raise Unsupported("modprobe nf_nat_sip failed")
        return
    if "nf_conntrack_sip_strict" in loaded:
        return
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.environ.get("SIP_STRICT_MODULE",
                          os.path.join(here, "..", "nf_conntrack_sip_strict.ko"))
    if os.path.exists(path):
        subprocess.run(["modprobe", "-a", "nf_conntrack", "nf_nat"], check=False)
        name = ["helper_name=sip"] if helper == STAND_IN else []
        if subprocess.run(["insmod", path, *name], check=False).returncode:
            raise RuntimeError(f"insmod {path} failed (see dmesg)")
    elif subprocess.run(["modprobe", "nf_conntrack_sip_strict"], check=False,
                        capture_output=True).returncode:
        raise Unsupported("no module: make it, or set SIP_STRICT_MODULE")


class KernelLog:
    """Watches the kernel's log and taint for trouble."""

    BAD = re.compile(r"WARNING:|BUG:|Oops|general protection|Call Trace|unable to handle|"
                     r"self-detected stall|detected stalls|INFO: task|kmemleak:|UBSAN|KASAN|"
                     r"refcount_t:|suspicious RCU|possible (recursive|circular) locking|"
                     r"scheduling while atomic|sleeping function called|"
                     r"unregister_netdevice: waiting|segfault|memory leak")
    TAINT = (1 << 9) | (1 << 7) | (1 << 5) | (1 << 4) | (1 << 14)   # W, D, B, M, L

    def __init__(self):
        try:
            self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
            os.lseek(self.fd, 0, os.SEEK_END)
        except OSError:
            self.fd = None
        self.taint = self._taint()

    @staticmethod
    def _taint():
        with open("/proc/sys/kernel/tainted", encoding="ascii") as handle:
            return int(handle.read()) & KernelLog.TAINT

    @staticmethod
    def announce(name):
        """Says in the kernel's log which case runs."""
        try:
            with open("/dev/kmsg", "w", encoding="ascii") as handle:
                handle.write(f"sip_strict_test: {name}\n")
        except OSError:
            pass

    def trouble(self):
        """New lines that mean trouble, with those around them."""
        lines, bad = [], False
        while self.fd is not None:
            try:
                record = os.read(self.fd, 8192).decode("utf-8", "replace")
            except BlockingIOError:
                break
            except OSError:     # EPIPE: records were overwritten, go on with the next
                continue
            text = record.split(";", 1)[-1].split("\n")[0]
            lines.append(text)
            bad = bad or bool(self.BAD.search(text))
        taint = self._taint()
        grown, self.taint = taint & ~self.taint, taint
        if grown:
            lines.append(f"/proc/sys/kernel/tainted has new bits {grown:#x}")
        return lines[-60:] if bad or grown else []


def die(text):
    """A one-line error."""
    print(f"{os.path.basename(sys.argv[0])}: {text}", file=sys.stderr)
    sys.exit(1)
