"""Expectations on failures: nothing twice, nothing lost, nothing leaked, and an end in time."""
# ruff: noqa: D102  tests in all but the name of their file: their names are sentences, what they assert belongs together

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest

from connectors.base import Outcome
from connectors.errors import CallFailed, Garbled, SignInExpired, SignInRefused, Throttled, Unavailable
from tests.contract.bench import DEADLINE_S, Bench, hub_key
from tests.contract.subject import Case, Subject

GARBAGE = ["", "nan", "infinity", "digits", "deep", "gbk", "utf16"]


class Failing:
    """The faults of transport and vendor."""

    subject: Subject

    # --- reads are repeated ---

    @pytest.mark.promise(1)
    @pytest.mark.parametrize(
        ("effect", "value"),
        [("status", 500), ("status", 502), ("status", 503), ("drop_before", None), ("drop_after", None), ("html", None), ("truncate", 0.5)]
        + [("garbage", kind) for kind in GARBAGE],
    )
    def test_a_read_survives_a_passing_fault(self, bench: Bench, case: Case, effect: str, value: Any) -> None:
        bench.put(case, range(1, 20))
        list(bench.session.get(case.stream, ["1"]))
        bench.control.fault(effect, value, times=1, path=self.subject.read_path)
        records, _ = bench.read(case)

        assert sorted(record.key for record in records) == sorted(bench.keys_there(case))

    @pytest.mark.promise(1)
    @pytest.mark.parametrize(
        ("effect", "value"), [("status", 503), ("html", None), ("truncate", 0.5), ("garbage", ""), ("garbage", "gbk"), ("drop_after", None)]
    )
    def test_a_lasting_fault_ends_the_read_with_its_reason_and_no_position(self, bench: Bench, case: Case, effect: str, value: Any) -> None:
        bench.put(case, range(1, 20))
        list(bench.session.get(case.stream, ["1"]))
        bench.control.fault(effect, value, path=self.subject.read_path)
        pages = bench.session.read(case.stream, None)

        with pytest.raises((Unavailable, Garbled)) as caught:
            list(pages)
        assert str(caught.value)

    def test_a_slow_drip_ends_in_time(self, bench: Bench, case: Case) -> None:
        bench.put(case, range(1, 20))
        slow = bench.start(deadline_s=0.5)
        list(slow.get(case.stream, ["1"]))
        bench.control.fault("slow_drip", 0.05, path=self.subject.read_path)
        started = time.monotonic()

        with pytest.raises(CallFailed):
            list(slow.read(case.stream, None))
        assert time.monotonic() - started < DEADLINE_S

    @pytest.mark.promise(9)
    def test_a_call_that_comes_too_fast_waits_as_asked(self, bench: Bench, case: Case) -> None:
        bench.put(case, range(1, 20))
        list(bench.session.get(case.stream, ["1"]))
        bench.control.fault("retry_after", 7, times=2, path=self.subject.read_path)
        records, _ = bench.read(case)

        assert len(records) == len(bench.keys_there(case))
        assert len(bench.slept) == 2
        assert min(bench.slept) >= 7

    @pytest.mark.promise(9)
    def test_a_long_wait_is_handed_to_the_engine(self, bench: Bench, case: Case) -> None:
        list(bench.session.get(case.stream, ["1"]))
        bench.control.fault("retry_after", 3600, path=self.subject.read_path)

        with pytest.raises(Throttled) as caught:
            list(bench.session.read(case.stream, None))
        assert caught.value.after_s >= 60
        assert bench.slept == []

    @pytest.mark.promise(9)
    def test_a_write_that_comes_too_fast_is_not_done(self, bench: Bench, writable: Case) -> None:
        list(bench.session.get(writable.stream, ["1"]))
        bench.control.fault("retry_after", 7, path=self.subject.write_path)
        (receipt,) = bench.write(writable, [bench.change(writable, 1)])
        bench.control.no_faults()

        assert receipt.outcome is Outcome.RETRY
        assert bench.session.find(writable.stream, [hub_key(1)]) == {}

    # --- writes are never repeated blindly ---

    @pytest.mark.promise(5)
    @pytest.mark.parametrize(
        ("effect", "value", "done"),
        [
            ("drop_after", None, True),
            ("drop_before", None, False),
            ("truncate", 0.5, True),
            ("garbage", "", True),
            ("status", {"status": 500, "after": True}, True),
            ("status", 500, False),
            ("html", None, False),
        ],
        ids=str,
    )
    def test_a_create_without_a_clear_answer_is_uncertain_and_the_look_up_tells(
        self, bench: Bench, writable: Case, effect: str, value: Any, *, done: bool
    ) -> None:
        list(bench.session.get(writable.stream, ["1"]))
        bench.control.fault(effect, value, times=1, path=self.subject.write_path)
        (receipt,) = bench.write(writable, [bench.change(writable, 1)])
        found = bench.session.find(writable.stream, [hub_key(1)])

        assert receipt.outcome is Outcome.UNCERTAIN
        assert (hub_key(1) in found) is done

    @pytest.mark.promise(5)
    def test_a_slow_answer_to_a_write_is_uncertain_in_time(self, bench: Bench, writable: Case) -> None:
        bench.session = bench.start(deadline_s=0.5)
        list(bench.session.get(writable.stream, ["1"]))
        bench.control.fault("slow_drip", 0.05, times=1, path=self.subject.write_path)
        started = time.monotonic()
        (receipt,) = bench.write(writable, [bench.change(writable, 1)])

        assert receipt.outcome is Outcome.UNCERTAIN
        assert time.monotonic() - started < DEADLINE_S

    # --- sessions ---

    def test_a_lost_session_is_renewed_once_and_the_call_repeated(self, bench: Bench, case: Case) -> None:
        for way in self.subject.overrides:
            session = bench.start(**way)
            list(session.get(case.stream, ["1"]))
            before = len(self._sign_ins(bench))
            bench.control.fault("expire_session", times=1, path=self.subject.read_path)

            assert list(session.read(case.stream, None)), way
            assert len(self._sign_ins(bench)) - before <= 1

    @pytest.mark.promise(5)
    def test_a_session_lost_at_a_write_makes_no_second_record(self, bench: Bench, writable: Case) -> None:
        list(bench.session.get(writable.stream, ["1"]))
        bench.control.fault("expire_session", times=1, path=self.subject.write_path)
        (receipt,) = bench.write(writable, [bench.change(writable, 1)])

        assert receipt.outcome is Outcome.WRITTEN
        assert len([key for entry in bench.control.log() for key in entry.get("created") or ()]) == 1

    def test_a_session_that_dies_every_time_ends_after_one_renewal(self, bench: Bench, case: Case) -> None:
        for way in self.subject.overrides:
            session = bench.start(**way)
            list(session.get(case.stream, ["1"]))
            before = len(bench.control.log())
            bench.control.fault("expire_session", path=self.subject.read_path)
            with contextlib.suppress(SignInRefused, SignInExpired):
                list(session.read(case.stream, None))
            bench.control.no_faults()
            assert len(bench.control.log()) - before <= 6, way

    # --- nothing leaks ---

    @pytest.mark.promise(13)
    @pytest.mark.parametrize(
        ("effect", "value"),
        [
            ("status", {"status": 500, "body": "boom"}),
            ("drop_after", None),
            ("garbage", "gbk"),
            ("html", None),
            ("expire_session", None),
            ("retry_after", 3600),
        ],
    )
    def test_no_secret_and_no_payload_in_errors_and_logs(
        self, bench: Bench, writable: Case, effect: str, value: Any, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        bench.control.fault(effect, value)
        said: list[str] = []
        for overrides in ({}, self.subject.wrong):
            session = bench.start(fresh_tokens=True, **overrides)
            for act in (
                lambda s=session: list(s.read(writable.stream, None)),
                lambda s=session: s.write(writable.stream, [bench.change(writable, 1)]),
            ):
                try:
                    said.append(repr(act()))
                except CallFailed as error:
                    said += [str(error), repr(error), repr(error.__cause__), repr(error.__context__)]
        out = capfd.readouterr()
        everything = "".join([*said, out.out, out.err, caplog.text])

        secrets = [*self.subject.secrets(bench.settings()), *self.subject.secrets(bench.settings(**self.subject.wrong))]
        assert not [secret for secret in secrets if secret and secret in everything]
        assert writable.fields is not None
        assert not [text for text in writable.fields(1).values() if isinstance(text, str) and len(text) > 10 and text in everything]

    # --- records that cannot be kept ---

    @pytest.mark.promise(7)
    def test_one_record_that_cannot_be_stored_leaves_its_page_whole(self, bench: Bench, case: Case) -> None:
        made = bench.put(case, range(1, 6))
        bench.control.put(case.stream, case.edit(made[2], "半个\x00字"))
        pages = list(bench.session.read(case.stream, None))
        refused = [refused for page in pages for refused in page.refused]
        read = {record.key for page in pages for record in page.records}
        bad = str(made[2][case.native_key])

        if refused:
            assert [item.key for item in refused] == [bad]
            assert refused[0].why
        assert read >= bench.keys_there(case) - {bad}

    def _sign_ins(self, bench: Bench) -> list[dict[str, Any]]:
        return [entry for entry in bench.control.log() if any(part.lower() in entry["path"].lower() for part in self.subject.sign_in_paths)]
