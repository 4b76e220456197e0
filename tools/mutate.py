"""`make mutate`: do the domain tests notice when a rule is changed?

Each mutant is one small change of a domain module: another comparison, a sum that became a
difference, a line or a member of a set left out, a number one higher. The context's pure tests run
against each in a process of its own; a mutant that they let pass is printed. Sentences for people
are not changed. Exits non-zero when a context's score is below the bar.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).resolve().parent.parent
BAR = 85.0
SECONDS = 30
LEDGER = "src/souk/contexts/ledger/domain"
TARGETS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "ledger": (
        (f"{LEDGER}/accounts.py", f"{LEDGER}/commission.py", f"{LEDGER}/entries.py"),
        ("tests/ledger/test_domain.py", "tests/ledger/test_commission.py"),
    ),
    "inventory": (
        ("src/souk/contexts/inventory/domain.py",),
        ("tests/inventory/test_domain.py",),
    ),
    "orders": (("src/souk/contexts/orders/domain.py",), ("tests/orders/test_domain.py",)),
}
# What is the same for every mutant is imported once, before the processes part.
SHARED = ("asyncpg", "litestar", "msgspec", "hypothesis.stateful", "structlog",
          "souk.kernel.money", "souk.platform.database", "souk.platform.audit",
          "souk.platform.outbox", "souk.platform.verify", "pytest")  # fmt: skip
ALONE = ("-x", "-q", "--noconftest", "--import-mode=importlib", "-p", "no:cacheprovider",
         "-c", os.devnull, f"--rootdir={ROOT}")  # fmt: skip
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """One change: the file, the line, what it is in words, and the compiled module."""

    path: str
    line: int
    what: str
    code: CodeType


def variants(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What may stand in the place of `node`, each with a word for it."""
    yield from of_operators(node)
    yield from of_values(node)
    left_out = ast.Raise | ast.AugAssign | ast.Continue
    if isinstance(node, left_out) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield "statement left out", ast.Pass()


def of_operators(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                changed = copy.deepcopy(node)
                changed.ops[place] = COMPARISONS[type(operator)]()
                yield f"{type(operator).__name__} → {type(changed.ops[place]).__name__}", changed
        case ast.BinOp() | ast.AugAssign() if type(node.op) in ARITHMETIC:
            changed = copy.deepcopy(node)
            changed.op = ARITHMETIC[type(node.op)]()
            yield f"{type(node.op).__name__} → {type(changed.op).__name__}", changed
        case ast.BoolOp():
            changed = copy.deepcopy(node)
            changed.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "and ↔ or", changed
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield f"{type(node.op).__name__} left out", node.operand
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            changed = copy.deepcopy(node)
            changed.func = ast.Name(CALLS[name], ast.Load())
            yield f"{name} → {CALLS[name]}", changed
        case ast.IfExp():
            yield "the other branch", ast.IfExp(node.test, node.orelse, node.body)
        case _:
            return


def of_values(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Constant(value=bool()):
            yield f"{node.value} → {not node.value}", ast.Constant(not node.value)
        case ast.Constant(value=int()):
            yield f"{node.value} → {node.value + 1}", ast.Constant(node.value + 1)
        case ast.Constant(value=str()) if node.value and " " not in node.value:
            yield f"{node.value!r} changed", ast.Constant(f"{node.value}x")
        case ast.Set() if len(node.elts) > 1:
            for place in range(len(node.elts)):
                changed = copy.deepcopy(node)
                gone = changed.elts.pop(place)
                yield f"{ast.unparse(gone)} left out", changed
        case ast.Return(value=ast.expr()) if not is_none(node.value):
            yield "returns None", ast.Return(ast.Constant(None))
        case _:
            return


def is_none(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def places(
    node: ast.AST,
) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node below `node` with where it hangs: not annotations, docstrings or decorators."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params", "keywords"} and (
            name != "keywords" or isinstance(node, ast.ClassDef)
        ):
            continue
        children = value if isinstance(value, list) else [value]
        for place, child in enumerate(children):
            if not isinstance(child, ast.AST):
                continue
            index = place if isinstance(value, list) else None
            # The pieces of an f-string are words for people, what stands in its braces is not.
            text = isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)
            doc = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if not text and not doc:
                yield node, name, index, child
                yield from places(child)


def mutants(path: str) -> Iterator[Mutant]:
    """Every mutant of one module, in the order of its lines."""
    source = (ROOT / path).read_text(encoding="utf-8")
    tree = ast.parse(source)
    for parent, name, index, node in list(places(tree)):
        for what, other in list(variants(node)):
            put(parent, name, index, ast.copy_location(other, node))
            ast.fix_missing_locations(tree)
            with contextlib.suppress(ValueError, SyntaxError):
                code = compile(tree, str(ROOT / path), "exec")
                yield Mutant(path, getattr(node, "lineno", 0), what, code)
            put(parent, name, index, node)


def put(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Hands out the changed module under its own name."""

    def __init__(self, mutant: Mutant) -> None:
        self.name = mutant.path.removeprefix("src/").removesuffix(".py").replace("/", ".")
        self.mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(
            fullname, ROOT / self.mutant.path, loader=self
        )

    def exec_module(self, module: ModuleType) -> None:
        exec(self.mutant.code, module.__dict__)


def run_tests(mutant: Mutant | None, tests: Sequence[str]) -> int:
    """pytest's exit code in a process that has the mutant in place of the module."""
    child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        # Of the processor, not of the clock: a busy machine must not look like a mutant that hangs.
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        try:
            if mutant is not None:
                sys.meta_path.insert(0, Mutated(mutant))
            import pytest  # noqa: PLC0415 - in the child, as all that can be changed

            os._exit(pytest.main([*ALONE, *tests]))
        except BaseException:  # noqa: BLE001 - whatever a mutant raises, it was noticed
            os._exit(1)
    return child


def survivors(context: str, *, jobs: int) -> tuple[list[Mutant], int]:
    """The mutants that the context's tests let pass, and how many were tried."""
    paths, tests = TARGETS[context]
    waiting = [mutant for path in paths for mutant in mutants(path)]
    total, passed = len(waiting), list[Mutant]()
    running: dict[int, Mutant] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            running[run_tests(mutant, tests)] = mutant
        child, status = os.wait()
        mutant = running.pop(child)
        if status == 0:
            passed.append(mutant)
            print(f"survived: {mutant.path}:{mutant.line}: {mutant.what}", flush=True)
        done = total - len(waiting) - len(running)
        if sys.stderr.isatty():
            print(f"\r{context}: {done} of {total}", end="", file=sys.stderr, flush=True)
    return passed, total


def main() -> int:
    """Print each survivor and the scores; the answer is the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contexts", nargs="*", choices=[[], *TARGETS], default=[])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
    for name in SHARED:
        importlib.import_module(name)
    from hypothesis import settings  # noqa: PLC0415 - after the path is set

    settings.register_profile(
        "mutants",
        max_examples=25,
        stateful_step_count=30,
        derandomize=True,
        database=None,
        deadline=None,
    )
    settings.load_profile("mutants")
    low = False
    for context in arguments.contexts or TARGETS:
        started = time.monotonic()
        _, status = os.waitpid(run_tests(None, TARGETS[context][1]), 0)
        if status != 0:
            print(f"{context}: the tests fail without any change")
            return 1
        passed, total = survivors(context, jobs=arguments.jobs)
        score = 100 * (total - len(passed)) / total
        low = low or score < BAR
        seconds = time.monotonic() - started
        print(f"{context}: {score:.1f} % of {total} mutants noticed, {seconds:.0f} s", flush=True)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
