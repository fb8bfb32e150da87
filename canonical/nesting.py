"""How deep a YAML or JSON text is nested, asked before anything builds a tree of it.

libyaml builds its tree by calling itself: a text of a hundred thousand brackets ends the whole process without an exception. Events
are read one after the other, so they can be counted whatever the text is.
"""

from __future__ import annotations

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where it is built in: every task of Airflow parses all mappings when it starts."""
_OPENS = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_CLOSES = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


def too_deep(text: str, most: int) -> int | None:
    """The line (from 1) on which a text is first nested deeper than `most` levels; None if nowhere.

    >>> too_deep("a: {b: [1]}", 3), too_deep("a: {b: [1]}", 2)
    (None, 1)

    Raises: yaml.YAMLError for what is no YAML, as far as it is read.
    """
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, _OPENS):
            depth += 1
            if depth > most:
                return int(event.start_mark.line) + 1 if event.start_mark else 1
        elif isinstance(event, _CLOSES):
            depth -= 1
    return None
