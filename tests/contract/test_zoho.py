"""The contract over Zoho CRM."""

from tests.contract import contract

TestZoho = contract("zoho")
