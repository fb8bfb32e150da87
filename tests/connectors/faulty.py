"""A small real HTTP server that misbehaves on demand, for the transport's tests: each path is one fault."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Faulty:
    """Answers raw bytes by path; a callable writes to the socket itself."""

    routes: dict[str, bytes | Callable[[socket.socket], None]] = field(default_factory=dict)
    seen: list[bytes] = field(default_factory=list)
    """The head of every request."""

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._stopped = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Listen no more."""
        self._stopped.set()
        self._socket.close()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                conn, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn: socket.socket) -> None:
        with conn:
            while head := _read_head(conn):
                self.seen.append(head)
                answer = self.routes[head.split(b" ")[1].decode().partition("?")[0]]
                if callable(answer):
                    answer(conn)
                    return
                conn.sendall(answer)


def _read_head(conn: socket.socket) -> bytes:
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            piece = conn.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, rest = data.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        while len(rest) < length:
            rest += conn.recv(65536)
    except OSError:
        return b""
    return head


def reply(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """A whole answer."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body)}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def one_after_another(*answers: bytes) -> Callable[[socket.socket], None]:
    """The first request gets the first answer, and so on; the last one stays. Each on a connection of its own."""
    left = [answer.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) for answer in answers]

    def write(conn: socket.socket) -> None:
        conn.sendall(left.pop(0) if len(left) > 1 else left[0])

    return write


def drip(head: bytes, piece: bytes = b"x", every_s: float = 0.05) -> Callable[[socket.socket], None]:
    """Sends `head`, then `piece` again and again, slowly, for ever."""

    def write(conn: socket.socket) -> None:
        try:
            conn.sendall(head)
            while True:
                time.sleep(every_s)
                conn.sendall(piece)
        except OSError:
            return

    return write


def bomb(megabytes: int) -> bytes:
    """A gzip answer that grows a thousandfold."""
    return reply(gzip.compress(b" " * (megabytes * 1024 * 1024)), Content_Encoding="gzip")


def cut(conn: socket.socket) -> None:
    """Reads the request, then closes without an answer."""
    conn.close()
