# SPDX-License-Identifier: GPL-2.0-only
"""SIP over TCP in a selftest: listeners, connections, and messages out of their bytes.

A host's connections leave from the port that the flow names, and it listens there as
well, so that a flow reads the same over UDP and over TCP. Whoever has something to send
uses the connection that is there, in either direction, or opens one.
"""

import re
import socket
import struct
import time

import testnet

_LENGTH = re.compile(rb"(?:content-length|l)[ \t]*:\s*(\d+)", re.I)


def message_end(data):
    """Where the first message of a stream ends (RFC 3261 18.3); 0: not there yet.

    Empty lines in front of a start line (RFC 5626 3.5.1) count as a message.
    """
    empty = len(data) - len(data.lstrip(b"\r\n\0"))
    if empty:
        return empty
    head = re.search(rb"\r?\n\r?\n", data)
    if not head:
        return 0
    lines = (_LENGTH.match(line) for line in data[:head.start()].split(b"\n"))
    length = next((int(match[1]) for match in lines if match), 0)
    end = head.end() + length
    return end if len(data) >= end else 0


class Connection:
    """One end of a connection, and what was read of it but not yet taken."""

    def __init__(self, sock, peer):
        self.sock, self.peer, self.buffer, self.ended = sock, peer[:2], b"", False
        sock.settimeout(testnet.ARRIVE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self):
        """Takes in what is there, or that the connection has ended."""
        try:
            data = self.sock.recv(1 << 16)
        except OSError:
            data = b""
        self.buffer += data
        self.ended = not data

    def write(self, data, piece=0):
        """Sends, if wanted in segments of so many bytes; a reason where it fails."""
        try:
            for at in range(0, len(data), piece or len(data)):
                # MSG_EOR: what is written next does not join this segment.
                self.sock.sendall(data[at:at + (piece or len(data))],
                                  socket.MSG_EOR if piece else 0)
        except OSError as err:
            return f"{err.strerror or err}"
        return None

    def close(self, reset=False):
        """Ends it, with FIN or with RST."""
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Streams:
    """The TCP ends of all hosts of a network."""

    def __init__(self, net, piece=0):
        self.net, self.piece = net, piece
        self.listeners = {}     # (host, port) -> socket
        self.ends = {}          # (host, port) -> connections, the oldest first

    def _bound(self, host, port):
        address = self.net.address(host)
        self.net.enter(testnet.HOSTS[host][0])
        try:
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                sock.setsockopt(socket.SOL_SOCKET, option, 1)
            sock.bind((address, port))
        finally:
            self.net.enter(None)
        return sock

    def socket(self, host, port):
        """Lets a host listen, from the first time on that it is named."""
        if (host, port) not in self.listeners:
            sock = self._bound(host, port)
            sock.listen(64)
            self.listeners[(host, port)] = sock

    def _absorb(self, host, port, wait=0.0):
        """Accepts and reads what comes within so many seconds; true when something did."""
        listener, ends = self.listeners.get((host, port)), self.ends.setdefault((host, port), [])
        watched = [end.sock for end in ends if not end.ended] + ([listener] if listener else [])
        ready = testnet.readable(watched, wait) if watched else []
        for end in ends:
            if end.sock in ready:
                end.read()
        for end in [end for end in ends if end.ended and not end.buffer]:
            end.close()
            ends.remove(end)
        if listener in ready:
            ends.append(Connection(*listener.accept()))
        return bool(ready)

    def connect(self, host, port, to, wait=testnet.ARRIVE):
        """Opens a connection: the end, or a reason."""
        self.socket(host, port)
        sock = self._bound(host, port)
        sock.settimeout(wait)
        try:
            sock.connect(to)
        except OSError as err:
            sock.close()
            return None, f"{host}:{port} cannot connect to {testnet.endpoint(*to)}: {err}"
        end = Connection(sock, to)
        self.ends.setdefault((host, port), []).append(end)
        return end, None

    def to_peer(self, host, port, peer):
        """The newest connection of a host with that peer, or None."""
        while self._absorb(host, port):
            pass
        for end in reversed(self.ends[(host, port)]):
            if end.peer == tuple(peer) and not end.ended:
                return end
        return None

    def send(self, host, port, data, to, wait=testnet.ARRIVE):
        """Sends bytes on the connection that is there, or on a new one; a reason if not."""
        end, error = self.to_peer(host, port, to), None
        if not end:
            end, error = self.connect(host, port, to, wait)
        if end:
            error = end.write(data, self.piece)
            if error:
                error = f"{host}:{port} cannot send to {testnet.endpoint(*to)}: {error}"
        return error

    def receive(self, host, port, wait=testnet.ARRIVE):
        """The next message of a host, as (data, (address, port)), or None.

        What is no whole message when the time is over is given back as it is.
        """
        end_of_time = time.monotonic() + wait
        while True:
            for end in self.ends.get((host, port), []):
                size = message_end(end.buffer)
                if size:
                    return self._take(end, size)
            left = end_of_time - time.monotonic()
            if left < 0:
                break
            self._absorb(host, port, left)
        for end in self.ends.get((host, port), []):
            if end.buffer:
                return self._take(end, len(end.buffer))
        return None

    @staticmethod
    def _take(end, size):
        data, end.buffer = end.buffer[:size], end.buffer[size:]
        return data, end.peer

    def unread(self):
        """What has arrived without being waited for."""
        left = []
        for host, port in list(self.listeners):
            while self._absorb(host, port):
                pass
            got = self.receive(host, port, 0)
            if got:
                left.append((host, port, *got))
        return left

    def hang_up(self, host, port, peer, reset=False):
        """Ends the connections of a host with a peer; how many there were."""
        ends = [end for end in self.ends.get((host, port), []) if end.peer == tuple(peer)]
        for end in ends:
            end.close(reset)
            self.ends[(host, port)].remove(end)
        return len(ends)

    def close(self):
        """Ends everything."""
        for sock in self.listeners.values():
            sock.close()
        for ends in self.ends.values():
            for end in ends:
                end.close()
        self.listeners, self.ends = {}, {}
