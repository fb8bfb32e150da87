"""Expectations on reading: nothing lost, nothing doubled, whole documents."""
# ruff: noqa: D102  tests in all but the name of their file: their names are sentences, what they assert belongs together

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from connectors.base import Deletes, Window
from tests.contract.bench import Bench, assert_exact, flat
from tests.contract.subject import Case, Subject

EVERYTHING = Window(by="all")


class Reading:
    """Listings, increments, windows, single records."""

    subject: Subject

    @pytest.mark.promise(1)
    def test_a_listing_gives_every_record_once_and_whole(self, bench: Bench, case: Case) -> None:
        bench.put(case, range(1, 31))
        records, _ = bench.read(case)

        assert sorted(record.key for record in records) == sorted(bench.keys_there(case))
        stream = bench.stream(case.stream)
        for record in records[-30:]:
            assert_exact(record.payload)
            assert record.org == case.org
            assert not case.lines or len(record.payload[stream.lines[0].field]) == case.lines
            assert len({row[stream.lines[0].key] for row in record.payload[stream.lines[0].field]} if case.lines else {1}) == max(
                case.lines, 1
            )

    def test_what_is_read_in_pages_is_what_get_gives(self, bench: Bench, case: Case) -> None:
        bench.put(case, range(1, 20))
        listed = {record.key: record for record in bench.read(case)[0]}

        got = bench.session.get(case.stream, list(listed))
        assert {record.key: record for record in got} == listed

    def test_all_records_have_one_shape(self, bench: Bench, case: Case) -> None:
        bench.put(case, range(1, 4))
        records, _ = bench.read(case)

        assert len({tuple(sorted(record.payload)) for record in records}) == 1

    def test_get_leaves_out_what_is_not_there(self, bench: Bench, case: Case) -> None:
        bench.put(case, [1])
        key = max(bench.keys_there(case))

        assert [record.key for record in bench.session.get(case.stream, ["999999999999", key, key])] == [key]
        assert list(bench.session.get(case.stream, [])) == []

    @pytest.mark.promise(1)
    def test_a_listing_cut_off_after_any_page_goes_on_where_it_was(self, bench: Bench, case: Case) -> None:
        bench.put(case, range(1, 31))
        pages = list(bench.session.read(case.stream, None))

        for done in range(1, len(pages)):
            before, cursor = flat(pages[:done], {})
            if cursor:
                after, _ = flat(list(bench.start().read(case.stream, cursor)), cursor)
                assert {record.key for record in before + after} >= bench.keys_there(case)

    @pytest.mark.promise(1)
    def test_an_empty_answer_moves_no_position_backwards(self, bench: Bench, case: Case) -> None:
        bench.put(case, [1])
        _, cursor = bench.read(case)
        _, again = bench.read(case, cursor)
        _, later = bench.read(case, again)

        assert again == later
        assert cursor

    @pytest.mark.promise(3)
    def test_nothing_new_reads_at_most_the_overlap(self, bench: Bench, case: Case) -> None:
        bench.load(case, range(1, 30), "2026-01-05T08:00:00")
        bench.load(case, [50], "2026-01-05T12:00:00")
        _, cursor = bench.read(case)
        before = len(bench.control.log())
        records, _ = bench.read(case, cursor)

        assert len([record for record in records if record.key in self._loaded(bench, case, range(1, 30))]) == 0
        assert len(bench.control.log()) - before <= 3

    @pytest.mark.promise(2)
    def test_an_increment_includes_its_boundary(self, bench: Bench, case: Case) -> None:
        bench.put(case, [1, 2, 3])
        _, cursor = bench.read(case)
        records, _ = bench.read(case, cursor)
        newest = max(records, key=lambda record: record.modified)
        again, _ = bench.read(case, bench.read(case, cursor)[1])

        assert newest.key in {record.key for record in again}

    @pytest.mark.promise(1)
    def test_what_changed_since_is_read(self, bench: Bench, case: Case) -> None:
        made = bench.put(case, range(1, 16))
        _, cursor = bench.read(case)
        bench.control.put(case.stream, case.edit(made[3], "改过了"))
        (new,) = bench.put(case, [99])
        records, _ = bench.read(case, cursor)
        by_key = {record.key: record for record in records}

        assert by_key[str(made[3][case.native_key])].payload[case.text_field] == "改过了"
        assert str(new[case.native_key]) in by_key

    @pytest.mark.promise(2)
    def test_equal_change_times_over_page_borders_lose_nothing(self, bench: Bench, case: Case) -> None:
        _, cursor = bench.read(case)
        ahead = self._soon(bench)
        bench.load(case, range(1, 31), ahead)
        bench.load(case, range(31, 40), self._soon(bench, 5))
        pages = list(bench.session.read(case.stream, cursor))
        wanted = self._loaded(bench, case, range(1, 40))

        assert {record.key for page in pages for record in page.records} >= wanted
        for done in range(1, len(pages)):
            before, kept = flat(pages[:done], cursor)
            after, _ = flat(list(bench.start().read(case.stream, kept)), kept)
            assert {record.key for record in before + after} >= wanted, f"lost after page {done}"

    @pytest.mark.promise(2)
    @pytest.mark.parametrize("share", [0.5, 0.9])
    def test_a_row_committed_late_is_read_within_the_overlap(self, bench: Bench, case: Case, share: float) -> None:
        bench.put(case, [1])
        _, cursor = bench.read(case)
        _, cursor = bench.read(case, cursor)
        bench.control.fault("late_row", bench.stream(case.stream).overlap_s * share, times=1, stream=case.stream)
        (late,) = bench.put(case, [2])
        records, _ = bench.read(case, cursor)

        assert str(late[case.native_key]) in {record.key for record in records}

    @pytest.mark.promise(1)
    def test_rows_that_move_between_pages_are_not_lost(self, bench: Bench, case: Case) -> None:
        made = bench.put(case, range(1, 31))
        seen: dict[str, str] = {}
        cursor = None
        for number, page in enumerate(bench.session.read(case.stream, None)):
            seen |= {record.key: record.payload[case.text_field] for record in page.records}
            cursor = page.cursor or cursor
            if number < 5:
                bench.control.put(case.stream, case.edit(made[number], f"动 {number}"), case.edit(made[-1 - number], f"动 {number}"))
        records, _ = bench.read(case, cursor)
        seen |= {record.key: record.payload[case.text_field] for record in records}

        there = {str(record[case.native_key]): record for record in bench.control.records(case.stream)}
        texts = {key: bench.one(case, key).payload[case.text_field] for key in there}
        assert seen == texts

    def test_an_empty_stream_gives_a_position_from_which_the_first_record_is_read(self, bench: Bench, case: Case) -> None:
        bench.control.fault("empty", stream=case.stream, path=self.subject.read_path)
        records, cursor = bench.read(case)
        bench.control.no_faults()
        bench.put(case, [1])

        assert records == []
        assert bench.keys_there(case) == {record.key for record in bench.read(case, cursor)[0]}

    def test_change_times_rise_within_an_increment(self, bench: Bench, case: Case) -> None:
        _, cursor = bench.read(case)
        for n in range(1, 4):
            bench.load(case, range(n * 10, n * 10 + 10), self._soon(bench, n))
        moved = [page for page in bench.session.read(case.stream, cursor) if page.cursor is not None and page.records]

        assert all(max(r.modified for r in first.records) <= max(r.modified for r in second.records) for first, second in pairwise(moved))

    def test_a_window_holds_what_it_says_and_moves_no_position(self, bench: Bench, case: Case) -> None:
        bench.load(case, range(1, 16), "2026-01-05T23:30:00")
        bench.load(case, range(20, 36), "2026-01-06T00:30:00")
        zone = timedelta(hours=8)
        start = datetime(2026, 1, 6, tzinfo=UTC) - zone
        pages = list(bench.session.read(case.stream, None, Window(start, start + timedelta(days=1))))

        assert {record.key for page in pages for record in page.records} == self._loaded(bench, case, range(20, 36))
        assert all(page.cursor is None for page in pages)

    @pytest.mark.promise(8)
    def test_a_complete_listing_shows_every_key_and_what_is_gone(self, bench: Bench, case: Case) -> None:
        made = bench.put(case, range(1, 31))
        before = {key for page in bench.session.keys(case.stream, EVERYTHING) for _, key in page}
        bench.control.delete(case.stream, str(made[0][case.native_key]))
        after = {key for page in bench.session.keys(case.stream, EVERYTHING) for _, key in page}

        assert after == bench.keys_there(case)
        assert before - after == {str(made[0][case.native_key])}
        assert [record for record in bench.session.get(case.stream, [str(made[0][case.native_key])]) if not record.deleted] == []

    @pytest.mark.promise(8)
    def test_a_listing_of_one_organisation_holds_only_its_own(self, bench: Bench, case: Case) -> None:
        bench.put(case, [1, 2])
        pages = list(bench.session.keys(case.stream, Window(by="all", org=case.org)))

        assert {org for page in pages for org, _ in page} == {case.org}
        if case.org:
            assert [key for page in bench.session.keys(case.stream, Window(by="all", org="200")) for _, key in page] == []

    @pytest.mark.promise(8)
    def test_a_delete_shows_in_the_way_that_is_declared(self, bench: Bench, case: Case) -> None:
        made = bench.put(case, [1, 2])
        _, cursor = bench.read(case)
        key = str(made[0][case.native_key])
        bench.control.delete(case.stream, key)
        marked = {record.key for record in bench.read(case, cursor)[0] if record.deleted}

        assert (key in marked) or bench.stream(case.stream).deletes is Deletes.LISTING

    # --- helpers ---

    def _loaded(self, bench: Bench, case: Case, numbers: range) -> set[str]:
        return {str(case.stamped(n, "")[case.native_key]) for n in numbers} & bench.keys_there(case)

    def _soon(self, bench: Bench, seconds: int = 0) -> str:
        """A change time from now on, in the server's zone, the same for everyone who asks within the second."""
        moment = datetime.now(UTC) + timedelta(hours=8, seconds=seconds)
        return moment.replace(tzinfo=None).isoformat(timespec="seconds")
