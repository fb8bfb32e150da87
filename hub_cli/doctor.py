"""`hub doctor`: what this machine has and lacks, each finding with what to do. Changes nothing, starts nothing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import click

from hub_cli.answers import Answer, answers
from hub_cli.exits import Exit
from hub_cli.place import Place

DISK_MIB = 2048
"""Demo and trial take about 1 GiB; below twice that the disk is worth a word."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `missing` matters only to those who use it; `bad` stops the hub."""

    about: str
    state: Literal["ok", "missing", "bad"]
    found: str
    next_step: str = ""


@click.command()
@click.pass_obj
@answers
def doctor(place: Place) -> Answer:
    """Look at this machine: database, drivers, Airflow, disk, configuration.

    Exit code 0 when nothing stops the hub, 8 otherwise.
    """
    looks: tuple[Callable[[Place], Finding], ...] = (
        _python,
        _database,
        _airflow,
        _odbc,
        _soap,
        _locale,
        _disk,
        _memory,
        _home,
        _configuration,
    )
    findings = [look(place) for look in looks]
    signs = {"ok": "ok     ", "missing": "missing", "bad": "BAD    "}
    lines = []
    for one in findings:
        lines.append(f"{signs[one.state]}  {one.about:<14} {one.found}")
        if one.next_step:
            lines.append(f"{'':<25}Next: {one.next_step}")
    bad = any(one.state == "bad" for one in findings)
    return Answer({"ok": not bad, "findings": findings}, Exit.UNFIT if bad else Exit.DONE, "\n".join(lines))


def _python(_place: Place) -> Finding:
    here = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info < (3, 14):
        return Finding("Python", "ok", here)
    return Finding("Python", "bad", here, "use Python 3.11 to 3.13")


def _database(place: Place) -> Finding:
    from ledger import postgres

    try:
        if place.database:
            return Finding("PostgreSQL", "ok", f"{postgres.check(place.database)} at {postgres.shown(place.database)}")
        binaries = postgres.find()
        running = postgres.status(place.postgres)
    except postgres.PostgresError as wrong:
        return Finding("PostgreSQL", "bad", wrong.what, wrong.next_step)
    as_whom = f", run as {postgres.account().name}" if postgres.account().drop else ""
    where = f"running on port {running.port}" if running.running else "not running"
    return Finding("PostgreSQL", "ok", f"{binaries.version} in {binaries.directory}{as_whom}; our own server is {where}")


def _airflow(_place: Place) -> Finding:
    try:
        return Finding("Airflow", "ok", version("apache-airflow-core"))
    except PackageNotFoundError:
        return Finding(
            "Airflow", "missing", "not installed", "`uv sync --extra airflow`, or go without: `hub sync`, `hub demo --in-process`"
        )


def _odbc(_place: Place) -> Finding:
    import ctypes.util

    library = ctypes.util.find_library("odbc")
    if library:
        return Finding("ODBC", "ok", library)
    return Finding("ODBC", "missing", "no libodbc (only connectors of databases need it)", "apt-get install libodbc2 odbc-postgresql")


def _soap(_place: Place) -> Finding:
    try:
        return Finding("SOAP", "ok", f"zeep {version('zeep')}")
    except PackageNotFoundError:
        return Finding("SOAP", "missing", "zeep is not installed (only SOAP connectors need it)", "`uv sync --extra soap`")


def _locale(_place: Place) -> Finding:
    encoding = sys.getfilesystemencoding()
    output = (sys.stdout.encoding or "").lower()
    if encoding.lower() == "utf-8" and output in ("utf-8", "utf8"):
        return Finding("locale", "ok", "UTF-8")
    return Finding("locale", "bad", f"files {encoding}, output {output}: Chinese names would be garbled", "export LC_ALL=C.UTF-8")


def _existing(path: Path) -> Path:
    return path if path.exists() else next(parent for parent in path.parents if parent.exists())


def _disk(place: Place) -> Finding:
    free = shutil.disk_usage(_existing(place.home)).free // 2**20
    if free >= DISK_MIB:
        return Finding("disk", "ok", f"{free:,} MiB free at {place.home}")
    return Finding("disk", "bad", f"{free:,} MiB free at {place.home}", f"make room, at least {DISK_MIB:,} MiB, or set HUB_HOME elsewhere")


def _memory(_place: Place) -> Finding:
    words = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    free = int(words["MemAvailable"].split()[0]) // 1024
    if free >= 2048:
        return Finding("memory", "ok", f"{free:,} MiB available")
    return Finding(
        "memory", "missing", f"{free:,} MiB available; Airflow alone takes about 1,100", "use `--in-process` and `hub up --no-airflow`"
    )


def _home(place: Place) -> Finding:
    there = _existing(place.home)
    if os.access(there, os.W_OK):
        return Finding("home", "ok", str(place.home))
    return Finding("home", "bad", f"{there} is not ours to write", "set HUB_HOME to a directory of your own")


def _configuration(place: Place) -> Finding:
    from sync.config_file import load
    from sync.errors import BadConfig

    file = place.config_file
    if not file.exists():
        return Finding("configuration", "missing", f"no {file}", "`hub up` makes one for trial; docs/configuration.md shows your own")
    try:
        config = load(file)
    except BadConfig as wrong:
        return Finding("configuration", "bad", f"{wrong}", wrong.next_step)
    return Finding("configuration", "ok", f"{file}: {len(config.systems)} systems, {len(config.flows)} flows")
