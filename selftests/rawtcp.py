# SPDX-License-Identifier: GPL-2.0-only
"""TCP segments made by hand, and a gateway whose neighbours are this process.

The gateway's lan0 and wan0 are TUN devices: a packet that is written to one of them
goes through the gateway's hooks and comes out of the other, where it is read. No other
TCP takes part, so that a test decides about each segment, and sees each.
"""

import fcntl
import os
import select
import struct
import subprocess
import time

import testnet
from tap import Failed

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
MOD = 1 << 32
VNET = struct.Struct("<BBHHHH")     # flags, gso_type, hdr_len, gso_size, csum_start, csum_offset
TUNSETIFF, IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x400454CA, 0x1, 0x1000, 0x4000
INSIDE = "10.1.1.2"                 # shorter than the outside address: edits grow
INSIDE_LONG = "192.168.111.222"     # longer: they shrink
OUTSIDE = testnet.WAN_GW
SERVER = "203.0.113.5"
COUNT = """table ip watch {
    counter bad { }
    chain look {
        type filter hook prerouting priority -150;
        ct state invalid counter name bad
    }
}"""


def checksum(data):
    """The Internet checksum."""
    if len(data) & 1:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def _address(text):
    return bytes(map(int, text.split(".")))


class Segment:
    """One TCP segment in one IPv4 packet."""

    def __init__(self, source, target, seq, ack=0, flags=ACK, window=65535, options=b"",
                 data=b"", urgent=0):
        self.source, self.target, self.seq, self.ack = source, target, seq % MOD, ack % MOD
        self.flags, self.window, self.options, self.data = flags, window, options, data
        self.urgent = urgent

    def bytes(self, partial=False):
        """On the wire; partial: only the pseudo header is in the checksum yet."""
        options = self.options + b"\1" * (-len(self.options) % 4)
        size = 20 + len(options)
        pseudo = _address(self.source[0]) + _address(self.target[0]) + \
            struct.pack("!BBH", 0, 6, size + len(self.data))
        tcp = bytearray(struct.pack("!HHIIBBHHH", self.source[1], self.target[1], self.seq, self.ack,
                                    size // 4 << 4, self.flags, self.window, 0, self.urgent)
                        + options + self.data)
        struct.pack_into("!H", tcp, 16, ~checksum(pseudo) & 0xffff if partial else
                         checksum(pseudo + bytes(tcp)))
        head = bytearray(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0,
                                     _address(self.source[0]), _address(self.target[0])))
        struct.pack_into("!H", head, 10, checksum(bytes(head)))
        return bytes(head) + bytes(tcp)

    @classmethod
    def parse(cls, packet):
        """A segment out of a packet; None if it is no TCP. Wrong checksums fail."""
        if packet[0] >> 4 != 4 or packet[9] != 6:
            return None
        size = (packet[0] & 15) * 4
        tcp = packet[size:struct.unpack_from("!H", packet, 2)[0]]
        if checksum(packet[:size]):
            raise Failed("an IP header has a wrong checksum")
        if checksum(packet[12:20] + struct.pack("!BBH", 0, 6, len(tcp)) + tcp):
            raise Failed(f"a TCP checksum is wrong: {tcp.hex()}")
        sport, dport, seq, ack, offset, flags, window, _, urgent = struct.unpack_from("!HHIIBBHHH",
                                                                                      tcp)
        offset = (offset >> 4) * 4
        return cls((".".join(map(str, packet[12:16])), sport), (".".join(map(str, packet[16:20])), dport),
                   seq, ack, flags, window, tcp[20:offset], tcp[offset:], urgent)

    def option(self, kind):
        """The value of an option, or None."""
        at = 0
        while at < len(self.options) and self.options[at]:
            if self.options[at] == 1:
                at += 1
                continue
            size = self.options[at + 1]
            if self.options[at] == kind:
                return self.options[at + 2:at + size]
            at += size
        return None

    def __repr__(self):
        names = "".join(n for bit, n in ((FIN, "F"), (SYN, "S"), (RST, "R"), (PSH, "P"), (ACK, "A"),
                                         (URG, "U")) if self.flags & bit)
        return (f"{self.source[0]}:{self.source[1]} > {self.target[0]}:{self.target[1]} {names} "
                f"seq {self.seq} ack {self.ack} win {self.window} len {len(self.data)} "
                f"opt {self.options.hex()}")


class Gateway(testnet.Net):
    """The gateway alone, with a TUN device on each side."""

    def __init__(self, helper, nat="masquerade", assign="nft"):
        super().__init__(helper, assign, nat)
        self.tuns, self.ends, self.seen = {}, {}, []
        self.weather = None     # what happens to packets on their way to the ends, and from them

    def _sides(self):
        return ["gw"]

    def _links(self):
        return []

    def _addresses(self, _is_six):
        for name in ("lan0", "wan0"):
            self.tuns[name] = self._tun(name)
        lines = ["link set lo up", "addr add 10.1.1.1/24 dev lan0", f"addr add {OUTSIDE}/24 dev wan0",
                 "link set lan0 up", "link set wan0 up", "route add 192.168.111.0/24 dev lan0",
                 f"route add default via {testnet.ROUTER} dev wan0"]
        self.run("gw", "ip -batch -", stdin="\n".join(lines) + "\n", quiet=True)

    def _tun(self, name):
        if not os.path.exists("/dev/net/tun"):
            subprocess.run(["modprobe", "tun"], check=False)
        self.enter("gw")
        try:
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(),
                                                   IFF_TUN | IFF_NO_PI | IFF_VNET_HDR))
        except OSError as err:
            raise testnet.Unsupported(f"no TUN device: {err}") from None
        finally:
            self.enter(None)
        return fd

    def setup(self):
        """As a gateway of the flows; INVALID packets are counted."""
        super().setup()
        self.run("gw", "nft -f -", stdin=COUNT)
        self.be_patient()
        return self

    def close(self):
        """Takes it down."""
        for fd in self.tuns.values():
            os.close(fd)
        self.tuns = {}
        super().close()

    def invalid(self):
        """How many packets conntrack called INVALID."""
        text = self.run("gw", "nft list counter ip watch bad", quiet=True)
        return int(text.split("packets ")[1].split()[0])

    def inject(self, device, segment, size=0):
        """A packet to a device; size: it stands for several segments of that size (GSO)."""
        self._note(device, f"-> gso {size}" if size else "->", segment)
        if size:
            head = VNET.pack(1, 1, 40 + len(segment.options) + -len(segment.options) % 4, size, 20, 16)
        else:
            head = VNET.pack(0, 0, 0, 0, 0, 0)
        os.write(self.tuns[device], head + segment.bytes(bool(size)))

    def _note(self, name, way, segment):
        self.seen.append((name, way, segment))
        del self.seen[:-60]

    def story(self):
        """The last packets, as text."""
        return "\n".join(f"{name} {way} {segment!r}" for name, way, segment in self.seen)

    def poll(self, wait=0.0):
        """Gives what comes out to the ends that it is for; how many there were."""
        count = 0
        for fd in ready(self.tuns.values(), wait):
            name = next(n for n, f in self.tuns.items() if f == fd)
            while True:
                try:
                    packet = os.read(fd, 70000)[VNET.size:]
                except BlockingIOError:
                    break
                segment = Segment.parse(packet)
                if segment is None:
                    continue
                count += 1
                self._note(name, "<-", segment)
                end = self.ends.get(segment.target) if name == "lan0" else \
                    self.ends.get((segment.target, segment.source)) or self.ends.get(segment.target)
                if end is not None and self.weather:
                    self.weather.pass_on(end.arrive, segment)
                elif end is not None:
                    end.arrive(segment)
        return count

    def drain(self, quiet=0.0, limit=2.0):
        """Polls until nothing has come for that long."""
        end = time.monotonic() + limit * testnet.SLOW
        while self.poll(quiet) and time.monotonic() < end:
            pass


def ready(fds, wait):
    """Those file descriptors that can be read within so many seconds."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return [fd for fd, _ in poll.poll(int(wait * 1000))]


def option_sack(*blocks):
    """A SACK option."""
    return struct.pack("!BBBB", 1, 1, 5, 2 + 8 * len(blocks)) + \
        b"".join(struct.pack("!II", a % MOD, b % MOD) for a, b in blocks)


class End:
    """One end of a connection: where it is in both sequences, and all that has come."""

    def __init__(self, gateway, device, local, isn, mss=1460, sack=True, stamps=False, scale=None):
        self.gateway, self.device, self.local, self.isn = gateway, device, local, isn
        self.mss, self.sack, self.stamps, self.scale = mss, sack, stamps, scale
        self.remote, self.peer_isn = None, None
        self.server_sees = None         # of a client: its address outside
        self.sent = b""                 # all data, as first sent
        self.stream = bytearray()       # what has come in, by its place in the sequence
        self.known = bytearray()        # 1 where it has
        self.have = bytearray()         # the same, without what was forgotten
        self.inbox = []                 # segments since the last take()
        self.acked = 0                  # of ours, by the other side, as an offset
        self.edges = []                 # the right edges of the window that we were shown
        self.fin_at = None              # offset of a FIN that has come
        self.largest, self.stamp_seen, self.wrong = 0, 0, []
        self.peer_scale = 0

    # Sending

    def options(self, syn=False):
        """Those of a segment, or of a SYN."""
        out = struct.pack("!BBH", 2, 4, self.mss) if syn else b""
        if syn and self.sack:
            out += b"\1\1\4\2"
        if syn and self.scale is not None:
            out += struct.pack("!BBBB", 1, 3, 3, self.scale)
        if self.stamps:
            out += struct.pack("!BBBBII", 1, 1, 8, 10, int(time.monotonic() * 1000) % MOD,
                               self.stamp_seen)
        return out

    def segment(self, data=b"", at=None, flags=ACK, ack=None, window=65535, extra=b"", urgent=0):
        """A segment whose data begins at an offset of our stream."""
        at = len(self.sent) if at is None else at
        ack = self.contiguous() if ack is None else ack
        return Segment(self.local, self.remote, self.isn + 1 + at,
                       self.peer_isn + 1 + ack if self.peer_isn is not None else 0, flags, window,
                       self.options() + extra, data, urgent)

    def send(self, data=b"", at=None, **more):
        """Sends such a segment."""
        segment = self.segment(data, at, **more)
        at = len(self.sent) if at is None else at
        if at + len(data) > len(self.sent):
            self.sent += data[len(self.sent) - at:]
        if self.gateway.weather:
            self.gateway.weather.pass_on(lambda x: self.gateway.inject(self.device, x), segment)
        else:
            self.gateway.inject(self.device, segment)
        self.gateway.poll()

    def send_super(self, data, size):
        """New data in a packet that stands for several."""
        segment = self.segment(data, flags=ACK | PSH)
        self.sent += data
        self.gateway.inject(self.device, segment, size)
        self.gateway.poll()

    def syn(self, data=b"", ack=False):
        """SYN or SYN-ACK."""
        segment = Segment(self.local, self.remote, self.isn,
                          self.peer_isn + 1 if ack else 0, SYN | (ACK if ack else 0), 65535,
                          self.options(True), data)
        self.gateway.inject(self.device, segment)
        self.gateway.poll()

    # Receiving

    def arrive(self, segment):
        """Takes in a segment; what contradicts an earlier one is noted."""
        self.inbox.append(segment)
        stamp = segment.option(8)
        if stamp:
            self.stamp_seen = struct.unpack("!I", stamp[:4])[0]
        if segment.flags & SYN:
            self.remote, self.peer_isn = segment.source, segment.seq
            scale = segment.option(3)
            self.peer_scale = scale[0] if scale and self.scale is not None else 0
        if self.peer_isn is None:
            return
        if segment.flags & ACK:
            self._acked(segment)
        at = self.offset(segment) + bool(segment.flags & SYN)
        if segment.data:
            self._data(at, segment.data)
        if segment.flags & FIN:
            if self.fin_at not in (None, at + len(segment.data)):
                self.wrong.append(f"FIN at {at + len(segment.data)} after one at {self.fin_at}")
            self.fin_at = at + len(segment.data)

    def offset(self, segment):
        """Where a segment's data begins in the other side's stream."""
        return (segment.seq - self.peer_isn - 1 + MOD // 2) % MOD - MOD // 2

    def _acked(self, segment):
        value = (segment.ack - self.isn - 1 + MOD // 2) % MOD - MOD // 2
        if value > len(self.sent) + 1:
            self.wrong.append(f"{value} bytes are acknowledged, {len(self.sent)} were sent")
        if value >= self.acked:
            scale = 0 if segment.flags & SYN else self.peer_scale
            self.edges.append(value + (segment.window << scale))
            self.acked = value

    def _data(self, at, data):
        self.largest = max(self.largest, len(data))
        if at < 0:          # a keep-alive probe
            data, at = data[-at:], 0
        if at + len(data) > len(self.stream):
            grow = at + len(data) - len(self.stream)
            self.stream += bytes(grow)
            self.known += bytes(grow)
            self.have += bytes(grow)
        for i, value in enumerate(data, at):
            if self.known[i] and self.stream[i] != value:
                self.wrong.append(f"byte {i} came as {bytes([self.stream[i]])!r} and as "
                                  f"{bytes([value])!r}, in {at} to {at + len(data)}")
                break
        self.stream[at:at + len(data)] = data
        for mask in (self.known, self.have):
            mask[at:at + len(data)] = b"\1" * len(data)

    def forget(self):
        """As if nothing had come: but what comes again must be the same."""
        self.have = bytearray(len(self.have))

    def contiguous(self):
        """How many bytes have come without a gap, with a FIN behind them as one more."""
        gap = self.have.find(0)
        size = len(self.have) if gap < 0 else gap
        return size + 1 if self.fin_at == size else size

    def count_anew(self, peer):
        """Counts offsets from here on, where all has arrived on both sides."""
        self.isn = (self.isn + len(self.sent)) % MOD
        peer.peer_isn = (peer.peer_isn + len(peer.stream)) % MOD
        self.sent, self.acked, self.edges = b"", 0, []
        peer.stream, peer.known, peer.have = bytearray(), bytearray(), bytearray()
        peer.inbox = []

    def take(self):
        """The segments since the last call."""
        taken, self.inbox = self.inbox, []
        return taken

    def data(self):
        """What has come in, up to the first gap."""
        gap = self.have.find(0)
        return bytes(self.stream if gap < 0 else self.stream[:gap])

    def reply(self, **more):
        """Acknowledges what has come."""
        self.send(at=len(self.sent), **more)


class Connection:
    """Both ends of a connection through the gateway, set up."""

    port = 20000

    def __init__(self, gateway, inside=INSIDE, isns=(1000, 5000), mss=(1460, 1460), sack=True,
                 stamps=False, scale=None, data_on_syn=b"", port=5060, same_ports=False):
        Connection.port += not same_ports
        self.gateway = gateway
        self.client = End(gateway, "lan0", (inside, Connection.port), isns[0], mss[0], sack, stamps,
                          scale)
        self.server = End(gateway, "wan0", (SERVER, port), isns[1], mss[1], sack, stamps, scale)
        self.client.remote = self.server.local
        if same_ports:
            gateway.ends.pop((self.server.local, gateway.ends[self.client.local].server_sees))
        gateway.ends[self.client.local] = self.client
        gateway.ends[self.server.local] = self.server       # until its peer is known
        self.client.sent = data_on_syn
        self.client.syn(data_on_syn)
        if self.server.remote is None:
            gateway.drain(0.5)
        if self.server.remote is None:
            raise Failed("a SYN did not arrive\n" + gateway.story())
        del gateway.ends[self.server.local]
        gateway.ends[(self.server.local, self.server.remote)] = self.server
        self.server.syn(ack=True)
        if self.client.peer_isn is None:
            gateway.drain(0.5)
        self.client.reply()
        gateway.drain(0.001)
        self.opening = self.server.take(), self.client.take()
        self.outside = self.server.remote
        self.client.server_sees = self.outside

    @property
    def ends(self):
        """Both."""
        return self.client, self.server
