"""Pipelines from their files, checked whole: each mistake with file, line and the fix."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from canonical.models import entity
from channel.deals.errors import BadPipeline, PipelineNotFound
from channel.deals.pipeline.model import KINDS, LOST, NextAction, Pipeline, Pipelines, Stage, rank

ACTIONS = ("call", "visit", "send_proposal", "follow_review")
_STAGE = {"name", "en", "kind", "probability", "stuck_days", "needs", "next_action", "also"}
_TOP = {"name", "title", "stages", "lost", "close_reasons"}


@cache
def presets() -> dict[str, Pipeline]:
    """The pipelines that ship with the hub, by name."""
    folder = files(__package__).joinpath("presets")
    found = [
        read(one.read_text("utf-8"), one.name) for one in sorted(folder.iterdir(), key=lambda one: one.name) if one.name.endswith(".yaml")
    ]
    return {one.name: one for one in found}


def load(paths: Iterable[Path], default: str) -> Pipelines:
    """Our pipelines and those of these files; a file's pipeline replaces ours of the same name.

    Raises: BadPipeline with file and line; PipelineNotFound when there is none of the default's name.
    """
    every = dict(presets())
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as wrong:
            raise BadPipeline(f"{path}: cannot be read: {wrong}", next_step="name a file of UTF-8 text") from wrong
        one = read(text, str(path))
        every[one.name] = one
    if default not in every:
        raise PipelineNotFound(f"there is no pipeline {default!r}", next_step=f"use one of {', '.join(sorted(every))}")
    return Pipelines(every, default)


def read(text: str, file: str) -> Pipeline:
    """One pipeline from its text. Raises: BadPipeline that tells every mistake."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
        raise BadPipeline(f"{file}:{line}: {wrong.problem}", next_step="mend the YAML there") from wrong
    reader = _Reader(file)
    made = reader.pipeline(root)
    if reader.mistakes or made is None:
        raise BadPipeline("; ".join(reader.mistakes), next_step="mend these lines")
    return made


class _Reader:
    """Reads nodes and gathers mistakes, so that all are told at once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[str] = []

    def wrong(self, node: yaml.Node | None, what: str) -> None:
        """Note a mistake at its line."""
        line = node.start_mark.line + 1 if node is not None else 1
        self.mistakes.append(f"{self.file}:{line}: {what}")

    def mapping(self, node: yaml.Node | None, what: str, known: Collection[str] = ()) -> dict[str, yaml.Node]:
        """Keys and values; unknown or doubled keys are mistakes."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{what} is not a mapping of names to values")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if known and name not in known:
                self.wrong(key, f"{what} knows no {name!r}; there are {', '.join(sorted(known))}")
            elif name in found:
                self.wrong(key, f"{name!r} stands twice")
            found[name] = value
        return found

    def text(self, node: yaml.Node | None, what: str, owner: yaml.Node | None = None) -> str:
        """A text that is not empty."""
        if isinstance(node, yaml.ScalarNode) and node.value.strip():
            return str(node.value)
        self.wrong(node or owner, f"{what} is missing" if node is None else f"{what} is not a text")
        return ""

    def texts(self, node: yaml.Node | None, what: str) -> tuple[str, ...]:
        """A list of texts; absent: none."""
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(node, f"{what} is not a list")
            return ()
        return tuple(self.text(one, f"an entry of {what}") for one in node.value)

    def pipeline(self, root: yaml.Node | None) -> Pipeline | None:
        """The whole file."""
        top = self.mapping(root, "the file", _TOP)
        if not top:
            return None
        name = self.text(top.get("name"), "name", root)
        title = self.mapping(top["title"], "title", {"zh", "en"}) if "title" in top else {}
        stages = self._stages(top.get("stages"), "stages", root)
        lost = self._stages(top["lost"], "lost", root) if "lost" in top else ()
        self._check(top, stages, lost)
        reasons = self._reasons(top["close_reasons"]) if "close_reasons" in top else {}
        shown = {language: self.text(node, f"title.{language}") for language, node in title.items()}
        return Pipeline(name, shown.get("zh", name), shown.get("en", name), stages, lost, reasons)

    def _stages(self, node: yaml.Node | None, what: str, owner: yaml.Node | None) -> tuple[Stage, ...]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.wrong(node or owner, f"{what} is no list of stages")
            return ()
        return tuple(self._stage(one) for one in node.value)

    def _stage(self, node: yaml.Node) -> Stage:
        parts = self.mapping(node, "a stage", _STAGE)
        kind = self.text(parts.get("kind"), "kind", node)
        if kind and kind not in (*KINDS, LOST):
            self.wrong(parts.get("kind"), f"there is no kind {kind!r}; use one of {', '.join((*KINDS, LOST))}")
        needs = self.texts(parts.get("needs"), "needs")
        fields = entity("deal").fields
        for field in needs:
            if field not in fields:
                self.wrong(parts["needs"], f"a deal has no field {field!r}")
        return Stage(
            name=self.text(parts.get("name"), "name", node),
            en=self.text(parts["en"], "en") if "en" in parts else "",
            kind=kind,
            probability=self._fraction(parts.get("probability")),
            stuck_days=self._whole(parts["stuck_days"], "stuck_days") if "stuck_days" in parts else None,
            needs=needs,
            next_action=self._action(parts["next_action"]) if "next_action" in parts else None,
            also=self.texts(parts.get("also"), "also"),
        )

    def _fraction(self, node: yaml.Node | None) -> Decimal:
        if node is None:
            return Decimal(0)
        try:
            value = Decimal(self.text(node, "probability") or "0")
        except InvalidOperation:
            value = Decimal(-1)
        if not 0 <= value <= 1:
            self.wrong(node, "probability is a fraction between 0 and 1")
        return value

    def _whole(self, node: yaml.Node, what: str) -> int | None:
        text = self.text(node, what)
        if text.isascii() and text.isdigit() and 0 < int(text) < 10_000:
            return int(text)
        self.wrong(node, f"{what} is a whole number of days, at least 1")
        return None

    def _action(self, node: yaml.Node) -> NextAction | None:
        parts = self.mapping(node, "next_action", {"what", "in_days"})
        what = self.text(parts.get("what"), "next_action.what", node)
        if what and what not in ACTIONS:
            self.wrong(parts.get("what"), f"there is no action {what!r}; use one of {', '.join(ACTIONS)}")
        days = self._whole(parts["in_days"], "in_days") if "in_days" in parts else 1
        return NextAction(what, days) if days else None

    def _reasons(self, node: yaml.Node) -> dict[str, dict[str, str]]:
        parts: dict[str, Any] = self.mapping(node, "close_reasons", {"won", "lost"})
        return {
            outcome: {code: self.text(text, code) for code, text in self.mapping(codes, outcome).items()}
            for outcome, codes in parts.items()
        }

    def _check(self, top: dict[str, yaml.Node], stages: tuple[Stage, ...], lost: tuple[Stage, ...]) -> None:
        nodes = [*getattr(top.get("stages"), "value", []), *getattr(top.get("lost"), "value", [])]
        names: set[str] = set()
        highest = -1
        for place, (node, stage) in enumerate(zip(nodes, (*stages, *lost), strict=False)):
            for name in filter(None, (stage.name, *stage.also)):
                if name in names:
                    self.wrong(node, f"{name!r} names two stages")
                names.add(name)
            if (stage.kind == LOST) != (place >= len(stages)):
                self.wrong(node, f"{stage.name}: stages of kind lost stand under lost:, all others under stages:")
            elif place < len(stages) and stage.kind:
                if rank(stage.kind) < highest:
                    self.wrong(node, f"{stage.name}: kind {stage.kind} comes after a later one")
                highest = max(highest, rank(stage.kind))
