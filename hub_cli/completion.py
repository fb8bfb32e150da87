"""`hub completion`: a script that completes verbs and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from hub_cli.answers import Answer, CommandFailed, answers


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@answers
def completion(shell: str) -> Answer:
    """Print a shell's completion script.

    For bash: add `eval "$(hub completion bash)"` to ~/.bashrc.
    """
    from hub_cli.group import hub

    kind = get_completion_class(shell)
    if kind is None:
        raise CommandFailed(f"click knows no completion for {shell}", "use bash, zsh or fish")
    text = kind(hub, {}, "hub", "_HUB_COMPLETE").source()
    return Answer({"shell": shell, "script": text}, text=text)
