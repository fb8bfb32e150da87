"""The contract over Kingdee."""

from tests.contract import contract

TestKingdee = contract("kingdee")
