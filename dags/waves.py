"""In which order a system's streams are read: waves, each after those it cites; small streams share a task, large ones have one each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import mappings
from mappings.compiler import cited
from sync.config import HubConfig

MAPPINGS = Path(mappings.__file__).parent
Load = list[str]
"""Streams that one task reads, one after another."""


def streams_of(config: HubConfig, system: str) -> list[str]:
    """Streams of a system that hub.yaml names and has not switched off, in its order."""
    return [part.stream for flow in config.flows.values() for name, part in flow.systems.items() if name == system and part.mode != "off"]


def waves(config: HubConfig, system: str) -> list[list[Load]]:
    """Waves of task loads. What comes before the first large stream is one task; from there on a wave per depth of citation.

    Small streams that no other cites wait for the last wave, together: a task of their own costs more than they do.
    """
    streams = streams_of(config, system)
    large = {part.stream for flow in config.flows.values() for name, part in flow.systems.items() if name == system and part.large} & set(
        streams
    )
    if not large:
        return [[streams]] if streams else []  # one task reads them in their order
    parents = _parents(config, system, streams)
    depth = _depths(parents)
    first, last = min(depth[name] for name in large), max(depth.values())
    cited_ones = {parent for name in streams for parent in parents[name]}
    depth |= {name: last for name in streams if first <= depth[name] and name not in large | cited_ones}
    found = [[[name for name in streams if depth[name] < first]]]
    for level in sorted({number for number in depth.values() if number >= first}):
        small = [name for name in streams if depth[name] == level and name not in large]
        found.append([*([name] for name in streams if depth[name] == level and name in large), small])
    return [wave for wave in ([load for load in wave if load] for wave in found) if wave]


def _parents(config: HubConfig, system: str, streams: list[str]) -> dict[str, list[str]]:
    """What each stream's mapping cites: known from files, without signing in anywhere."""
    kind = config.systems[system].kind
    cites = {name: cited([MAPPINGS, *config.mappings], kind, name) for name in streams}
    return {name: [parent for parent in streams if parent in cites[name]] for name in streams}


def _depths(parents: Mapping[str, list[str]]) -> dict[str, int]:
    depth: dict[str, int] = {}

    def depth_of(name: str, above: tuple[str, ...]) -> int:
        if name not in depth:
            path = (*above, name)  # citations may go round: a quote names its order, an order its quote
            depth[name] = max((depth_of(parent, path) for parent in parents[name] if parent not in path), default=-1) + 1
        return depth[name]

    for name in parents:
        depth_of(name, ())
    return depth
