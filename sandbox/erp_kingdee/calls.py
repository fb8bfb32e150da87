"""Taking a call apart: the service it names, and its arguments in any of the seven body forms that working clients send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from sandbox.core import JSON_IN, Request

_END = ".common.kdsvc"
_THREE = frozenset({"executeoperation", "excuteoperation"})
_NO_FORM = frozenset(
    {"executebillquery", "billquery", "querybusinessinfo", "querygroupinfo", "switchorg", "workflowaudit", "sendmsg", "groupdelete"}
)


class BadBody(ValueError):
    """The body is none of the known forms. `status` is the HTTP status it is answered with."""

    def __init__(self, why: str, status: int = 200) -> None:
        self.status = status
        super().__init__(why)


@dataclass(slots=True)
class Call:
    """One call."""

    service: str
    """Last part of the service's name, lower case: `save`, `validateuser`."""
    group: str
    """The part before it, lower case: `dynamicformservice`."""
    form: str = ""
    operation: str = ""
    """opNumber of ExecuteOperation."""
    data: dict[str, Any] = field(default_factory=dict)
    positional: list[Any] = field(default_factory=list)
    top: dict[str, Any] = field(default_factory=dict)
    """Everything at the top of the body, keys in lower case."""

    def option(self, name: str, default: Any = None) -> Any:
        """A value of `data`, key in any case."""
        wanted = name.lower()
        return next((value for key, value in self.data.items() if key.lower() == wanted), default)


def service_of(path: str) -> tuple[str, str]:
    """(group, service) in lower case from a path; empty when it is no service's."""
    last = path.rsplit("/", 1)[-1].lower()
    if not last.endswith(_END):
        return "", ""
    parts = last[: -len(_END)].split(".")
    return (parts[-2] if len(parts) > 1 else ""), parts[-1]


def parse_call(request: Request) -> Call:
    """Raises BadBody."""
    group, service = service_of(request.path)
    call = Call(service, group, top=_top(request))
    given = call.top.get("parameters")
    if given is not None:
        _positional(call, _loaded(given) if isinstance(given, str) else given)
        return call
    call.form = str(call.top.get("formid") or "")
    call.operation = str(call.top.get("opnumber") or "")
    data = call.top.get("data")
    call.data = _object(data) if data is not None else {}
    if not call.form:
        call.form = str(call.option("formid") or "")
    return call


def _top(request: Request) -> dict[str, Any]:
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        return {key.lower(): value for key, value in parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)}
    if not request.body.strip():
        return {}
    body = _loaded(request.body)
    if isinstance(body, list):
        raise BadBody("Additional text found in JSON string after finishing deserializing object.", 500)
    if not isinstance(body, Mapping):
        raise BadBody("请求体必须是JSON对象")
    return {str(key).lower(): value for key, value in body.items()}


def _loaded(text: str | bytes) -> Any:
    try:
        return JSON_IN.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
        raise BadBody(f"JSON解析失败：{str(error)[:200]}") from error


def _object(value: Any) -> dict[str, Any]:
    loaded = _loaded(value) if isinstance(value, str) and value.strip() else value
    if loaded is None or loaded == "":
        return {}
    if not isinstance(loaded, dict):
        raise BadBody("data必须是JSON对象")
    return loaded


def _positional(call: Call, given: Any) -> None:
    if not isinstance(given, list):
        raise BadBody("parameters必须是数组")
    call.positional = given
    if call.group == "authservice":
        return
    rest = list(given)
    if call.service not in _NO_FORM and rest:
        call.form = str(rest.pop(0) or "")
    if call.service in _THREE and rest:
        call.operation = str(rest.pop(0) or "")
    call.data = _object(rest[0]) if rest else {}
    if not call.form:
        call.form = str(call.option("formid") or "")
