"""The transport against a server that misbehaves, over real sockets."""

from __future__ import annotations

import gzip
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from email.utils import formatdate
from typing import Any

import pytest

from connectors.errors import CallFailed, Garbled, Refused, Throttled, Unavailable, Uncertain
from connectors.transport import Answer, NoBudget, Transport, dump_json, has_nul, parse_json, retry_after_s
from connectors.wire import is_private
from tests.connectors.faulty import Faulty, bomb, cut, drip, one_after_another, reply

SECRET = "s3cret-标记"


@pytest.fixture
def server() -> Iterator[Faulty]:
    server = Faulty()
    yield server
    server.stop()


def transport(**settings: Any) -> Transport:
    return Transport("kingdee_east", **{"allow_private": True, "sleep": lambda _seconds: None, "deadline_s": 5, **settings})


def test_a_read_gives_status_headers_and_body(server: Faulty) -> None:
    server.routes["/a"] = reply("你好".encode(), Content_Type="text/plain; charset=utf-8", Set_Cookie="sid=1")

    answer = transport().send("GET", server.url + "/a", writes=False)

    assert answer == Answer(200, answer.headers, "你好".encode())
    assert (answer.charset, answer.headers["set-cookie"]) == ("utf-8", "sid=1")


def test_connections_are_kept_and_cookies_are_not(server: Faulty) -> None:
    server.routes["/a"] = reply(b"1", Set_Cookie="sid=1; path=/")
    kept = transport()

    for _ in range(3):
        kept.send("GET", server.url + "/a", writes=False)

    assert all(b"cookie" not in head.lower() for head in server.seen)


@pytest.mark.parametrize("where", ["headers", "body"])
def test_a_slow_drip_ends_at_the_deadline_wherever_it_drips(server: Faulty, where: str) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Slow: " if where == "headers" else b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    server.routes["/slow"] = drip(head)
    started = time.monotonic()

    with pytest.raises(Unavailable, match="no whole answer within 0.4 s"):
        transport(deadline_s=0.4).send("GET", server.url + "/slow", writes=False)

    assert time.monotonic() - started < 1.5
    assert len(server.seen) == 1


def test_deadlines_hold_in_many_threads_and_after_a_fork(server: Faulty) -> None:
    server.routes["/slow"] = drip(b"HTTP/1.1 200 OK\r\nX-Slow: ")

    def ends(_number: int) -> bool:
        try:
            transport(deadline_s=0.3).send("GET", server.url + "/slow", writes=False)
        except Unavailable:
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ends, range(8))) == [True] * 8
    child = os.fork()
    if child == 0:
        os._exit(0 if ends(0) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_slow_drip_after_a_write_is_uncertain(server: Faulty) -> None:
    server.routes["/slow"] = drip(b"HTTP/1.1 200 OK\r\nX-Slow: ")

    with pytest.raises(Uncertain):
        transport(deadline_s=0.3).send("POST", server.url + "/slow", body=b"{}", writes=True)


def test_an_answer_over_the_cap_is_refused_even_when_it_unpacks_from_little(server: Faulty) -> None:
    server.routes["/bomb"] = bomb(64)
    server.routes["/large"] = reply(b"x" * 3_000_000)

    for path in ("/bomb", "/large"):
        with pytest.raises(Garbled, match="larger than 2 MiB"):
            transport(max_bytes=2 * 1024 * 1024).send("GET", server.url + path, writes=False)

    assert len(server.seen) == 2, "asking again would fetch the same"


def test_a_gzip_answer_is_unpacked_and_a_cut_one_is_garbled(server: Faulty) -> None:
    packed = gzip.compress(b'{"a":1}')
    server.routes["/ok"] = reply(packed, Content_Encoding="gzip")
    server.routes["/cut"] = reply(packed[:-6], Content_Encoding="gzip")

    assert transport().send("GET", server.url + "/ok", writes=False).body == b'{"a":1}'
    with pytest.raises(Garbled, match="cut off"):
        transport(attempts=1).send("GET", server.url + "/cut", writes=False)


def test_a_body_shorter_than_announced_is_not_taken_for_whole(server: Faulty) -> None:
    server.routes["/short"] = one_after_another(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,2", reply(b"[1,2]"))

    assert transport().send("GET", server.url + "/short", writes=False).body == b"[1,2]"


def test_a_redirect_is_not_followed_and_credentials_stay_here(server: Faulty) -> None:
    other = Faulty({"/b": reply(b"stolen")})
    server.routes["/a"] = reply(b"", "302 Found", Location=f"http://localhost:{other.port}/b")

    with pytest.raises(Refused, match="redirect to http://localhost"):
        transport().send("GET", server.url + "/a", headers={"Authorization": SECRET.encode().decode("latin-1")}, writes=False)

    assert other.seen == []
    other.stop()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("1e9", 86_400.0),
        ("nan", None),
        ("soon", None),
        ("", None),
        (formatdate(1_700_000_030, usegmt=True), 30.0),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_s(value, now=1_700_000_000) == seconds


def test_too_many_calls_holds_the_budget_waits_as_asked_and_goes_on(server: Faulty) -> None:
    held: list[float] = []
    slept: list[float] = []

    class Holds(NoBudget):
        def hold(self, *, seconds: float) -> None:
            held.append(seconds)

    server.routes["/a"] = one_after_another(reply(b"", "429 Too Many Requests", Retry_After="7"), reply(b"done"))

    answer = transport(budget=Holds(), sleep=slept.append).send("GET", server.url + "/a", writes=False)

    assert (answer.body, held, slept) == (b"done", [7.0], [7.0])


def test_a_long_wait_is_handed_up_not_slept(server: Faulty) -> None:
    server.routes["/a"] = reply(b"", "429 Too Many Requests", Retry_After="3600")

    with pytest.raises(Throttled) as caught:
        transport().send("GET", server.url + "/a", writes=False)

    assert caught.value.after_s == 3600
    assert len(server.seen) == 1


def test_the_budget_is_reserved_before_every_attempt_by_kind(server: Faulty) -> None:
    reserved: list[tuple[str, int]] = []

    class Counts(NoBudget):
        def reserve(self, *, kind: str, units: int = 1) -> None:
            reserved.append((kind, units))

    server.routes["/a"] = one_after_another(reply(b"", "503 Busy"), reply(b"done"))
    server.routes["/w"] = reply(b"done")
    both = transport(budget=Counts())

    both.send("GET", server.url + "/a", writes=False, units=2)
    both.send("POST", server.url + "/w", writes=True)

    assert reserved == [("read", 2), ("read", 2), ("write", 1)]


def test_a_spent_budget_sends_nothing(server: Faulty) -> None:
    class Spent(NoBudget):
        def reserve(self, *, kind: str, units: int = 1) -> None:
            raise Throttled("kingdee_east", "the day's window is spent", after_s=3600)

    with pytest.raises(Throttled):
        transport(budget=Spent()).send("POST", server.url + "/w", writes=True)
    assert server.seen == []


def test_a_failing_server_is_asked_again_for_reads_only(server: Faulty) -> None:
    server.routes["/r"] = one_after_another(reply(b"", "502 Bad Gateway"), reply(b"", "503 Busy"), reply(b"ok"))
    server.routes["/w"] = reply(b"", "500 Oops")

    assert transport().send("GET", server.url + "/r", writes=False).body == b"ok"
    assert transport().send("POST", server.url + "/w", writes=True).status == 500
    assert len(server.seen) == 4


def test_a_connection_cut_after_sending_is_uncertain_for_a_write_and_repeated_for_a_read(server: Faulty) -> None:
    server.routes["/cut"] = cut

    with pytest.raises(Uncertain, match="after the request was sent"):
        transport().send("POST", server.url + "/cut", body=b"{}", writes=True)
    with pytest.raises(Unavailable):
        transport(attempts=3).send("GET", server.url + "/cut", writes=False)
    assert len(server.seen) == 4


def test_a_host_that_is_not_there_is_unavailable_even_for_a_write() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(Unavailable, match=r"127\.0\.0\.1: the connection was refused.*Next: check the address"):
        transport().send("POST", f"http://127.0.0.1:{port}/w", body=b"{}", writes=True)


def test_a_private_address_is_refused_before_a_byte_is_sent(server: Faulty) -> None:
    server.routes["/a"] = reply(b"inner")

    with pytest.raises(Refused, match="private network"):
        transport(allow_private=False).send("GET", f"http://localhost:{server.port}/a", writes=False)

    assert server.seen == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/b", "http://user:pw@example.com/", "http://elsewhere.example/"])
def test_only_plain_web_addresses_of_allowed_hosts_are_called(url: str) -> None:
    with pytest.raises(Refused):
        transport(allow_hosts=["api.example.com"]).send("GET", url, writes=False)


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True),
        ("169.254.169.254", True),
        ("10.1.2.3", True),
        ("::1", True),
        ("fd00::1", True),
        ("fe80::1%eth0", True),
        ("::ffff:10.0.0.1", True),
        ("100.64.0.1", True),
        ("0.0.0.0", True),
        ("114.114.114.114", False),
        ("2400:3200::1", False),
    ],
)
def test_private_addresses_are_known_in_every_spelling(address: str, *, private: bool) -> None:
    assert is_private(address) is private


def test_what_the_judge_says_is_repeated_for_reads_and_uncertain_for_writes(server: Faulty) -> None:
    server.routes["/a"] = one_after_another(reply(b"<html>"), reply(b"[1]"))
    server.routes["/w"] = reply(b"<html>")

    def judge(answer: Answer) -> Any:
        return parse_json("kingdee_east", answer.body)

    assert transport().call("POST", server.url + "/a", judge=judge, writes=False) == [1]
    with pytest.raises(Uncertain, match="HTML"):
        transport().call("POST", server.url + "/w", judge=judge, writes=True)


def test_no_secret_no_payload_and_no_query_string_in_what_is_said(
    server: Faulty, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    server.routes["/cut"] = cut
    server.routes["/500"] = reply(SECRET.encode(), "500 Oops")
    said: list[str] = []
    caplog.set_level("DEBUG")

    for path in ("/cut", "/500"):
        for writes in (True, False):
            try:
                transport(attempts=1).send(
                    "POST", f"{server.url}{path}?access_token=s3cret", headers={"X-Key": "s3cret"}, body=SECRET.encode(), writes=writes
                )
            except CallFailed as error:
                said += [str(error), repr(error), repr(error.__context__ or "")]

    out = capsys.readouterr()
    assert len(said) == 9
    assert "s3cret" not in "".join(said) + out.out + out.err + caplog.text


def test_numbers_are_exact_and_never_float() -> None:
    value = parse_json("s", b"[100.0000000000, 1e2, 12345678901234567890123456789, 0.1, 9007199254740993]")

    assert value == [Decimal("100.0000000000"), Decimal("1E+2"), 12345678901234567890123456789, Decimal("0.1"), 9007199254740993]
    assert [type(item) for item in value] == [Decimal, Decimal, int, Decimal, int]
    assert str(value[0]) == "100.0000000000"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"  <html>504</html>", "HTML"),
        (b'{"a":1', "cut off"),
        (b"NaN", "not JSON"),
        (b"[Infinity]", "not JSON"),
        (b"[1e999]", "beyond"),
        (b"[1e-999]", "beyond"),
        (b"[" * 100_000, "nested"),
        (b"[" + b"9" * 5000 + b"]", "integer"),
        ('["客户"]'.encode("gbk"), "GBK"),
        ('["客户"]'.encode("utf-16"), "UTF-16"),
        (b'["\xed\xa0\x80"]', "not UTF-8"),
        (b"[1]x", "not JSON"),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_what_is_not_sound_json_is_garbled_with_its_reason(body: bytes, words: str) -> None:
    with pytest.raises(Garbled, match=words):
        parse_json("s", body)


def test_a_byte_order_mark_and_a_declared_encoding_are_understood() -> None:
    assert parse_json("s", b"\xef\xbb\xbf[1]") == [1]
    assert parse_json("s", '["客户"]'.encode("gbk"), "GB18030") == ["客户"]
    with pytest.raises(Garbled, match="not in the encoding it declares"):
        parse_json("s", b'["\xff\xff"]', "gbk")


def test_rare_characters_survive() -> None:
    text = "𠮷㐂😀ＡＢＣ"

    assert parse_json("s", dump_json([text])) == [text]
    assert parse_json("s", b'["\\ud842\\udfb7"]') == ["𠮷"]


def test_a_lone_surrogate_spoils_its_record_not_its_page() -> None:
    good, bad, escaped = parse_json("s", b'[{"a":"\\ud842\\udfb7"},{"a":"x\\ud800y"},{"a":"\\\\ud800"}]')

    assert (good, bad, escaped) == ({"a": "𠮷"}, {"a": "x\x00y"}, {"a": "\\ud800"})
    assert (has_nul(good), has_nul([bad]), has_nul(escaped)) == (False, True, False)


def test_decimals_are_written_digit_for_digit_and_never_as_nan() -> None:
    assert dump_json({"a": Decimal("0.10"), "b": Decimal("12345678901234567890.12")}) == b'{"a":0.10,"b":12345678901234567890.12}'
    assert dump_json(["NaN"]) == b'["NaN"]'
    with pytest.raises(ValueError, match="NaN"):
        dump_json({"a": [Decimal("NaN")]})
