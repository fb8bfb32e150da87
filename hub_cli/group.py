"""The `hub` command as a click group whose verbs are imported when they run."""

from __future__ import annotations

import click

from hub_cli.listing import in_plain_words, unknown_word
from hub_cli.main import OPTIONS, VERBS, help_text


class Verbs(click.Group):
    """A group that imports a command only when it runs."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """All verbs, in the order of the help."""
        return [name for section in VERBS.values() for name in section]

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb; its module is imported now."""
        place = next((section[cmd_name][0] for section in VERBS.values() if cmd_name in section), None)
        if place is None:
            return None
        from importlib import import_module

        module, _, name = place.partition(":")
        return in_plain_words(getattr(import_module(module), name))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that was typed. Raises: UsageError, with what was perhaps meant."""
        if args[0] not in self.list_commands(ctx) and not ctx.resilient_parsing and not args[0].startswith("-"):
            raise unknown_word(ctx, args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def get_help(self, _ctx: click.Context) -> str:
        """The same text that the entry point prints without click."""
        return help_text()


def _version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  click calls it so
    if wanted:
        from importlib.metadata import version

        click.echo(f"hub {version('channel-hub')}")
        ctx.exit()


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", metavar="DIR", envvar="HUB_HOME", help=OPTIONS["--home DIR"])
@click.option("--config", metavar="FILE", envvar="HUB_CONFIG", help=OPTIONS["--config FILE"])
@click.option("--database", metavar="URL", envvar="HUB_DATABASE_URL", help=OPTIONS["--database URL"])
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help=OPTIONS["--version"])
@click.pass_context
def hub(ctx: click.Context, home: str | None, config: str | None, database: str | None) -> None:
    """Channel Hub: one partner, one order, one payment, the same in every system."""
    from hub_cli.place import Place

    ctx.obj = Place.of(home, config, database)
