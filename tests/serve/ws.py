"""A WebSocket in the fewest lines, either end of it, for tests that want to be
rude: nothing is done behind the caller's back.

    with connect(port, "/api/chat?text_seed=1") as peer:
        peer.send(b"\\x01...")
        kind, payload = peer.receive()

Frames are as in RFC 6455; a message is one frame here, both ways (the server
under test never splits one)."""
import base64
import hashlib
import os
import socket
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Closed(Exception):
    """The other side has closed; code is None when without a word."""

    def __init__(self, code=None, reason=""):
        super().__init__(f"closed: {code} {reason}")
        self.code, self.reason = code, reason


class Refused(Exception):
    """There was an answer, but no upgrade."""

    def __init__(self, status, head):
        super().__init__(f"refused: {status}")
        self.status, self.head = status, head


class Peer:
    def __init__(self, sock, client, rest=b""):
        self.sock, self.client, self.rest = sock, client, rest

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send_frame(self, kind, payload, final=True):
        head = bytes([kind | (0x80 if final else 0)])
        mask = 0x80 if self.client else 0
        n = len(payload)
        if n < 126:
            head += bytes([mask | n])
        elif n < 65536:
            head += bytes([mask | 126]) + struct.pack(">H", n)
        else:
            head += bytes([mask | 127]) + struct.pack(">Q", n)
        if self.client:
            # A mask of zeros is a mask.
            head += b"\0\0\0\0"
        self.sock.sendall(head + payload)

    def send(self, payload):
        self.send_frame(BINARY, payload)

    def close(self, code=1000):
        self.send_frame(CLOSE, struct.pack(">H", code))

    def exactly(self, n):
        while len(self.rest) < n:
            try:
                more = self.sock.recv(65536)
            except ConnectionResetError:
                raise Closed() from None
            if not more:
                raise Closed()
            self.rest += more
        out, self.rest = self.rest[:n], self.rest[n:]
        return out

    def receive(self):
        """The next message that is no ping: (kind, payload)."""
        while True:
            first, second = self.exactly(2)
            n = second & 0x7F
            if n == 126:
                n = struct.unpack(">H", self.exactly(2))[0]
            elif n == 127:
                n = struct.unpack(">Q", self.exactly(8))[0]
            mask = self.exactly(4) if second & 0x80 else None
            payload = self.exactly(n)
            if mask:
                key = (mask * (n // 4 + 1))[:n]
                payload = (int.from_bytes(payload, "big") ^
                           int.from_bytes(key, "big")).to_bytes(n, "big")
            kind = first & 0x0F
            if kind == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if n >= 2 else None
                raise Closed(code, payload[2:].decode("utf-8", "replace"))
            if kind == PING:
                self.send_frame(PONG, payload)
            elif kind != PONG:
                return kind, payload

    def until(self, wanted):
        """Messages up to the first of this protocol type; that one."""
        while True:
            _, payload = self.receive()
            if payload and payload[0] == wanted:
                return payload[1:]


def read_head(sock):
    head = b""
    while b"\r\n\r\n" not in head:
        more = sock.recv(4096)
        if not more:
            raise Closed()
        head += more
    head, rest = head.split(b"\r\n\r\n", 1)
    return head.decode("latin-1"), rest


def handshake(port, path="/api/chat", headers=(), host=None):
    """The request for a WebSocket."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}",
             "Upgrade: websocket", "Connection: Upgrade",
             f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
             *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def connect(port, path="/api/chat", headers=(), host=None, timeout=20):
    sock = socket.create_connection(("127.0.0.1", port), timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(handshake(port, path, headers, host))
    try:
        head, rest = read_head(sock)
    except (Closed, OSError):
        sock.close()
        raise
    status = int(head.split()[1])
    if status != 101:
        sock.close()
        raise Refused(status, head)
    return Peer(sock, True, rest)


def request(port, path, method="GET", headers=(), host=None):
    """(status, head, body) of a plain request."""
    with socket.create_connection(("127.0.0.1", port), 20) as sock:
        lines = [f"{method} {path} HTTP/1.1",
                 f"Host: {host or f'127.0.0.1:{port}'}", "Connection: close",
                 *headers]
        sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        head, body = read_head(sock)
        while True:
            more = sock.recv(65536)
            if not more:
                break
            body += more
    return int(head.split()[1]), head, body


def metrics(port):
    values = {}
    for line in request(port, "/metrics")[2].decode().splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            values[name.removeprefix("moshi_")] = float(value)
    return values


def half_open(port, sent=b""):
    """A connection on which no more is said than this."""
    sock = socket.create_connection(("127.0.0.1", port), 20)
    try:
        sock.sendall(sent)
    except OSError:
        pass
    return sock


def is_closed(sock, seconds):
    """Has the other side closed it, or does it within this time?"""
    sock.settimeout(seconds)
    try:
        while sock.recv(4096):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True


def listen():
    sock = socket.create_server(("127.0.0.1", 0))
    return sock, sock.getsockname()[1]


def accept(listener, timeout=20):
    """(peer, path): the server's side of one connection."""
    listener.settimeout(timeout)
    sock, _ = listener.accept()
    sock.settimeout(timeout)
    head, rest = read_head(sock)
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    fields = {k.lower(): v for k, v in fields.items()}
    digest = hashlib.sha1(fields["sec-websocket-key"].encode() + MAGIC)
    answer = base64.b64encode(digest.digest()).decode()
    sock.sendall(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                  "Connection: Upgrade\r\n"
                  f"Sec-WebSocket-Accept: {answer}\r\n\r\n").encode())
    return Peer(sock, False, rest), head.split()[1]


def pages(stream):
    """The Ogg pages of a stream, without their checksums being looked at."""
    at = 0
    while at < len(stream):
        assert stream[at:at + 4] == b"OggS", at
        segments = stream[at + 26]
        n = 27 + segments + sum(stream[at + 27:at + 27 + segments])
        yield stream[at:at + n]
        at += n
