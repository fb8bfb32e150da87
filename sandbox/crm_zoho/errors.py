"""How the API refuses: a whole call with one envelope, or one record of a batch with an entry of its own.

Source: reference notes on Zoho CRM v8, "Error envelope and HTTP codes" and "Writing".
"""

from __future__ import annotations

from typing import Any

from sandbox.core.http import Response, json_response


class ApiError(Exception):
    """A call refused as a whole."""

    def __init__(self, status: int, code: str, message: str, **details: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.details = status, code, message, details

    def response(self) -> Response:
        """The answer with the vendor's envelope."""
        return json_response({"code": self.code, "details": self.details, "message": self.message, "status": "error"}, self.status)


class RecordError(Exception):
    """One record of a batch refused; the others go on."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(f"{code}: {message} {details}")
        self.code, self.message, self.details = code, message, details

    def entry(self) -> dict[str, Any]:
        """The record's place in the answer."""
        return {"code": self.code, "details": self.details, "message": self.message, "status": "error"}


def invalid(path: str, api_name: str, expected: str = "", **more: Any) -> RecordError:
    """A value that the field does not take."""
    details = {"api_name": api_name, "json_path": path, **more}
    if expected:
        details["expected_data_type"] = expected
    return RecordError("INVALID_DATA", "invalid data", **details)


def missing(path: str, api_name: str) -> RecordError:
    """A mandatory field that was left out or emptied."""
    return RecordError("MANDATORY_NOT_FOUND", "required field not found", api_name=api_name, json_path=path)


def bad_param(name: str, message: str = "Invalid value passed for the parameter", **details: Any) -> ApiError:
    """A query parameter with a value that is not allowed."""
    return ApiError(400, "INVALID_DATA", message, param_name=name, **details)


def param_missing(name: str) -> ApiError:
    """A query parameter that must be there."""
    return ApiError(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", param_name=name)


def wrong_url() -> ApiError:
    """No such path."""
    return ApiError(404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one")


def wrong_method() -> ApiError:
    """The path exists, the verb does not."""
    return ApiError(405, "INVALID_REQUEST_METHOD", "The http request method type is not a valid one")
