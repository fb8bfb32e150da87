"""The rules. Each docstring tells what goes wrong without it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from tests.checks.house import ROOMS, Finding, Rule, dotted


def _in(*rooms: str) -> Callable[[Path], bool]:
    return lambda path: path.parts[0] in rooms


PURE = frozenset(f"sync/{name}.py" for name in ("decide", "decide_identity", "decide_pairs", "decide_sets", "compare", "policy"))


def _is_rule_module(path: Path) -> bool:
    """A module that decides and knows no world: values, mapping functions, rule modules, the engine's pure decisions."""
    if path.parts[0] == "channel":
        return path.name not in ("queries.py", "service.py", "__init__.py")
    return path.parts[0] == "canonical" or path.as_posix() in PURE


def no_float(tree: ast.Module) -> Iterator[Finding]:
    """0.1 + 0.2 is not 0.3: a total of ten thousand lines is off by fen, and the ERP refuses the document or, worse, takes it.

    Money and quantities are `Decimal` or decimal text from the wire to the database and back. Testing *for* a float
    (`isinstance(x, float)`) is how one is refused, so that is free.
    """
    tested = {
        id(name) for call in ast.walk(tree) if isinstance(call, ast.Call) and dotted(call.func) == "isinstance" for name in ast.walk(call)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "float" and id(node) not in tested:
            yield node.lineno, "float where money passes: use Decimal"
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno, f"the float literal {node.value}: write Decimal('{node.value}')"


def no_decimal_of_float(tree: ast.Module) -> Iterator[Finding]:
    """`Decimal(0.1)` is 0.1000000000000000055…: exact about the wrong number. `Decimal(float(x))` the same, less visibly."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func).endswith("Decimal") and node.args:
            inside = node.args[0]
            if isinstance(inside, ast.Constant) and isinstance(inside.value, float):
                yield node.lineno, "Decimal of a float literal: quote it"
            elif isinstance(inside, ast.Call) and dotted(inside.func) == "float":
                yield node.lineno, "Decimal of a float: convert the text itself"


def one_rounding(tree: ast.Module) -> Iterator[Finding]:
    """Python's `round(0.125, 2)` is 0.12, a `quantize` without a mode the same, and each looks right in the review.

    Money is rounded in canonical/rounding.py and nowhere else: half away from zero, once per payable.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="round")):
                yield node.lineno, "round() is half-even: use canonical.rounding"
            case ast.Call(func=ast.Attribute(attr="quantize")):
                yield node.lineno, "a rounding of its own: use canonical.rounding"
            case ast.ImportFrom(module=module, names=names):
                if any(name.name.startswith("ROUND_HALF") for name in names) or module in BINARY_MATHS:
                    yield node.lineno, "a rounding of its own, or binary floats: use canonical.rounding"
            case ast.Import(names=names) if names[0].name in BINARY_MATHS:
                yield node.lineno, "this library counts in binary floats"


BINARY_MATHS = {"math", "statistics", "numpy", "pandas"}


def _pays(path: Path) -> bool:
    """The rooms that decide money."""
    return path.parts[:2] in (("channel", "rebates"), ("channel", "pricing"), ("channel", "performance"))


def no_float_json(tree: ast.Module) -> Iterator[Finding]:
    """`json.loads` makes floats of amounts before anyone can look: 30 digits of a vendor's answer become 17."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func) in ("json.loads", "json.load"):
            if not any(keyword.arg == "parse_float" for keyword in node.keywords):
                yield node.lineno, "json without parse_float=Decimal: use the room's own decoder"
        elif isinstance(node, ast.Call) and dotted(node.func).endswith(".json") and not node.args and not node.keywords:
            yield node.lineno, "an answer's .json() makes floats: use connectors.jsontext"


def no_commit(tree: ast.Module) -> Iterator[Finding]:
    """A service that commits halves the transaction of whoever called it: the order was saved, its history was not.

    The edge (request, task, run) owns the one transaction.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("commit", "rollback"):
            yield node.lineno, f"{node.func.attr}() below the edge: the caller owns the transaction"


CLOCKS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now", "datetime.date.today",
    "time.time", "time.time_ns", "time.monotonic", "time.sleep", "uuid4", "uuid.uuid4", "os.urandom",
}  # fmt: skip


def no_world(tree: ast.Module) -> Iterator[Finding]:
    """A rule that reads the clock cannot be asked about last month, and its test fails on the 1st of January.

    `as_of`, policy and prices come in as arguments; chance, environment and logs stay outside.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in CLOCKS or name.startswith(("random.", "secrets.", "os.environ", "structlog.", "logging.")):
                yield node.lineno, f"{name}() in a rule: take it as an argument"


def no_sleep(tree: ast.Module) -> Iterator[Finding]:
    """A client with a retry loop of its own waits twice, once in itself and once in the transport, past every deadline."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func) in ("time.sleep", "sleep"):
            yield node.lineno, "a sleep in a connector: waiting is the transport's"


BROAD = ("Exception", "BaseException")
"""A bare `except` and those that catch everything. (A tuple of exceptions is as precise as its names.)"""


def no_swallowing(tree: ast.Module) -> Iterator[Finding]:
    """`except Exception: pass` turned a full disk into silently missing records.

    A precise exception may pass, with a comment that says why.
    """
    for node in ast.walk(tree):
        swallows = isinstance(node, ast.ExceptHandler) and all(isinstance(step, ast.Pass) for step in node.body)
        if isinstance(node, ast.ExceptHandler) and swallows and (node.type is None or dotted(node.type) in BROAD):
            yield node.lineno, "an error is swallowed: name the one that may be, and why"


def no_quoted_values(tree: ast.Module) -> Iterator[Finding]:
    """`WHERE number = '{number}'` lets a dealer's number be SQL. Values travel as parameters; only names of our own tables are put in."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr):
            continue
        text = "".join(part.value for part in node.values if isinstance(part, ast.Constant) and isinstance(part.value, str)).upper()
        if not any(word in text for word in ("SELECT ", "INSERT ", "UPDATE ", "DELETE FROM")):
            continue
        for before, inside in pairwise(node.values):
            if not isinstance(inside, ast.FormattedValue) or dotted(inside.value).isupper():  # a constant of the module is no value
                continue
            if isinstance(before, ast.Constant) and str(before.value).endswith("'"):
                yield inside.lineno, "a value inside quotes of a statement: pass it as a parameter"


def no_mocks_of_ours(tree: ast.Module) -> Iterator[Finding]:
    """A test against a mock of our own code proves the mock. Real PostgreSQL, stand-ins for vendors, fakes that pass the contract suite."""
    for node in ast.walk(tree):
        named = (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        if isinstance(node, ast.stmt) and any(name.split(".")[0] in ("mock", "unittest", "pytest_mock") for name in named):
            yield node.lineno, "a mock: use the real thing or a fake that passes its suite"


MONEY_ROOMS = ("canonical", "channel", "mappings")
EVIDENCE_ROOMS = ("channel/deals/matching/", "channel/parties/")
"""Rooms that weigh evidence, in log-odds and probabilities. No amount passes them, and a claim has none."""


MONEY_DOORS = ("rebate", "pric", "quote", "fund", "claim", "scorecard", "performance", "order", "statement")
"""What files of the doors (API, command, engine) that amounts pass are named after."""


def _money(path: Path) -> bool:
    door = path.parts[0] in ("hub_api", "hub_cli", "sync") and any(word in path.name for word in MONEY_DOORS)
    return door or (path.parts[0] in MONEY_ROOMS and not path.as_posix().startswith(EVIDENCE_ROOMS))


VENDOR_ROOMS = ("connectors", "sync", "dags", "ledger")

RULES = [
    Rule("float", _money, no_float, "x = Decimal('0.1')\nisinstance(x, float)", "rate = 0.13\ndef total(x: float) -> None: ..."),
    Rule("rounding", _pays, one_rounding, "half_up(x, 2)", "y = round(x, 2)\nz = x.quantize(CENT)"),
    Rule("decimal-of-float", _in(*MONEY_ROOMS, *VENDOR_ROOMS, "hub_api", "sandbox"), no_decimal_of_float, "Decimal('0.1')", "Decimal(0.1)"),
    Rule(
        "float-json",
        lambda path: _money(path) or path.parts[0] in VENDOR_ROOMS,
        no_float_json,
        "json.loads(text, parse_float=Decimal)",
        "json.loads(text)",
    ),
    Rule(
        "commit",
        lambda path: path.parts[0] in ("channel", "hub_api") or path.parts[0] == "dags",
        no_commit,
        "session.flush()",
        "session.commit()",
    ),
    Rule("world", _is_rule_module, no_world, "def f(as_of): return as_of", "def f(): return datetime.now(UTC)"),
    Rule(
        "sleep",
        lambda path: path.parts[0] == "connectors" and len(path.parts) > 2,
        no_sleep,
        "transport.pause(1)",
        "time.sleep(1)",
    ),
    Rule("swallow", _in(*ROOMS, "tests"), no_swallowing, "try: f()\nexcept KeyError: pass", "try: f()\nexcept Exception: pass"),
    Rule(
        "sql-value",
        _in("channel", "hub_api", "ledger", "sync"),
        no_quoted_values,
        'f"SELECT {column} FROM t WHERE k = %s"',
        "f\"SELECT a FROM t WHERE k = '{k}'\"",
    ),
    Rule("mock", _in("tests"), no_mocks_of_ours, "import pytest", "from unittest.mock import patch"),
]
