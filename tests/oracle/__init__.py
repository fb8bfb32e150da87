"""The oracle: an independent judge of whether two systems agree.

It reads `GET /_control/records/{stream}` and `/_control/log` of both stand-ins with the standard library, reckons by itself what
each should hold, and shares no code with the hub: no import of canonical, sync, mappings, connectors, ledger, channel, hub_*.
"""

from tests.oracle.door import Door, DoorClosed
from tests.oracle.economy import committed, extravagance, record_reads, writes
from tests.oracle.judging import Edit, judge, judge_evidence
from tests.oracle.verdict import Finding, Verdict

__all__ = [
    "Door",
    "DoorClosed",
    "Edit",
    "Finding",
    "Verdict",
    "committed",
    "extravagance",
    "judge",
    "judge_evidence",
    "record_reads",
    "writes",
]
