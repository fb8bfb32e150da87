"""Documents on paper as answers: PDF and Excel, with a name to save them under, and how they are described."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import Query
from starlette.responses import Response

Format = Literal["pdf", "xlsx"]
Lang = Annotated[Literal["zh", "en"], Query(description="Language of the paper.")]
MEDIA: Final[dict[Format, str]] = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def described(kind: Format) -> dict[int | str, dict[str, Any]]:
    """The answer with a paper, for the description of the API."""
    return {200: {"description": "The paper.", "content": {MEDIA[kind]: {"schema": {"type": "string", "format": "binary"}}}}}


def sent(content: bytes, name: str, kind: Format) -> Response:
    """A paper to be saved; no proxy keeps it."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"', "Cache-Control": "private, no-store"}
    return Response(content, headers=headers, media_type=MEDIA[kind])
