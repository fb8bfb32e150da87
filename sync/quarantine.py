"""Records set aside: with payload and error, visible, and released by themselves when their cause is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.base import Record
from mappings.errors import BadField, MissingParent, RecordError
from sync.hub import Cursor
from sync.streams import StreamState


@dataclass(frozen=True, slots=True)
class SetAside:
    """One record that waits, and for what."""

    key: str
    org: str
    cause: str
    """parent, value, field, payload, identity, rejected, delete_guard"""
    why: str
    next_step: str = ""
    waits_for: Sequence[str] = ()
    raw: str | None = None
    error: RecordError | None = None

    @classmethod
    def of(cls, record: Record, wrong: RecordError) -> SetAside:
        """From what a mapping said."""
        if isinstance(wrong, BadField):
            step = f"mend the record in its system, or here with `hub quarantine mend`; field {wrong.path}"
            return cls(record.key, record.org, "field", str(wrong), step, wrong.waits_for, error=wrong)
        if isinstance(wrong, MissingParent):
            return cls(
                record.key,
                record.org,
                "parent",
                str(wrong),
                "nothing: it goes by itself when the parent is read",
                wrong.waits_for,
                error=wrong,
            )
        names = ", ".join(dict.fromkeys(want.map for want in wrong.values))
        step = f"fill the value in with `hub values set {names} …`; it then goes by itself"
        return cls(record.key, record.org, "value", str(wrong), step, wrong.waits_for, error=wrong)

    @classmethod
    def lacking(cls, record: Record, mapping: str, names: Sequence[str]) -> SetAside:
        """From a record that lacks what hub.yaml requires."""
        step = "fill it in in its system; or take it out of `required` in hub.yaml and run `hub quarantine replay`"
        return cls(record.key, record.org, "field", f"{mapping}: {', '.join(names)} is empty", step)

    @classmethod
    def broken(cls, record: Record, mapping: str, wrong: Exception) -> SetAside:
        """From a defect: the record waits, the rest goes on."""
        step = "report it with the record; after the mapping is mended, `hub quarantine replay`"
        return cls(record.key, record.org, "field", f"{mapping}: {type(wrong).__name__} while reading the record", step)


def set_aside(db: Cursor, state: StreamState, item: SetAside) -> None:
    """Put a record into quarantine, or renew its entry; values that lack go to the inbox of the value maps."""
    db.execute(
        "INSERT INTO quarantine (stream_id, key, org, cause, waits_for, why, next_step, raw) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (stream_id, key) WHERE state = 'open' DO UPDATE "
        "SET cause = excluded.cause, waits_for = excluded.waits_for, why = excluded.why, next_step = excluded.next_step, "
        "raw = coalesce(excluded.raw, quarantine.raw), attempts = quarantine.attempts + 1, last_at = now()",
        [state.id, item.key, item.org, item.cause, list(item.waits_for), item.why[:4000], item.next_step, item.raw],
    )
    for want in item.error.values if item.error else ():
        db.execute(
            "INSERT INTO value_missing (name, system, company, direction, value, example_stream, example_key) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) "
            "ON CONFLICT (name, system, company, direction, value) DO UPDATE SET records = "
            "(SELECT count(*) FROM quarantine q WHERE q.state = 'open' AND q.waits_for && ARRAY[%s])",
            [want.map, state.system, want.company, want.direction, want.value, state.id, item.key, f"value:{want.map}:{want.value}"],
        )


def clear(db: Cursor, state: StreamState, keys: Sequence[str], by: str = "the hub") -> None:
    """Close the entries of records that went through."""
    if keys:
        db.execute(
            "UPDATE quarantine SET state = 'released', closed_by = %s, last_at = now() "
            "WHERE stream_id = %s AND key = ANY(%s) AND state = 'open'",
            [by, state.id, list(keys)],
        )
