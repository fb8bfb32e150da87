"""A folder of exported facts, as `hub rebates export` writes it: what its manifest says, and the parts to read."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from channel.rebates.errors import BadFacts, Flaw

MANIFEST: Final = "manifest.json"
LAYOUT: Final = "hub-rebate-facts/1"


def manifest_of(folder: Path) -> dict[str, Any] | None:
    """The manifest of a folder; None for a folder without one. Raises: BadFacts for one that is not ours or cannot be read."""
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        found = json.loads(text, parse_float=Decimal)
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("layout") != LAYOUT:
        what = f"{MANIFEST} is not one of `hub rebates export`"
        raise BadFacts([Flaw("not_exported", "manifest", what, "name a folder that the export wrote, or an empty one", None, str(path))])
    return found


def parts_of(folder: Path) -> list[Path]:
    """The Parquet files of an exported folder, in order. Raises: BadFacts for a folder without manifest, or with a part missing."""
    manifest = manifest_of(folder)
    if manifest is None:
        what, fix = f"the folder has no {MANIFEST}", "export again with `hub rebates export --to`, or name a file"
        raise BadFacts([Flaw("not_exported", "manifest", what, fix, None, str(folder))])
    parts = [folder / part for _, month in sorted(manifest["months"].items()) for part in month["parts"]]
    missing = [part for part in parts if not part.exists()]
    if missing:
        what = f"{missing[0].relative_to(folder)} is named by the manifest, and is not there"
        raise BadFacts([Flaw("missing_part", "manifest", what, "empty the folder and export again", None, str(folder))])
    if not parts:
        raise BadFacts([Flaw("empty", "manifest", "nothing was exported", "export again when there are facts", None, str(folder))])
    return parts
