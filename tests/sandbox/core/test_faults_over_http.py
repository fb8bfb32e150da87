"""Each fault of the control door, as a client on the wire meets it. The vendor here is a toy: only the shared part is judged."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests

from sandbox.core import Doc, Request, Response, Server, Vendor, json_response, serving


class Notebook(Vendor):
    """Keeps notes: POST /notes/<key> writes one, GET /notes lists them."""

    name = "notebook"
    streams = {"notes": "Note"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__(seed=7)
        self.notes: dict[str, Doc] = {}
        self.expired = 0

    def handle(self, request: Request) -> Response:
        """Write or list notes."""
        if request.method == "POST":
            key = request.path.rsplit("/", 1)[-1]
            self.notes[key] = {"key": key, "text": request.body.decode()}
            request.operation, request.written = "save", [key]
        return json_response({"notes": sorted(self.notes), "effects": request.effects, "bytes": len(request.body)})

    def stream_of(self, request: Request) -> str | None:
        """Everything under /notes."""
        return "notes" if request.path.startswith("/notes") else None

    def records(self, stream: str, params: Mapping[str, str]) -> list[Doc]:
        """All notes."""
        return list(self.notes.values())

    def put(self, stream: str, doc: Doc, user: str = "user") -> Doc:
        """A note from the door."""
        self.notes[doc["key"]] = doc
        return doc

    def delete(self, stream: str, key: str) -> bool:
        """A note less."""
        return self.notes.pop(key, None) is not None

    def load(self, records: Mapping[str, list[Doc]]) -> int:
        """Nothing to load."""
        return 0

    def reset(self) -> None:
        """No notes."""
        self.notes.clear()

    def credentials(self, url: str) -> Mapping[str, Any]:
        """None needed."""
        return {}

    def expire_sessions(self) -> None:
        """Count how often."""
        self.expired += 1


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Notebook()) as running:
        yield running


def switch_on(server: Server, effect: str, value: Any = None, **more: Any) -> None:
    body = {"effect": effect, "value": value, "times": 1, **more}
    assert requests.post(f"{server.control_url}/faults", json=body, timeout=5).status_code == 200


def get(server: Server, path: str = "/notes") -> requests.Response:
    return requests.get(server.url + path, timeout=10)


def log(server: Server) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = requests.get(f"{server.control_url}/log", timeout=5).json()
    return lines


def test_latency_delays_one_call_and_no_other(server: Server) -> None:
    switch_on(server, "latency", 0.3)

    started = time.monotonic()
    get(server)
    delayed = time.monotonic() - started
    started = time.monotonic()
    get(server)

    assert delayed >= 0.3
    assert time.monotonic() - started < 0.3


def test_status_answers_without_working_on_the_call(server: Server) -> None:
    switch_on(server, "status", 503)

    answer = requests.post(server.url + "/notes/a", b"x", timeout=5)

    assert answer.status_code == 503
    assert get(server).json()["notes"] == []


def test_status_after_the_work_is_committed(server: Server) -> None:
    switch_on(server, "status", {"status": 500, "body": "boom", "after": True})

    answer = requests.post(server.url + "/notes/a", b"x", timeout=5)

    assert (answer.status_code, answer.text) == (500, "boom")
    assert get(server).json()["notes"] == ["a"]


def test_retry_after_throttles_with_the_header(server: Server) -> None:
    switch_on(server, "retry_after", 7)

    answer = get(server)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


@pytest.mark.parametrize(("effect", "kept"), [("drop_before", []), ("drop_after", ["a"])], ids=["before the commit", "after the commit"])
def test_dropping_cuts_the_connection(server: Server, effect: str, kept: list[str]) -> None:
    switch_on(server, effect)

    with pytest.raises(requests.ConnectionError):
        requests.post(server.url + "/notes/a", b"x", timeout=5)

    assert get(server).json()["notes"] == kept
    line = log(server)[0]
    assert (line["status"], line["fault"], line["keys"]) == (0, effect, kept)


def test_truncate_promises_more_than_it_sends(server: Server) -> None:
    switch_on(server, "truncate", 0.5)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)

    connection.request("GET", "/notes")
    with pytest.raises(http.client.IncompleteRead) as cut:
        connection.getresponse().read()

    assert len(cut.value.partial) > 0
    connection.close()


@pytest.mark.parametrize(
    ("kind", "starts"),
    [
        ("", b'{"\xff'),
        ("nan", b'{"value": NaN'),
        ("digits", b'{"value": 777'),
        ("deep", b"[[["),
        ("gbk", b'{"name": "\xc9\xee'),
        ("<oops>", b"<oops>"),
    ],
    ids=["no JSON", "not a number", "too many digits", "too deep", "GBK", "a text of one's own"],
)
def test_garbage_comes_in_kinds(server: Server, kind: str, starts: bytes) -> None:
    switch_on(server, "garbage", kind)

    answer = get(server)

    assert answer.status_code == 200
    assert answer.content.startswith(starts)


def test_a_gzip_bomb_is_small_on_the_wire(server: Server) -> None:
    switch_on(server, "garbage", "gzip_bomb")

    with requests.get(server.url + "/notes", timeout=10, stream=True) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert int(answer.headers["Content-Length"]) < 1_000_000
        assert next(answer.iter_content(1 << 16)).startswith(b"    ")


def test_a_status_may_bring_headers_and_so_redirect(server: Server) -> None:
    switch_on(server, "status", {"status": 302, "headers": {"Location": "http://127.0.0.2:9/elsewhere"}})

    answer = requests.get(server.url + "/notes", timeout=5, allow_redirects=False)

    assert (answer.status_code, answer.headers["Location"]) == (302, "http://127.0.0.2:9/elsewhere")


def test_slow_drip_sends_one_byte_at_a_time(server: Server) -> None:
    switch_on(server, "slow_drip", 0.02)
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw:
        raw.sendall(b"GET /notes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        pieces = []
        while piece := raw.recv(4096):
            pieces.append(piece)

    body = b"".join(pieces).split(b"\r\n\r\n", 1)[1]
    assert time.monotonic() - started >= 0.02 * (len(body) - 1)
    assert len(pieces) > 5


def test_empty_answers_well_formed_nothing(server: Server) -> None:
    switch_on(server, "empty")

    assert get(server).json() == []


def test_html_answers_a_page_with_status_200(server: Server) -> None:
    switch_on(server, "html")

    answer = get(server)

    assert answer.status_code == 200
    assert "text/html" in answer.headers["Content-Type"]
    assert answer.text.startswith("<!DOCTYPE html>")


def test_the_vendor_is_handed_what_only_it_can_act_out(server: Server) -> None:
    switch_on(server, "partial_batch", 0.5)
    switch_on(server, "expire_session")

    answer = get(server)

    assert set(answer.json()["effects"]) == {"partial_batch", "expire_session"}
    assert isinstance(server.vendor, Notebook)
    assert server.vendor.expired == 1


def test_a_fault_meets_only_the_calls_it_names(server: Server) -> None:
    switch_on(server, "status", 500, match={"method": "post", "path": "/NOTES/b", "stream": "note"}, times=5)

    assert get(server, "/notes/b").status_code == 200
    assert requests.post(server.url + "/notes/a", b"", timeout=5).status_code == 200
    assert requests.post(server.url + "/notes/b", b"", timeout=5).status_code == 500


def test_a_fault_happens_as_often_as_it_is_told(server: Server) -> None:
    switch_on(server, "status", 500, times=2)

    assert [get(server).status_code for _ in range(3)] == [500, 500, 200]
    assert requests.get(f"{server.control_url}/faults", timeout=5).json() == []


def test_chance_is_seeded(server: Server) -> None:
    def run() -> list[int]:
        requests.delete(f"{server.control_url}/faults", timeout=5)
        switch_on(server, "status", 500, times=None, probability=0.5)
        return [get(server).status_code for _ in range(20)]

    first = run()

    assert {200, 500} == set(first)
    assert run() == first


@pytest.mark.parametrize(
    "body",
    [
        {"effect": "explode"},
        {"effect": "status", "times": 0},
        {"effect": "status", "probability": 2},
        {"effect": "status", "match": {"verb": "GET"}},
        7,
    ],
    ids=["unknown effect", "no times", "chance above 1", "unknown match", "no object"],
)
def test_a_wrong_fault_is_refused_with_a_reason(server: Server, body: Any) -> None:
    answer = requests.post(f"{server.control_url}/faults", json=body, timeout=5)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_control_calls_meet_no_faults_and_are_not_logged(server: Server) -> None:
    switch_on(server, "status", 500, times=None)

    door = requests.post(f"{server.control_url}/records/notes", json={"key": "k"}, timeout=5)

    assert door.status_code == 200
    assert log(server) == []


def test_the_log_tells_operation_keys_and_fault_and_can_be_read_on_from_a_number(server: Server) -> None:
    requests.post(server.url + "/notes/a", b"x", timeout=5)
    switch_on(server, "html")
    get(server)

    first, second = log(server)
    later = requests.get(f"{server.control_url}/log?after=1", timeout=5).json()

    assert (first["method"], first["stream"], first["operation"], first["keys"]) == ("POST", "Note", "save", ["a"])
    assert second["fault"] == "html"
    assert later == [second]


def test_records_are_edited_through_the_door_by_either_name(server: Server) -> None:
    requests.post(f"{server.control_url}/records/NOTE", json=[{"key": "a"}, {"key": "b"}], timeout=5)

    assert requests.delete(f"{server.control_url}/records/notes/a", timeout=5).json() == {"deleted": True}
    assert requests.delete(f"{server.control_url}/records/notes/a", timeout=5).status_code == 404
    assert requests.get(f"{server.control_url}/records/Notes", timeout=5).json() == [{"key": "b"}]
    assert requests.get(f"{server.control_url}/records/letters", timeout=5).status_code == 404


def test_reset_empties_records_faults_and_log_and_seeds_anew(server: Server) -> None:
    server.vendor.reseed = lambda: server.vendor.put("Note", {"key": "seed"})
    get(server)
    switch_on(server, "status", 500, times=None)

    requests.post(f"{server.control_url}/reset", timeout=5)

    assert log(server) == []
    assert get(server).status_code == 200
    assert requests.get(f"{server.control_url}/records/notes", timeout=5).json() == [{"key": "seed"}]


def test_bodies_come_whole_by_length_in_chunks_and_in_pieces(server: Server) -> None:
    by_length = requests.post(server.url + "/notes/a", b"x" * 300_000, timeout=5)
    in_chunks = requests.post(server.url + "/notes/b", iter([b"one", b"two", b"x" * 100_000]), timeout=5)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw:
        for piece in (b"POST /notes/c HT", b"TP/1.1\r\nHost: x\r\nContent-Le", b"ngth: 4\r\nConnection: close\r\n\r\nab", b"cd"):
            raw.sendall(piece)
            time.sleep(0.01)
        answer = raw.makefile("rb").read()

    assert by_length.json()["bytes"] == 300_000
    assert in_chunks.json()["bytes"] == 100_006
    assert b'"bytes":4' in answer


@pytest.mark.parametrize(
    "head", [b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -4\r\n\r\n"]
)
def test_what_is_no_http_is_refused_and_the_server_goes_on(server: Server, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw:
        raw.sendall(head)
        answer = raw.makefile("rb").read()

    assert answer.split(b" ")[1] in {b"400", b"413"}
    assert get(server).status_code == 200
