"""A file is read in the encoding that it is in, or refused with its line; never as other characters."""

from __future__ import annotations

from pathlib import Path

import pytest

from channel.deals.matching import encodings
from channel.deals.matching.encodings import Undecodable, encoding_of

NAMES = "rid,name\n" + "".join(f"{number},深圳市琏升科技有限公司\n" for number in range(40))


@pytest.mark.parametrize("text", ["", "rid,name\n1,LANSI\n", NAMES], ids=["empty", "ascii", "chinese"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_is_read_as_such(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "one.csv").write_bytes(text.encode(encoding))

    assert encoding_of(tmp_path / "one.csv") == "utf-8-sig"


@pytest.mark.parametrize("encoding", ["gb2312", "gbk", "gb18030"])
@pytest.mark.parametrize("block", [7, 64, 1 << 20])
def test_what_excel_writes_on_chinese_windows_is_read_as_gb18030(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, block: int
) -> None:
    monkeypatch.setattr(encodings, "_BLOCK", block)  # characters cut by the end of a block
    text = NAMES if encoding != "gb2312" else NAMES.replace("琏", "联")
    (tmp_path / "one.csv").write_bytes(text.encode(encoding))

    assert encoding_of(tmp_path / "one.csv") == "gb18030"
    assert (tmp_path / "one.csv").read_text(encoding_of(tmp_path / "one.csv")) == text


@pytest.mark.parametrize("block", [7, 1 << 20])
def test_one_damaged_byte_in_utf_8_is_refused_at_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(encodings, "_BLOCK", block)
    lines = NAMES.encode().splitlines(keepends=True)
    lines[20] = lines[20].replace("科".encode(), b"\xe7\xa7")
    (tmp_path / "torn.csv").write_bytes(b"".join(lines))

    with pytest.raises(Undecodable, match="UTF-8 until here") as told:
        encoding_of(tmp_path / "torn.csv")
    assert told.value.line == 21


@pytest.mark.parametrize(
    ("raw", "line", "what"),
    [
        (b"rid,name\n1,x\n2,\xff\xfe\n", 3, "neither UTF-8 .line 3. nor GB18030 .line 3."),
        ("rid,name\n1,深圳\n".encode("utf-16"), 1, "UTF-16"),
        (b"\xef\xbb\xbfrid,name\n1,\xc0\xb6\n", 2, "UTF-8 until here"),
        ("rid,name\n1,深圳".encode("gbk")[:-1], 2, "neither"),
    ],
    ids=["no_text", "utf_16", "marked_utf_8", "cut"],
)
def test_what_is_in_neither_is_told_with_its_line(tmp_path: Path, raw: bytes, line: int, what: str) -> None:
    (tmp_path / "odd.csv").write_bytes(raw)

    with pytest.raises(Undecodable, match=what) as told:
        encoding_of(tmp_path / "odd.csv")
    assert told.value.line == line
