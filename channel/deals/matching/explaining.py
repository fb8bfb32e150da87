"""The sentence of each feature's level, in Chinese and in English. No field of another dealer is in it."""

from __future__ import annotations

SENTENCES: dict[str, dict[str, tuple[str, str]]] = {}


def sentence(feature: str, level: str) -> tuple[str, str]:
    """What a level of a feature means, in Chinese and in English."""
    return SENTENCES.get(feature, {}).get(level, (f"{feature}：{level}", f"{feature}: {level}"))
