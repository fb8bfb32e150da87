"""Exit codes of `hub`: what a script can trust. The same table stands in docs/operations.md, and a test compares them."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the last command came to."""

    DONE = 0
    """Done; nothing differs, nothing was set aside."""
    FAILED = 1
    """It did not work; the message names place and next step."""
    USAGE = 2
    """The command line or hub.yaml cannot be understood; nothing was done."""
    DIFFERS = 3
    """It worked, and it found differences: a plan with changes, drift, a failed check."""
    SET_ASIDE = 4
    """It worked, and some records were set aside for a person: quarantine, cases, missing values."""
    BUSY = 5
    """Another worker is at it; nothing was done. Try again later."""
    NOT_FOUND = 6
    """There is no such record, case, plan, system or stream."""
    REFUSED = 7
    """Understood and not allowed now: wrong mode or state, an expired plan."""
    UNFIT = 8
    """The machine lacks something: no database, no PostgreSQL, no Airflow."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C; what was committed stays, the next run goes on from there."""


OF_RUN = {"done": Exit.DONE, "failed": Exit.FAILED, "busy": Exit.BUSY, "differs": Exit.DIFFERS, "set_aside": Exit.SET_ASIDE}
"""A run's status and the exit code it comes to."""

OF_ERROR = {
    "sync/bad-config": Exit.USAGE,
    "sync/busy": Exit.BUSY,
    "sync/overtaken": Exit.BUSY,
    "sync/not-found": Exit.NOT_FOUND,
    "sync/wrong-state": Exit.REFUSED,
    "sync/plan-expired": Exit.REFUSED,
    "sync/stale": Exit.REFUSED,
    "sync/not-allowed": Exit.REFUSED,
    "sync/bad-value-row": Exit.USAGE,
    "deals/bad-file": Exit.USAGE,
    "pricing/bad-file": Exit.USAGE,
    "rebates/bad-programme": Exit.USAGE,
    "rebates/bad-facts": Exit.USAGE,
    "rebates/needs-lines": Exit.USAGE,
    "rebates/not-found": Exit.NOT_FOUND,
    "rebates/version-taken": Exit.REFUSED,
    "rebates/wrong-state": Exit.REFUSED,
    "rebates/not-enough": Exit.REFUSED,
    "funds/not-found": Exit.NOT_FOUND,
    "funds/incomplete": Exit.USAGE,
    "funds/not-taking-part": Exit.REFUSED,
    "funds/too-late": Exit.REFUSED,
    "funds/nothing-to-pay": Exit.REFUSED,
    "funds/already-claimed": Exit.REFUSED,
    "funds/wrong-state": Exit.REFUSED,
    "funds/bad-amount": Exit.REFUSED,
    "pricing/version-taken": Exit.REFUSED,
    "pricing/special-state": Exit.REFUSED,
    "pricing/over-ceiling": Exit.REFUSED,
    "pricing/special-not-found": Exit.NOT_FOUND,
    "pricing/not-found": Exit.NOT_FOUND,
    "quotes/bad-offer": Exit.USAGE,
    "quotes/not-found": Exit.NOT_FOUND,
    "quotes/wrong-state": Exit.REFUSED,
    "quotes/nobody-may-grant": Exit.REFUSED,
    "quotes/not-approver": Exit.REFUSED,
    "performance/bad-scorecard": Exit.USAGE,
    "performance/bad-facts": Exit.USAGE,
    "performance/not-found": Exit.NOT_FOUND,
    "performance/no-reason": Exit.USAGE,
    "performance/not-over": Exit.REFUSED,
    "performance/version-taken": Exit.REFUSED,
    "deals/alias-refused": Exit.REFUSED,
    "deals/alias-not-found": Exit.NOT_FOUND,
    "deals/bad-claim": Exit.USAGE,
    "deals/bad-fence": Exit.USAGE,
    "deals/bad-pipeline": Exit.USAGE,
    "deals/bad-policy": Exit.USAGE,
    "deals/bad-rows": Exit.USAGE,
    "deals/contended": Exit.BUSY,
    "deals/too-many-checks": Exit.BUSY,
    "deals/customer-not-found": Exit.NOT_FOUND,
    "deals/ends-before-it-begins": Exit.USAGE,
    "deals/fence-not-found": Exit.NOT_FOUND,
    "deals/pipeline-not-found": Exit.NOT_FOUND,
    "deals/policy-not-found": Exit.NOT_FOUND,
    "deals/registration-not-found": Exit.NOT_FOUND,
    "deals/unknown-dealer": Exit.NOT_FOUND,
    "deals/key-reused": Exit.REFUSED,
    "deals/keys-outdated": Exit.REFUSED,
    "deals/lead-not-convertible": Exit.REFUSED,
    "deals/move-refused": Exit.REFUSED,
    "deals/not-extendable": Exit.REFUSED,
    "deals/policy-overlaps": Exit.REFUSED,
    "deals/protections-overlap": Exit.REFUSED,
    "deals/still-held": Exit.REFUSED,
    "deals/wrong-status": Exit.REFUSED,
    "sync/bad-link-rows": Exit.USAGE,
    "connectors/unknown-kind": Exit.USAGE,
    "mappings/bad-file": Exit.USAGE,
    "keys/bad-key": Exit.USAGE,
    "parties/bad-records": Exit.USAGE,
    "parties/engine-missing": Exit.UNFIT,
    "ledger/unfit-database": Exit.UNFIT,
}
"""An error's stable code and the exit code it comes to; `postgres/…` and `airflow/…` are UNFIT, all others FAILED."""


def of_error(code: str) -> Exit:
    """The exit code of an error with this stable code."""
    if code in OF_ERROR:
        return OF_ERROR[code]
    return Exit.UNFIT if code.split("/", maxsplit=1)[0] in ("postgres", "airflow", "stack") else Exit.FAILED
