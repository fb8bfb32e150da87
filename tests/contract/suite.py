"""The contract suite: `TestAcme = contract("acme")` runs every expectation of the contract over one connector."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.contract.declaring import Declaring
from tests.contract.failing import Failing
from tests.contract.reading import Reading
from tests.contract.subject import Subject
from tests.contract.writing import Writing


def contract(sandbox: str) -> type[Any]:
    """A test class for the connector of this sandbox; its subject is `tests/contract/subjects/<sandbox>.py`."""
    subject: Subject = import_module(f"tests.contract.subjects.{sandbox}").subject
    return type(f"Test{sandbox.title()}", (Declaring, Reading, Writing, Failing), {"subject": subject})
