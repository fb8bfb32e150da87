"""Groups of verbs: their help tells each word's first sentence whole; those about things that can be listed list without a word.

A group of many words has sections; a word that there is not is told with those that it may mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

import click

LONGEST: Final = 300
"""Characters of a word's first sentence; click's own limit cuts nearly every one short."""


def in_plain_words(command: click.Command | None) -> click.Command | None:
    """The command, its help saying N and DAY where click would say INTEGER RANGE and [%Y-%m-%d]."""
    for one in command.params if command is not None else ():
        if isinstance(one, click.Option) and one.metavar is None and not one.is_flag and not one.count:
            if isinstance(one.type, click.types.IntParamType):
                one.metavar = "N"
            elif isinstance(one.type, click.DateTime):
                one.metavar = "DAY" if list(one.type.formats) == ["%Y-%m-%d"] else "TIME"
    return command


def unknown_word(ctx: click.Context, word: str, words: Sequence[str]) -> click.UsageError:
    """The error for a word that there is not, with those that were perhaps meant."""
    near = get_close_matches(word, words, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else f" `{ctx.command_path} --help` lists them."
    return click.UsageError(f"there is no `{ctx.command_path} {word}`.{hint}", ctx)


class Words(click.Group):
    """A group of verbs; `sections`: title -> its commands, in the order of the help."""

    def __init__(self, *arguments: Any, sections: Mapping[str, Sequence[click.Command]] | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.sections = {title: [str(command.name) for command in commands] for title, commands in (sections or {}).items()}
        for commands in (sections or {}).values():
            for command in commands:
                self.add_command(command)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a word."""
        return in_plain_words(super().get_command(ctx, cmd_name))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was typed. Raises: UsageError, with what was perhaps meant."""
        if self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing and not args[0].startswith("-"):
            raise unknown_word(ctx, args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Every word with its first sentence."""
        told = {name for names in self.sections.values() for name in names}
        rest = [name for name in self.list_commands(ctx) if name not in told]
        for title, names in {**self.sections, "Commands": rest}.items():
            every = [(name, self.get_command(ctx, name)) for name in names]
            rows = [(name, command.get_short_help_str(LONGEST)) for name, command in every if command is not None and not command.hidden]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


class Lists(Words):
    """A group whose word `list` may be left out: `hub plan --json` is `hub plan list --json`.

    An option that stands before the word goes to the word: `hub plan --json show 4` is `hub plan show 4 --json`.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "invoke_without_command": True})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the missing word in; completion sees what was typed."""
        if not ctx.resilient_parsing and not set(args) & set(ctx.help_option_names):
            args = self._with_word(args)
        return super().parse_args(ctx, args)

    def _with_word(self, args: list[str]) -> list[str]:
        told = [one for one in args if one != "--json"]
        if not told or told[0].startswith("-"):
            return ["list", *args]
        if args[0] == "--json":
            return [told[0], *args[: args.index(told[0])], *args[args.index(told[0]) + 1 :]]
        return args
