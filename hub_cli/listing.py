"""Groups of verbs: their help tells each word's first sentence whole; those about things that can be listed list without a word."""

from __future__ import annotations

from typing import Final

import click

LONGEST: Final = 300
"""Characters of a word's first sentence; click's own limit cuts nearly every one short."""


class Words(click.Group):
    """A group of verbs."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Every word with its first sentence."""
        every = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(LONGEST)) for name, command in every if command is not None and not command.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Lists(Words):
    """A group whose word `list` may be left out: `hub plan --json` is `hub plan list --json`.

    An option that stands before the word goes to the word: `hub plan --json show 4` is `hub plan show 4 --json`.
    """

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **{**options, "invoke_without_command": True})  # type: ignore[arg-type]  # click's own arguments

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
