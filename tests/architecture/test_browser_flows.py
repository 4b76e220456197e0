"""docs/browser-flows.md says truly which flow is walked in which way, and leaves out no test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "browser-flows.md").read_text()
FILES = sorted((ROOT / "tests" / "web").glob("test_browser_*.py"))
COLUMNS = ("1280", "390", "plain", "Arabic")
NEEDED = {"Buyer": set(COLUMNS), "Seller": {"1280", "390"}, "Operator": {"1280", "390"}}


def ways(test: ast.FunctionDef) -> set[str]:
    """The columns that the parameters of a test stand for."""
    said = " ".join(ast.unparse(each) for each in test.decorator_list)
    body = ast.unparse(test)
    if "SHOP_WAYS" in said:
        return set(COLUMNS) - ({"plain"} if "!= 'plain'" in said else set())
    if "DESK_WAYS" in said or any(argument.arg == "desk" for argument in test.args.args):
        return {"1280", "390"}
    found: set[str] = set()
    for width, scripts in re.findall(r"\((1280|390), (True|False)", said):
        found.add(width if scripts == "True" else "plain")
    found |= {width for width in ("1280", "390") if re.search(rf"\[.*\b{width}\b.*\]", said)}
    found |= {"1280"} if re.search(r"WIDE|'en-GB'|visitor\(browser\)", said + body) else set()
    found |= {"390"} if "NARROW" in said + body or re.search(r"Way\('[\w ]+', 390", body) else set()
    found |= {"plain"} if "scripts=False" in body else set()
    found |= {"Arabic"} if re.search(r"'ar'", said + body) else set()
    return found or {"1280"}


def walked() -> dict[str, set[str]]:
    """Every browser test, with its ways."""
    found: dict[str, set[str]] = {}
    for path in FILES:
        for each in ast.parse(path.read_text()).body:
            if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"):
                found[each.name] = found.get(each.name, set()) | ways(each)
    return found


def rows() -> list[tuple[str, str, set[str], list[str]]]:
    """Section, flow, columns that are ticked, and tests named, of every row."""
    found: list[tuple[str, str, set[str], list[str]]] = []
    section = ""
    for line in TEXT.splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == len(COLUMNS) + 2 and "`test_" in cells[-1]:
            ticked = {name for name, cell in zip(COLUMNS, cells[1:], strict=False) if cell == "✓"}
            found.append((section, cells[0], ticked, re.findall(r"`(test_\w+)`", cells[-1])))
    return found


def test_every_browser_test_is_named_and_every_named_test_exists():
    named = {name for row in rows() for name in row[3]}
    assert named == set(walked())


def test_what_is_ticked_is_walked():
    known = walked()
    wrong = [
        (flow, name)
        for _, flow, ticked, names in rows()
        for name in ticked
        if not any(name in known[test] for test in names)
    ]
    assert wrong == []


def test_every_flow_is_walked_in_all_ways_of_its_reader():
    missing = [
        (section, flow, sorted(needed - ticked))
        for section, flow, ticked, _ in rows()
        if (needed := NEEDED.get(section)) and not needed <= ticked
    ]
    assert missing == []
