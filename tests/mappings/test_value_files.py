"""`hub values export` and `import` with a real database: a clerk fills the file in, every mistake is told by its cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from tests.cli.running import answer, hub

CONFIG = Path(__file__).parents[2] / "hub_cli" / "demo" / "hub.yaml"
_SECRETS: dict[str, Any] = {
    **dict.fromkeys(("DEMO_KINGDEE_URL", "DEMO_ZOHO_ACCOUNTS_URL", "DEMO_ZOHO_URL"), "http://127.0.0.1:1"),
    **dict.fromkeys(("DEMO_KINGDEE_ACCT_ID", "DEMO_KINGDEE_USER", "DEMO_KINGDEE_APP_SECRET"), "x"),
    **dict.fromkeys(("DEMO_ZOHO_CLIENT_ID", "DEMO_ZOHO_CLIENT_SECRET", "DEMO_ZOHO_REFRESH_TOKEN"), "x"),
    "DEMO_KINGDEE_APP_ID": "220001_MTI2MGM1Pj9qPDk/OT04KHMiKnd0IXMr",  # any of the right shape: nothing is called
}


def test_a_value_map_goes_out_to_excel_and_comes_back_changed(tmp_path: Path, database: str) -> None:
    here = {**_SECRETS, "HUB_CONFIG": str(CONFIG), "HUB_DATABASE_URL": database}
    file = str(tmp_path / "maps.xlsx")
    for code, canonical in (("007", "S007"), ("=1+1", "S001")):
        assert hub(tmp_path, "values", "set", "salesperson", "kingdee", code, canonical, **here).returncode == 0
    assert hub(tmp_path, "values", "export", file, **here).returncode == 0

    same = answer(hub(tmp_path, "values", "import", file, "--json", **here))
    book = load_workbook(file)
    sheet = book.worksheets[0]
    assert [sheet["D2"].value, sheet["D3"].value] == ["007", "=1+1"]
    sheet["E2"] = "S070"
    book.save(file)
    shown = hub(tmp_path, "values", "import", file, "--json", **here)
    done = answer(hub(tmp_path, "values", "import", file, "--apply", "--json", **here))
    sheet["D3"].value, sheet["D3"].data_type = 17.5, "n"
    book.save(file)
    wrong = hub(tmp_path, "values", "import", file, **here)

    assert (same["added"], same["changed"], same["same"]) == (0, 0, 2)
    assert (shown.returncode, answer(shown)["changed"], answer(shown)["applied"]) == (3, 1, False)
    assert (done["changed"], done["applied"]) == (1, True)
    assert wrong.returncode not in (0, 3)
    assert "D3: Excel made the number 17.5" in wrong.stderr + wrong.stdout
