"""The contract over Zoho CRM, once by its list call and once by queries (COQL) and single records."""

from dataclasses import replace

from tests.contract import contract
from tests.contract.subjects import zoho

TestZoho = contract("zoho")


class TestZohoByQuery(TestZoho):  # type: ignore[misc, valid-type]  # the suite makes the class
    """Modules without lines by COQL, orders one by one."""

    subject = replace(
        zoho.subject,
        settings=lambda credentials, overrides: zoho.settings(credentials, {"read_route": "coql", "lines_route": "record", **overrides}),
    )
