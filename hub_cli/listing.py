"""Groups of verbs about things that can be listed: without a word they list."""

from __future__ import annotations

import click


class Lists(click.Group):
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
