"""docs/pricing*.md say what is so: each example is run, and the published ones have the published answers."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest

from channel.pricing.asking import PricingFile
from channel.pricing.result import REFUSALS
from tests.docs.pages import ROOT, Example, examples, text_of
from tests.pricing import format_page
from tests.pricing.documents import asked, missing

_PAGES = sorted((ROOT / "docs").glob("pricing*.md"))
PAIRS = [(one, after) for page in _PAGES for one, after in pairwise(examples(page)) if one.info == "yaml price"]


@pytest.mark.parametrize(("file", "answer"), PAIRS, ids=str)
def test_an_example_has_the_answer_that_stands_below_it(file: Example, answer: Example) -> None:
    assert answer.info == "json answer", "an example without an answer"

    assert missing(json.loads(answer.body, parse_float=str), asked(file.body)) == []


def test_there_is_an_example_for_every_subject() -> None:
    assert len(PAIRS) >= 25


def test_the_format_page_is_fresh() -> None:
    assert format_page.PAGE.read_text(encoding="utf-8") == format_page.page(), "python -m tests.pricing.format_page"


def test_every_field_of_a_file_says_what_it_is() -> None:
    assert [
        f"{model.__name__}.{name}" for model in format_page.models(PricingFile) for name, field in model.model_fields.items()
        if not field.description
    ] == []  # fmt: skip


def test_every_refusal_is_on_the_page() -> None:
    page = text_of("docs/pricing.md")

    assert [code for code in REFUSALS if f"`pricing/{code}`" not in page] == []


def test_every_reason_is_on_the_page() -> None:
    page = text_of("docs/pricing-base.md")
    source = (ROOT / "channel" / "pricing" / "result.py").read_text(encoding="utf-8")
    reasons = re.findall(r"\w+", source.split('reason: str\n    """')[1].split('"""')[0])

    assert "beaten" in reasons
    assert [reason for reason in reasons if f"`{reason}`" not in page] == []
