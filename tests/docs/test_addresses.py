"""Every `/v1/…` address that a page names can be asked, and every room of the API stands on docs/api.md."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from hub_api.main import create_app
from hub_api.settings import ApiSettings
from tests.docs.pages import PAGES, name_of, text_of

NAMED = re.compile(r"`(?:(GET|POST|PATCH|DELETE) )?(/v1/[^`\s?]+)[^`]*`")


def plain(address: str) -> str:
    """An address with its parts in braces: `/v1/plans/<n>/approve` and `/v1/plans/{plan}/approve` are one."""
    return re.sub(r"<[^>]*>|\{[^}]*\}|\b[A-Z]{2,}\b", "{}", address).rstrip("/.,")


def variants(address: str) -> list[str]:
    """What `…/submit|send` stands for: an address for each."""
    before, slash, last = address.rpartition("/")
    return [before + slash + one for one in last.split("|")]


@pytest.fixture(scope="module")
def routes() -> dict[str, set[str]]:
    """Methods by address."""
    found: dict[str, set[str]] = {}
    for path, told in create_app(settings=ApiSettings()).openapi()["paths"].items():
        found.setdefault(plain(path), set()).update(method.upper() for method in told)
    return found


def named() -> Iterator[tuple[str, str, str]]:
    """(page, method or empty, address) of each address on a page."""
    for page in PAGES:
        if page.parent.name == "decisions":  # tell what was not chosen too
            continue
        for method, address in NAMED.findall(page.read_text(encoding="utf-8")):
            for one in variants(plain(address)):
                if not one.startswith("/v1/{}"):  # a kind of record, whichever it is
                    yield name_of(page), method, one


def test_every_address_that_a_page_names_can_be_asked(routes: dict[str, set[str]]) -> None:
    every = list(named())

    assert len(every) > 100
    assert [
        (page, method, address) for page, method, address in every if address not in routes or (method and method not in routes[address])
    ] == []


def test_every_room_of_the_api_is_on_its_page(routes: dict[str, set[str]]) -> None:
    """Kinds of records, which all have a history, stand there once for all."""
    told = text_of("docs/api.md")
    rooms = {f"/v1/{path.split('/')[2]}" for path in routes if path.startswith("/v1/")}
    rooms = {room for room in rooms if f"{room}/{{}}/history" not in routes}

    assert [room for room in sorted(rooms) if not re.search(rf"{room}\b(?![-_])", told)] == []
