"""Pipelines: stages as data on canonical kinds, required fields, order of stages, stuck deals."""

from channel.deals.pipeline.loading import load, presets, read
from channel.deals.pipeline.model import GROUPS, KINDS, LOST, OPEN_KINDS, NextAction, Pipeline, Pipelines, Stage, rank
from channel.deals.pipeline.moves import Move, decide, missing
from channel.deals.pipeline.stuck import InStage, Stuck, due_action, stuck

__all__ = [
    "GROUPS",
    "KINDS",
    "LOST",
    "OPEN_KINDS",
    "InStage",
    "Move",
    "NextAction",
    "Pipeline",
    "Pipelines",
    "Stage",
    "Stuck",
    "decide",
    "due_action",
    "load",
    "missing",
    "presets",
    "rank",
    "read",
    "stuck",
]
