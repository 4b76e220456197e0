"""The rules of the house that import-linter cannot see."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "souk"
FILES = sorted(SOURCE.rglob("*.py"))
MAX_FUNCTION = 70
MAX_FILE = 450

# Commits happen at the edge: routes, pages, jobs, the relay, the command line, the demo.
MAY_TRANSACT = re.compile(
    r"(http(_\w+)?\.py|/http/.+\.py|jobs\.py|/web/.+\.py|cli\.py|app\.py|relay\.py|limits\.py|mail\.py"
    r"|/demo/.+\.py|/sandbox_gateway/.+\.py|flows/.+\.py|upkeep\.py|retention\.py|database\.py|audit\.py|http_auth\.py)$"
)
# SQL lives in stores and queries, and in the platform's own tables.
MAY_HOLD_SQL = re.compile(r"((store|queries)(/\w+)?\.py|/platform/.+\.py|/sandbox_gateway/.+\.py)$")
SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+[.\w]*\s+SET|DELETE\s+FROM)\b", re.S
)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def strings(tree: ast.AST) -> list[ast.Constant]:
    """String constants that are not docstrings."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


def test_functions_and_files_stay_small():
    long = []
    for path in FILES:
        text = path.read_text()
        if text.count("\n") > MAX_FILE:
            long.append(f"{relative(path)} has {text.count(chr(10))} lines")
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > MAX_FUNCTION:
                    long.append(f"{relative(path)}:{node.lineno} {node.name} has {length} lines")
    assert long == []


def test_only_the_edge_opens_transactions():
    strays = [
        f"{relative(path)}:{node.lineno}"
        for path in FILES
        if not MAY_TRANSACT.search(relative(path))
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "transact"
    ]
    assert strays == []


def test_sql_stays_in_stores_and_queries():
    strays = [
        f"{relative(path)}:{node.lineno}"
        for path in FILES
        if not MAY_HOLD_SQL.search(relative(path))
        for node in strings(tree_of(path))
        if SQL.search(node.value)
    ]
    assert strays == []


def test_no_context_reads_another_schema():
    schemas = {
        "identity", "catalog", "sellers", "listings", "inventory", "carts", "orders", "payments",
        "ledger", "fulfilment", "search", "notifications", "compliance", "reviews",
    }  # fmt: skip
    strays = []
    for path in FILES:
        parts = path.relative_to(SOURCE).parts
        if parts[0] != "contexts" or len(parts) < 3:
            continue
        for node in strings(tree_of(path)):
            if not SQL.search(node.value):
                continue
            named = set(re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)\.\w+", node.value))
            if (named & schemas) - {parts[1]}:
                strays.append(f"{relative(path)}:{node.lineno} {sorted(named)}")
    assert strays == []


def test_every_context_says_what_it_owns():
    bare = [
        path.name
        for path in sorted((SOURCE / "contexts").iterdir())
        if path.is_dir()
        and (path / "__init__.py").exists()
        and len(ast.get_docstring(ast.parse((path / "__init__.py").read_text())) or "") < 60
    ]
    assert bare == []


def test_every_facade_says_what_it_offers():
    bare = []
    for facade in sorted(SOURCE.glob("contexts/*/api.py")):
        for node in tree_of(facade).body:
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            at = SOURCE.parent / node.module.replace(".", "/")
            for path in (at.with_suffix(".py"), at / "__init__.py"):
                if path.exists():
                    offered = {each.name for each in node.names}
                    bare += [
                        f"{relative(path)}: {each.name}"
                        for each in tree_of(path).body
                        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                        and each.name in offered
                        and not ast.get_docstring(each)
                    ]
    assert bare == []


def test_nothing_is_left_for_later():
    marks = re.compile(r"#\s*(TODO|FIXME|XXX|HACK)\b|NotImplementedError|except Exception:\s*pass")
    found = [relative(path) for path in FILES if marks.search(path.read_text())]
    assert found == []


def test_migrations_are_one_chain_of_plain_sql():
    versions = sorted((ROOT / "migrations" / "versions").glob("*.py"))
    sql = {path.stem for path in (ROOT / "migrations" / "sql").glob("*.sql")}
    assert {path.stem for path in versions} == sql
    downs = [
        re.search(r'down_revision = "?(\w+)"?', path.read_text()).group(1) for path in versions
    ]
    assert len(downs) == len(set(downs))
