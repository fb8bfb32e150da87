"""`GET /{module}/search`: `((Field:equals:v)and(…))`, or an e-mail, a phone number, a word. Finds what the index knows already.

Source: reference notes on Zoho CRM v8, "Search": at most 2,000 hits, and a lag after a write, so it is no proof that something is absent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

from sandbox.core.http import Response
from sandbox.crm_zoho.calls import Call, answer, integer, no_content
from sandbox.crm_zoho.conditions import BadCondition, Compare, Group, Node, criteria, test_of
from sandbox.crm_zoho.errors import ApiError, param_missing
from sandbox.crm_zoho.metadata import Doc, Module
from sandbox.crm_zoho.reading import MAX_BY_PAGE, MAX_PER_PAGE, field_names, shown
from sandbox.crm_zoho.store import Table, folded

MAX_CRITERIA = 15
MAX_DEPTH = 15
OPERATORS: Mapping[str, str] = {
    "equals": "=",
    "not_equal": "!=",
    "starts_with": "like",
    "in": "in",
    "between": "between",
    "greater_than": ">",
    "greater_equal": ">=",
    "less_than": "<",
    "less_equal": "<=",
}


def search(call: Call) -> Response:
    """Records that the search index finds, by id."""
    module = call.module()
    table = call.box.store.tables[module.name]
    names = field_names(call, module) if call.query.get("fields") else tuple(module.fields)
    per_page, page = integer(call, "per_page", MAX_PER_PAGE, 1, MAX_PER_PAGE), integer(call, "page", 1, 1, 1_000_000)
    if page * per_page > MAX_BY_PAGE:
        raise ApiError(400, "LIMIT_REACHED", "a search gives at most 2000 records", limit=MAX_BY_PAGE)
    test, keys = _asked(call, module, table)
    hidden = call.box.hidden(module.name)
    found = (doc for key in keys if key not in hidden and test(doc := table.docs[key]))
    docs = list(islice(found, (page - 1) * per_page, page * per_page + 1))
    if not docs:
        return no_content()
    info = {"per_page": per_page, "count": min(len(docs), per_page), "page": page, "more_records": len(docs) > per_page}
    return answer({"data": shown(call, docs[:per_page], names), "info": info})


def _asked(call: Call, module: Module, table: Table) -> tuple[Callable[[Doc], bool], list[str]]:
    if text := call.query.get("criteria"):
        node = parse(text)
        try:
            return test_of(call.box.store, module, node), _narrowed(table, node)
        except (BadCondition, TypeError) as error:
            raise ApiError(400, "INVALID_QUERY", "Invalid query formed", reason=str(error)) from error
    for kind in ("email", "phone", "word"):
        if value := call.query.get(kind):
            return _any_of(module, kind, folded(value)), list(table.ids)
    raise param_missing("criteria")


def _any_of(module: Module, kind: str, value: str) -> Callable[[Doc], bool]:
    if kind == "word":
        texts = [name for name, spec in module.fields.items() if spec.type in ("text", "email", "phone", "picklist", "website")]
        return lambda doc: any(value in folded(doc[name]) for name in texts if doc.get(name) is not None)
    names = [name for name, spec in module.fields.items() if spec.type == kind]
    return lambda doc: any(folded(doc.get(name)) == value for name in names)


def _narrowed(table: Table, node: Node) -> list[str]:
    """Ids worth judging: those of an index when one criterion that must hold has one."""
    for part in (node,) if isinstance(node, Compare) else node.parts if node.op == "and" else ():
        if isinstance(part, Compare) and part.op in ("=", "in") and part.path[0] in table.module.indexed:
            return sorted({key for value in part.values for key in table.find(part.path[0], value)})
    return list(table.ids)


def parse(text: str) -> Node:
    """The criteria as a tree. Raises ApiError."""
    parser = _Criteria(text)
    node = parser.group(0)
    if parser.at != len(text):
        raise parser.wrong()
    if criteria(node) > MAX_CRITERIA:
        raise ApiError(400, "LIMIT_EXCEEDED", "maximum number of criteria exceeded", limit=MAX_CRITERIA)
    return node


class _Criteria:
    """Reads `(Field:op:value)` and `((…)and(…)or(…))`; brackets, commas and backslashes in a value are escaped by a backslash."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def wrong(self) -> ApiError:
        """The refusal of what stands at the present place."""
        return ApiError(400, "INVALID_QUERY", "Invalid query formed", position=self.at + 1, near=self.text[self.at : self.at + 20])

    def group(self, depth: int) -> Node:
        """One bracket and what follows it on its level."""
        if depth > MAX_DEPTH:
            raise self.wrong()
        self._eat("(")
        if not self.text.startswith("(", self.at):
            return self._criterion()
        parts, words = [self.group(depth + 1)], set()
        while not self.text.startswith(")", self.at):
            word = "and" if self.text.startswith("and", self.at) else "or"
            self._eat(word)
            words.add(word)
            parts.append(self.group(depth + 1))
        self._eat(")")
        if len(words) > 1:
            raise self.wrong()
        return Group(words.pop(), tuple(parts)) if words else parts[0]

    def _criterion(self) -> Node:
        name, op = self._until(":"), self._until(":")
        values = self._values()
        if op not in OPERATORS or not name.replace(".", "").replace("_", "").isalnum():
            raise self.wrong()
        if op not in ("in", "between"):
            values = [",".join(values)]
        if op == "between" and len(values) != 2:
            raise self.wrong()
        if op == "starts_with":
            values = [values[0].replace("%", "") + "%"]
        path = tuple(name.split("."))
        if values in (["null"], ["${EMPTY}"]):
            return Compare(path, "is null" if op == "equals" else "is not null")
        return Compare(path, OPERATORS[op], tuple(values))

    def _values(self) -> list[str]:
        values: list[str] = []
        here = ""
        while self.at < len(self.text):
            sign = self.text[self.at]
            self.at += 1
            if sign == "\\" and self.at < len(self.text):
                here += self.text[self.at]
                self.at += 1
            elif sign == ")":
                return [*values, here]
            elif sign == "(":
                break
            elif sign == ",":
                values.append(here)
                here = ""
            else:
                here += sign
        raise self.wrong()

    def _until(self, sign: str) -> str:
        end = self.text.find(sign, self.at)
        if end < 0:
            raise self.wrong()
        found, self.at = self.text[self.at : end], end + 1
        return found

    def _eat(self, word: str) -> None:
        if not self.text.startswith(word, self.at):
            raise self.wrong()
        self.at += len(word)
