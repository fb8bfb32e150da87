"""How the ERP answers: ResponseStatus, its message classes, and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class MsgCode(IntEnum):
    """Class of a failure, as ResponseStatus tells it."""

    NONE = 0
    SESSION_LOST = 1
    NO_PERMISSION = 2
    NO_OPERATION = 3
    EXCEPTION = 4
    NO_FORM = 5
    DATABASE = 6
    LICENCE = 7
    BAD_PARAMETER = 8
    NO_FIELD = 9
    NO_DATA = 10
    INVALID = 11
    WRONG_STATE = 12
    LOCKED = 13
    LIMIT = 14
    ADMIN = 15


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of ResponseStatus.Errors."""

    message: str
    field: str | None = None


class Refused(Exception):
    """The ERP refuses one document, or one call; nothing of it is kept."""

    def __init__(self, problems: str | Sequence[Problem], code: MsgCode = MsgCode.INVALID, field_name: str | None = None) -> None:
        self.problems = [Problem(problems, field_name)] if isinstance(problems, str) else list(problems)
        self.code = code
        super().__init__("；".join(problem.message for problem in self.problems))


@dataclass(slots=True)
class Status:
    """A ResponseStatus in the making: one call, several documents."""

    entities: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    code: MsgCode = MsgCode.NONE

    def done(self, key: Any, number: str, index: int, **more: Any) -> None:
        """Note a document that went through."""
        self.entities.append({"Id": key, "Number": number, "DIndex": index, **more})

    def refused(self, refusal: Refused, index: int) -> None:
        """Note a document that did not."""
        self.errors.extend({"FieldName": p.field, "Message": p.message, "DIndex": index} for p in refusal.problems)
        self.code = refusal.code

    def shown(self) -> dict[str, Any]:
        """The ResponseStatus object."""
        return {
            **({"ErrorCode": 500} if self.errors else {"ErrorCode": ""}),
            "IsSuccess": not self.errors,
            "Errors": self.errors,
            "SuccessEntitys": self.entities,
            "SuccessMessages": self.messages,
            "MsgCode": int(self.code),
        }


def failure(message: str, code: MsgCode, field_name: str | None = None) -> dict[str, Any]:
    """`{"Result":{"ResponseStatus":…}}` of a call that failed as a whole."""
    status = Status()
    status.refused(Refused(message, code, field_name), 0)
    return {"Result": {"ResponseStatus": status.shown()}}


def refusal(refused: Refused) -> dict[str, Any]:
    """The same from a refusal."""
    status = Status()
    status.refused(refused, 0)
    return {"Result": {"ResponseStatus": status.shown()}}


def session_lost() -> dict[str, Any]:
    """The answer to a caller whose session is gone."""
    return failure("会话信息已丢失，请重新登录", MsgCode.SESSION_LOST)
