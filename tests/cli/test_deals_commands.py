"""`hub deals …`: claims, decisions, rules and imports at the command line, with exit codes that a script can trust."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from channel.deals.importing import COLUMNS
from tests.cli.conftest import Run
from tests.cli.running import answer

HUAYI = ("--name", "上海华谊机械设备有限公司", "--uscc", "91310000132200944J", "--city", "上海市")
AGAIN = ("--name", "华谊机械设备（上海）有限公司", "--uscc", "91310000132200944J")
BRANCH = ("--name", "上海华谊机械设备有限公司苏州分公司")


def register(filled: Run, dealer: str, claim: Sequence[str], *more: str) -> tuple[int, Any]:
    """A registration: exit code and answer."""
    done = filled("deals", "register", "--dealer", dealer, *claim, *more, "--json")
    return done.returncode, answer(done)


def test_check_and_register_tell_by_their_exit_code(filled: Run) -> None:
    free = filled("deals", "check", "--dealer", "C1", *HUAYI)
    mine = register(filled, "C1", HUAYI)
    taken = filled("deals", "check", "--dealer", "C3", *AGAIN, "--json")
    refused = register(filled, "C3", AGAIN)
    held = register(filled, "C3", BRANCH)
    nobody = filled("deals", "check", "--dealer", "没有", *HUAYI, "--json")
    empty = filled("deals", "check", "--dealer", "C1", "--json")

    assert (free.returncode, free.stdout) == (0, "yes; 59 more questions this hour\n")
    assert (mine[0], mine[1]["status"]) == (0, "protected")
    assert (taken.returncode, answer(taken)["free"]) == (7, "no")
    assert (refused[0], refused[1]["status"], refused[1]["reason"]) == (7, "rejected", "protected")
    assert (held[0], held[1]["status"]) == (4, "held")
    assert nobody.returncode == 6
    assert (empty.returncode, answer(empty)["error"]["code"]) == (2, "deals/bad-claim")


def test_a_decision_is_explained_in_either_language(filled: Run) -> None:
    mine = register(filled, "C1", HUAYI)[1]["id"]
    theirs = register(filled, "C3", AGAIN)[1]["id"]

    chinese, english = (filled("deals", "explain", theirs, "--lang", lang).stdout for lang in ("zh", "en"))
    told = answer(filled("deals", "explain", theirs, "--json"))
    missing = filled("deals", "explain", "01931f5e-7c00-7000-8000-000000000000")

    assert f"in the way: registration {mine}" in chinese
    assert "统一社会信用代码相同且有效" in chinese
    assert "the credit code is valid and the same" in english
    assert (told["verdict"], told["replayed"], told["customer_name"]) == ("duplicate", "same", HUAYI[1])
    assert told["features"]
    assert told["thresholds"]["duplicate"]
    assert told["version"]
    assert [one["action"] for one in told["events"]] == ["register"]
    assert missing.returncode == 6


def test_registrations_are_listed_and_acted_on(filled: Run) -> None:
    mine = register(filled, "C1", HUAYI)[1]["id"]
    refused = register(filled, "C3", AGAIN)[1]["id"]

    listed = answer(filled("deals", "list", "--dealer", "C1", "--json"))
    early = filled("deals", "extend", mine, "--evidence", "拜访", "--json")
    appealed = filled("deals", "appeal", refused, "--cause", "我们先报的")
    held = filled("deals", "appeal", refused, "--grant")
    moved = answer(filled("deals", "transfer", mine, "C2", "--cause", "调整", "--json"))
    taken = filled("deals", "take-back", moved["id"])
    granted = answer(filled("deals", "appeal", refused, "--grant", "--json"))
    gone = filled("deals", "release", refused)

    assert [(one["id"], one["customer_name"], one["claim"]["name"]) for one in listed] == [(mine, HUAYI[1], HUAYI[1])]
    assert (early.returncode, answer(early)["error"]["code"]) == (7, "deals/not-extendable")
    assert appealed.stdout.startswith(f"{refused}: appealed")
    assert held.returncode == 7
    assert moved["status"] == "protected"
    assert "taken_back" in taken.stdout
    assert granted["status"] == "protected"
    assert gone.returncode == 0
    assert filled("deals", "release", refused).returncode == 7
    told = answer(filled("notices", "--audience", f"party:{listed[0]['dealer']}", "--json"))
    assert [one["kind"] for one in told] == ["deal_registered", "deal_transferred"]


def test_doubts_are_listed_and_decided(filled: Run) -> None:
    register(filled, "C1", HUAYI)
    held = register(filled, "C3", BRANCH)[1]["id"]

    waiting = filled("deals", "review", "--waiting", "--json")
    asked = answer(waiting)[0]
    kept = filled("deals", "review", held, str(asked["customer_id"]), "hold", "--reason", "等营业执照")
    shown = filled("deals", "review")
    done = answer(filled("deals", "review", held, str(asked["customer_id"]), "different", "--json"))

    assert waiting.returncode == 4
    assert asked["registration_id"] == held
    assert f"{held}: held" in kept.stdout
    assert f"is it customer {asked['customer_id']} {HUAYI[1]}?" in shown.stdout
    assert done["status"] == "protected"
    assert filled("deals", "review").stdout == "nothing to compare\n"
    assert filled("deals", "review", held).returncode == 2


def test_an_approval_is_answered(filled: Run) -> None:
    assert filled("deals", "policies", "--set", "--line", "水泵", "--approval", "person", "--days", "30").returncode == 0
    code, made = register(filled, "C1", HUAYI, "--line", "水泵")

    waiting = filled("approvals", "--json")
    done = filled("approvals", answer(waiting)[0]["id"], "approved")

    assert (code, made["status"]) == (4, "submitted")
    assert waiting.returncode == 4
    assert done.stdout.endswith("approved\n")
    assert answer(filled("deals", "list", "--json"))[0]["status"] == "protected"
    assert filled("deals", "approve", made["id"]).returncode == 7


def test_rules_are_set_and_ended(filled: Run) -> None:
    fence = answer(filled("deals", "fences", "--add", "--dealer", "C3", "--region", "31", "--exclusive", "--json"))
    clash = filled("deals", "fences", "--add", "--dealer", "C1", "--region", "3101", "--exclusive", "--json")
    bad = filled("deals", "fences", "--add", "--dealer", "C1", "--region", "上海", "--json")
    outside = register(filled, "C2", HUAYI, "--region", "310115")
    ended = filled("deals", "fences", "--end", str(fence["id"]), "--to", "2099-01-01")
    policy = answer(filled("deals", "policies", "--set", "--days", "60", "--from", "2099-01-01", "--json"))

    assert (clash.returncode, answer(clash)["contradicts"]) == (3, [fence["id"]])
    assert (bad.returncode, answer(bad)["error"]["code"]) == (2, "deals/bad-fence")
    assert outside[1]["reason"] in {"outside_area", "free"}
    assert ended.stdout == f"fence {fence['id']} ends 2099-01-01\n"
    assert len(answer(filled("deals", "fences", "--json"))) == 2
    policies = answer(filled("deals", "policies", "--json"))
    assert [(one["days"], one["valid_from"], one["valid_to"]) for one in policies] == [(90, None, "2098-12-31"), (60, "2099-01-01", None)]
    assert filled("deals", "policies", "--end", str(policy["id"]), "--to", "2099-06-30").returncode == 0
    assert filled("deals", "policies", "--end", "4711").returncode == 6


def test_parties_become_customers_and_are_protected_for_ourselves(filled: Run) -> None:
    rebuilt = answer(filled("deals", "rebuild", "--json"))
    made = answer(filled("deals", "protect", "C3", "--cause", "直供", "--json"))
    again = filled("deals", "protect", f"#{made['customer']}")
    listed = answer(filled("deals", "list", "--direct", "--json"))
    looked_after = filled("deals", "upkeep", "--json")

    assert rebuilt["added"] == 3
    assert [one["id"] for one in listed] == [made["id"]]
    assert again.returncode == 7
    assert looked_after.returncode == 0, looked_after.stdout


# Import ---------------------------------------------------------------------------------------------------------------

HEAD = list(COLUMNS)


def row(dealer: str, name: str, starts: str = "2026-11-01", ends: str = "2099-12-31", **more: str) -> list[str]:
    """A row of the file."""
    values = {"dealer": dealer, "name": name, "starts": starts if dealer else "", "ends": ends if dealer else "", **more}
    return [values.get(column, "") for column in HEAD]


def write(file: Path, rows: Sequence[Sequence[str]]) -> str:
    """A CSV file as Excel saves it on a Chinese Windows, or a workbook."""
    if file.suffix == ".xlsx":
        book = Workbook()
        assert book.active is not None
        for one in (HEAD, *rows):
            book.active.append(list(one))
        book.save(file)
    else:
        file.write_bytes("\r\n".join(",".join(one) for one in (HEAD, *rows)).encode("gb18030"))
    return str(file)


@pytest.mark.parametrize("name", ["known.csv", "known.xlsx"])
def test_known_registrations_are_shown_then_taken_in(filled: Run, tmp_path: Path, name: str) -> None:
    rows = [
        row("C1", "上海华谊机械设备有限公司", uscc="91310000132200944J", amount="1200000", currency="CNY"),
        row("C3", "西安秦川传动有限公司"),
        row("", "深圳市蓝思电子科技有限公司", phone="13800138000"),
    ]
    file = write(tmp_path / name, rows)

    shown, done, again = (filled("deals", "import", file, *more, "--json") for more in ((), ("--apply",), ("--apply",)))
    listed = answer(filled("deals", "list", "--json"))

    assert (shown.returncode, answer(shown)) == (3, {"registrations": 2, "direct": 1, "same": 0, "applied": False})
    assert (done.returncode, answer(done)) == (0, {"registrations": 2, "direct": 1, "same": 0, "applied": True})
    assert (again.returncode, answer(again)["same"]) == (0, 3)
    assert {(one["claim"].get("name", ""), one["reason"]) for one in listed} == {
        ("上海华谊机械设备有限公司", "imported"), ("西安秦川传动有限公司", "imported"), ("", "direct_customer")
    }  # fmt: skip
    protected = next(one for one in listed if one["claim"].get("uscc"))
    assert answer(filled("deals", "upkeep", "--json"))["status"] == "done"
    assert answer(filled("notices", "--audience", f"party:{protected['dealer']}", "--json")) == []  # no news: it stood before
    assert (protected["protected_from"][:10], protected["protected_until"][:10]) == ("2026-10-31", "2099-12-31")  # midnights in Shanghai
    assert register(filled, "C3", AGAIN)[0] == 7


def test_every_row_that_cannot_stand_is_named_and_none_is_taken(filled: Run, tmp_path: Path) -> None:
    rows = [
        row("C1", "上海华谊机械设备有限公司", uscc="91310000132200944J"),
        row("C3", "上海华谊机械设备有限公司", "2026-11-02", uscc="91310000132200944J"),
        row("C9", "武汉长江泵业有限公司"),
        row("C1", "南京恒昌阀门有限公司", "2026-02-30"),
        row("C1", "成都天府阀门制造有限公司", "2020-01-01", "2020-03-01"),
        row("C1", ""),
        row("C3", "上海华谊机械设备有限公司苏州分公司", "2026-11-03"),
    ]
    file = write(tmp_path / "known.csv", rows)

    told = filled("deals", "import", file, "--apply", "--json")
    errors = answer(told)["error"]["errors"]

    assert (told.returncode, answer(told)["error"]["code"]) == (2, "deals/bad-rows")
    assert [one["where"] for one in errors] == [f"row {number}" for number in (3, 4, 5, 6, 7, 8)]
    assert "is held by dealer" in errors[0]["what"]
    assert "C9" in errors[1]["what"]
    assert "2026-02-30" in errors[2]["what"]
    assert "ended" in errors[3]["what"]
    assert all(one["next_step"] for one in errors)
    assert json.loads(filled("deals", "list", "--json").stdout) == []
