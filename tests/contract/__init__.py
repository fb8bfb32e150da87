"""One suite run over every connector, against its vendor's sandbox over HTTP."""

from tests.contract.suite import contract

__all__ = ["contract"]
