"""A stand-in for Kingdee K3Cloud's WebAPI: forms, queries, document states, and the arithmetic of the ERP, over SQLite.

Written from reference/kingdee.md; what no source settles is a switch in `settings`. Checked by the official SDK in tests.
"""

from sandbox.erp_kingdee.server import STREAMS, Kingdee, make
from sandbox.erp_kingdee.settings import Settings

__all__ = ["STREAMS", "Kingdee", "Settings", "make"]
