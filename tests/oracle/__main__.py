"""`python -m tests.oracle`: judge two running stand-ins and print the verdict as one JSON document. Exit 0 when there is nothing to say."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from tests.oracle.judging import judge


def main() -> int:
    """Read the arguments, judge, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle")
    parser.add_argument("--kingdee", required=True, help="URL of the Kingdee stand-in")
    parser.add_argument("--zoho", required=True, help="URL of the Zoho stand-in")
    parser.add_argument("--truth", type=Path, help="JSON file with the world's truth")
    parser.add_argument("--since", default="", help="first business day of documents that Zoho holds")
    parser.add_argument("--late-values", action="store_true", help="the clerk has filled in what was missing")
    asked = parser.parse_args()
    truth = json.loads(asked.truth.read_text(encoding="utf-8")) if asked.truth else None
    verdict = judge(asked.kingdee, asked.zoho, truth, since=asked.since, late_values=asked.late_values)
    told = {
        "ok": verdict.ok,
        "drift": len(verdict.drift),
        "duplicates": len(verdict.duplicates),
        "lost": len(verdict.lost),
        "held": len(verdict.held),
        "counts": verdict.counts,
        "findings": [str(one) for one in [*verdict.duplicates, *verdict.lost, *verdict.drift][:20]],
        "held_pairs": [str(one) for one in verdict.held],
    }
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    sys.stdout.flush()
    return 0 if verdict.ok else 1


if __name__ == "__main__":
    os._exit(main())  # all is told; giving back a million values one by one would take as long as a stream's judgement
