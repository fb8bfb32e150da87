"""Expectations on what a connector says about itself, and on its checks."""
# ruff: noqa: D102, PT018  tests in all but the name of their file: their names are sentences, what they assert belongs together

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from connectors.base import Deletes, InboundRequest
from connectors.errors import CallFailed, Forged, SignInRefused
from tests.contract.bench import Bench
from tests.contract.subject import Case, Subject


class Declaring:
    """Streams, settings, checks, events."""

    subject: Subject

    def test_streams_are_declared_consistently(self, bench: Bench) -> None:
        streams = self.subject.connector.streams(bench.settings())
        names = [stream.name for stream in streams]

        assert len(set(names)) == len(names)
        for stream in streams:
            paths = {field.name for field in stream.fields}
            assert set(stream.depends_on) <= set(names)
            assert stream.title and stream.vendor_name and stream.key
            if stream.fields:
                named = {stream.modified, stream.dated, stream.number, stream.org, stream.hub_key.field if stream.hub_key else ""}
                assert named - {"", stream.key} <= paths, stream.name
            if stream.ladder:
                assert set(stream.ladder.steps) | set(stream.ladder.writable) <= {*stream.ladder.order, *stream.ladder.same_as}
            if stream.creatable and stream.hub_key:
                assert stream.hub_key.length >= 16

    def test_every_setting_has_a_title_an_example_and_says_whether_it_is_secret(self, bench: Bench) -> None:
        for name, field in self.subject.connector.settings.model_fields.items():
            assert field.title, name
            assert field.examples, name
        shown = repr(bench.settings()) + str(bench.settings().model_dump())
        assert not [secret for secret in self.subject.secrets(bench.settings()) if secret and secret in shown]

    def test_a_check_of_a_sound_system_finds_nothing_wrong(self, bench: Bench) -> None:
        findings = bench.session.check()

        assert len(findings) > 2
        assert [finding for finding in findings if not finding.ok] == []

    def test_a_check_writes_nothing(self, bench: Bench) -> None:
        bench.session.check()

        assert [entry for entry in bench.control.log() if entry.get("keys")] == []

    def test_a_check_with_wrong_credentials_names_the_sign_in_and_the_next_step(self, bench: Bench) -> None:
        (finding, *_) = bench.start(fresh_tokens=True, **self.subject.wrong).check()

        assert not finding.ok
        assert finding.detail and finding.next_step

    @pytest.mark.promise(13)
    def test_wrong_credentials_are_not_tried_again_and_again(self, bench: Bench, case: Case) -> None:
        workers = [bench.start(fresh_tokens=number == 0, **self.subject.wrong) for number in range(3)]
        bench.tokens = type(bench.tokens)()
        workers = [bench.start(**self.subject.wrong) for _ in range(5)]
        for worker in workers:
            with pytest.raises(SignInRefused):
                list(worker.read(case.stream, None))

        tried = [
            entry for entry in bench.control.log() if any(part.lower() in entry["path"].lower() for part in self.subject.sign_in_paths)
        ]
        assert 1 <= len(tried) <= 3

    def test_every_way_to_sign_in_reads(self, bench: Bench, way: Mapping[str, Any]) -> None:
        case = self.subject.cases[0]
        bench.put(case, [1])

        assert len(list(bench.start(**way).read(case.stream, None))) >= 1

    def test_describe_tells_the_tenants_fields_and_all_that_the_hub_declares(self, bench: Bench, case: Case) -> None:
        stream = bench.stream(case.stream)
        described = {field.name for field in bench.session.describe(case.stream)}

        assert {field.name for field in stream.fields} <= described
        assert not stream.hub_key or stream.hub_key.field in described

    def test_normalising_twice_changes_nothing_more(self, bench: Bench, case: Case) -> None:
        bench.put(case, [1])
        records, _ = bench.read(case)

        once = bench.normal(case, records[-1].payload)
        assert bench.normal(case, once) == once

    @pytest.mark.parametrize("body", [b"", b"{}", b"<xml/>", b"\xff\xfe", b"[" * 10_000])
    def test_an_event_without_proof_hints_at_nothing(self, bench: Bench, body: bytes) -> None:
        request = InboundRequest("POST", "/v1/hooks/x", {}, {"content-type": "application/json"}, body)

        with pytest.raises(Forged):
            self.subject.connector.events(bench.settings(), request)

    def test_an_unknown_stream_is_named(self, bench: Bench) -> None:
        with pytest.raises((LookupError, CallFailed), match="no_such_stream"):
            list(bench.session.read("no_such_stream", None))

    def test_every_stream_can_be_read_and_says_how_deletes_show(self, bench: Bench) -> None:
        for stream in self.subject.connector.streams(bench.settings()):
            pages = list(bench.session.read(stream.name, None))
            assert pages and pages[-1].cursor is not None, stream.name
            assert stream.deletes in Deletes
