"""Calls to servers that this command started on 127.0.0.1, and free ports for them."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any


class HttpFailed(Exception):
    """No answer (`status` 0), or one that is not 2xx."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(f"{status} {text[:300]}" if status else text)


def call(
    method: str,
    url: str,
    body: Any = None,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 60,
) -> Any:
    """The JSON that a local server answers (None for an empty answer). Raises: HttpFailed."""
    whole = url + ("?" + urllib.parse.urlencode(query) if query else "")
    data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    request = urllib.request.Request(whole, data=data, method=method, headers={"Content-Type": "application/json", **(headers or {})})  # noqa: S310  our own 127.0.0.1
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy of the environment is not for loopback
    try:
        with direct.open(request, timeout=timeout_s) as answer:
            text = answer.read()
    except urllib.error.HTTPError as refused:
        raise HttpFailed(refused.code, refused.read().decode(errors="replace")) from refused
    except (OSError, TimeoutError) as silent:
        raise HttpFailed(0, str(silent)) from silent
    return json.loads(text) if text else None


def free_ports(count: int) -> list[int]:
    """Ports on 127.0.0.1 that are free now, all different."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
