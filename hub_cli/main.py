"""The `hub` command's entry: its verbs and its help, without importing anything; the rest is in `hub_cli.group`.

`hub --help` costs 0.15 CPU seconds at most (bar `cli.help_cpu_s`); click alone would be two thirds of that.
"""

from __future__ import annotations

import os
import sys

VERBS: dict[str, dict[str, tuple[str, str]]] = {
    "Begin": {
        "demo": ("hub_cli.demo.command:demo", "Tell the whole story, from nothing to drift 0."),
        "up": ("hub_cli.stack:up", "Start database, stand-ins, API and Airflow, and leave them running."),
        "down": ("hub_cli.stack:down", "Stop all of it, children included."),
        "doctor": ("hub_cli.doctor:doctor", "Look at this machine: database, drivers, Airflow, disk, configuration."),
        "db": ("hub_cli.db:db", "The hub's database: start, stop, migrate, upkeep, erase, url."),
        "sandbox": ("hub_cli.sandbox:sandbox", "Stand-ins for the vendors' servers."),
        "completion": ("hub_cli.completion:completion", "Print a shell's completion script."),
    },
    "Connect": {
        "check": ("hub_cli.systems:check", "Check hub.yaml, then sign in to each system and try every right it needs."),
        "describe": ("hub_cli.systems:describe", "List a system's streams, or the fields of one."),
        "map": ("hub_cli.maps:maps", "Try a mapping on a record; make a skeleton."),
        "key": ("hub_cli.keys:key", "Keys of the API: make, list, revoke."),
        "mode": ("hub_cli.modes:mode", "Show or set how far a flow may go: off, read, plan, write."),
    },
    "Flow": {
        "sync": ("hub_cli.flows:sync", "Read what is new, decide, deliver."),
        "plan": ("hub_cli.plans:plan", "Show what would change before it does."),
        "apply": ("hub_cli.plans:apply", "Apply an approved plan."),
        "deliver": ("hub_cli.flows:deliver", "Write what is due into a system."),
        "backfill": ("hub_cli.flows:backfill", "Read a past window again."),
        "reconcile": ("hub_cli.flows:reconcile", "Compare a system with the hub, whole."),
        "replay": ("hub_cli.flows:replay", "Decide everything again, after hub.yaml or a mapping changed."),
    },
    "Trade": {
        "deals": ("hub_cli.deals:deals", "Who may sell to whom: check, register, review, explain, match, resolve."),
        "rebates": ("hub_cli.rebates:rebates", "What a dealer earns: check programmes, calculate, explain, simulate."),
        "quotes": ("hub_cli.quotes:quotes", "What was offered: versions, approval, papers, the order, why lost."),
        "funds": ("hub_cli.funds:funds", "Market money of dealers: what is left, frozen, used, expired; grants."),
        "claims": ("hub_cli.funds:claims", "What dealers claim: hand in, approve, refuse; price cuts; pay."),
        "price": ("hub_cli.pricing:price", "What a dealer pays: quote a cart with every rung, check price files."),
        "approvals": ("hub_cli.people:approvals", "Questions that wait for a person, and their answers."),
        "notices": ("hub_cli.people:notices", "What dealers and our own people were told."),
        "performance": ("hub_cli.performance:performance", "How dealers do: score, places, tags; what stock they need."),
    },
    "Look": {
        "status": ("hub_cli.look:status", "What is connected, what flows, what is behind."),
        "diff": ("hub_cli.look:diff", "Every pair of record and system that differs, and how."),
        "why": ("hub_cli.look:why", "Why a record's fields have their values: winner, rule, losers."),
        "links": ("hub_cli.links:links", "Which records of which systems are one; accept, unlink, import."),
        "deliveries": ("hub_cli.look:deliveries", "What was written where, and what came of it."),
        "runs": ("hub_cli.look:runs", "What ran when, with which figures."),
    },
    "Repair": {
        "conflicts": ("hub_cli.repair:conflicts", "Fields that a system changed without owning them."),
        "cases": ("hub_cli.repair:cases", "Questions for a person: are these two one?"),
        "merges": ("hub_cli.merges:merges", "Records that became one: list, undo; find more of them."),
        "quarantine": ("hub_cli.repair:quarantine", "Records set aside with their error: show, mend, replay."),
        "values": ("hub_cli.values:values", "Value maps: what is missing, fill in, import, export."),
    },
}
"""Every verb by section: where its command is, and its line in `hub --help`."""

OPTIONS: dict[str, str] = {
    "--home DIR": "State of this hub: server, logs, secrets. [HUB_HOME, else .hub]",
    "--config FILE": "The configuration. [HUB_CONFIG, else hub.yaml, else HOME/hub.yaml]",
    "--database URL": "The database. [HUB_DATABASE_URL, else a server of our own in HOME]",
    "--version": "Print the version.",
    "-h, --help": "Show this.",
}

ABOUT = """\
Usage: hub [OPTIONS] VERB [ARGS]...

  Channel Hub: one partner, one order, one payment, the same in every system.

  Every verb takes --json and --help. Exit codes: 0 done, 1 failed, 2 usage,
  3 differs, 4 set aside, 5 busy, 6 not found, 7 refused, 8 unfit machine.
"""


def help_text() -> str:
    """What `hub --help` prints."""
    sections = {"Options": OPTIONS, **{title: {name: text for name, (_, text) in verbs.items()} for title, verbs in VERBS.items()}}
    lines = [ABOUT]
    for title, entries in sections.items():
        lines.append(f"{title}:")
        lines += [f"  {name:<15} {text}" for name, text in entries.items()]
        lines.append("")
    return "\n".join(lines).rstrip()


def main() -> None:
    """The entry point of the `hub` script."""
    if sys.argv[1:] in ([], ["-h"], ["--help"]) and "_HUB_COMPLETE" not in os.environ:
        sys.stdout.write(help_text() + "\n")
        return
    from hub_cli.group import hub

    hub(prog_name="hub", windows_expand_args=False)


if __name__ == "__main__":
    main()
