"""`hub mode`: how far each flow may go."""

from __future__ import annotations

import click

from hub_cli.answers import Answer, CommandFailed, answers
from hub_cli.exits import Exit
from hub_cli.place import Place, who


@click.command()
@click.argument("to", type=click.Choice(["off", "read", "plan", "write"]), required=False)
@click.option("--entity", help="Only flows of this kind of record.")
@click.option("--system", help="Only flows with this system.")
@click.pass_obj
@answers
def mode(place: Place, to: str | None, entity: str | None, system: str | None) -> Answer:
    """Show or set how far a flow may go: off, read, plan, write.

    Going to `write` releases nothing that is held for a plan: approve and apply that plan first.
    """
    from sync import modes

    with place.open_hub() as hub:
        if to is not None and not modes.set_mode(hub, to, who(), entity=entity, system=system):
            raise CommandFailed("no flow was meant", "see `hub mode` for what there is", exits=Exit.NOT_FOUND)
        rows = [{"entity": state.entity, "system": state.system, "stream": state.name, "mode": now} for state, now in modes.modes(hub)]
    return Answer(rows, empty="no flows")
