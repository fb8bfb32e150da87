"""The local paged HTTP server that every contender reads: one process, pages of 1,000 rendered beforehand.

GET /orders?page=N[&since=T]   {"data": [...], "page": N, "pages": M}; `since` includes its boundary
GET /companies, /parties, /products, /target/orders (empty)
GET /_change?count=N           N orders spread over all of them change now
GET /_reset                    as it was
"""

from __future__ import annotations

import asyncio
import json
import sys
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks import data

PAGE = 1000


class Listing:
    """One resource, oldest change first."""

    def __init__(self, records: Iterable[dict[str, Any]]) -> None:
        self.bodies: list[bytes] = []
        self.stamps: list[str] = []
        for record in records:
            self.bodies.append(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode())
            self.stamps.append(record["updated_at"])
        pages = max(1, -(-len(self.bodies) // PAGE))
        self.pages = [_page(self.bodies[number * PAGE : (number + 1) * PAGE], number + 1, pages) for number in range(pages)]
        self.moved: dict[int, bytes] = {}
        """Place in the listing -> the record as it is since its change."""
        self.moved_stamps: list[str] = []

    def page(self, number: int, since: str) -> bytes:
        """One page; empty when there is no such page."""
        if not since and not self.moved:
            return self.pages[number - 1] if number <= len(self.pages) else _page([], number, len(self.pages))
        first = bisect_left(self.stamps, since)
        found = [body for place, body in enumerate(self.bodies[first:], first) if place not in self.moved]
        found += list(self.moved.values())[bisect_left(self.moved_stamps, since) :]
        pages = max(1, -(-len(found) // PAGE))
        return _page(found[(number - 1) * PAGE : number * PAGE], number, pages)

    def change(self, count: int) -> None:
        """Change that many records, spread over the whole listing."""
        apart = max(1, len(self.bodies) // count)
        for step in range(min(count, len(self.bodies))):
            index = len(self.bodies) + step
            record = data.changed(json.loads(self.bodies[step * apart]), index)
            self.moved[step * apart] = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
            self.moved_stamps.append(record["updated_at"])

    def reset(self) -> None:
        """Forget all changes."""
        self.moved.clear()
        self.moved_stamps.clear()


def _page(bodies: list[bytes], number: int, pages: int) -> bytes:
    return b'{"data":[' + b",".join(bodies) + f'],"page":{number},"pages":{pages}}}'.encode()


class Server(asyncio.Protocol):
    """HTTP/1.1 with keep-alive; enough of it for GET."""

    def __init__(self, listings: dict[str, Listing]) -> None:
        self.listings, self.waiting = listings, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport: Any = transport

    def data_received(self, received: bytes) -> None:
        """Answer every whole request."""
        self.waiting += received
        while b"\r\n\r\n" in self.waiting:
            head, _, self.waiting = self.waiting.partition(b"\r\n\r\n")
            body = self.answer(head.split(b" ", 2)[1].decode())
            status = b"404 Not Found" if body is None else b"200 OK"
            content = b"{}" if body is None else body
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nContent-Length: " + str(len(content)).encode() + b"\r\n\r\n"
            )
            self.transport.write(content)

    def answer(self, target: str) -> bytes | None:
        """The body for a path with query, or None."""
        parts = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/_change":
            self.listings["/orders"].change(int(asked["count"]))
            return b"{}"
        if parts.path == "/_reset":
            self.listings["/orders"].reset()
            return b"{}"
        listing = self.listings.get(parts.path)
        return listing.page(int(asked.get("page", "1")), asked.get("since", "")) if listing else None


async def serve(orders: int) -> None:
    """Listen on a free port of 127.0.0.1, say which, and go on until standard input ends."""
    listings = {
        "/orders": Listing(data.orders(orders)),
        "/companies": Listing(data.companies()),
        "/parties": Listing(data.parties()),
        "/products": Listing(data.products()),
        "/target/orders": Listing([]),
    }
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(listings), "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1], "bytes": sum(map(len, listings["/orders"].bodies))}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
