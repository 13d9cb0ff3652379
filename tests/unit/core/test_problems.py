"""How problems read, and what `core` may depend on."""

import ast
import sys
from pathlib import Path

import pytest

import inkless_pulumi.core
from inkless_pulumi.core.errors import (
    DeclarationError,
    InklessError,
    Problem,
    raise_problems,
    told,
)

CORE = Path(inkless_pulumi.core.__file__).parent
ALLOWED = {*sys.stdlib_module_names, "pydantic", "pydantic_core", "inkless_pulumi"}
NETWORK = {"socket", "ssl", "http", "urllib.request", "ftplib", "smtplib", "subprocess"}


def test_one_problem_reads_as_one_sentence() -> None:
    problem = Problem("zones", ["a"], "has 1 zone where 3 are needed", "name three zones")
    assert str(DeclarationError([problem], 'service "orders"')) == (
        'service "orders": zones = ["a"]: has 1 zone where 3 are needed; name three zones'
    )


def test_several_problems_have_a_line_each() -> None:
    problems = [Problem("a", 1, "is odd", "use 2"), Problem("b", None, "is missing", "give it")]
    assert str(DeclarationError(problems, "topic")) == (
        "topic has 2 problems:\n  - a = 1: is odd; use 2\n  - b: is missing; give it"
    )


def test_many_problems_that_differ_in_their_places_alone_are_told_together() -> None:
    alike = [Problem(f"topics[{number}]", 0, "is none", "use 1") for number in range(100)]
    other = Problem("topics[3]", 7, "is odd", "use 8")
    places = ", ".join(f"topics[{number}]" for number in range(1, 11))
    assert told([*alike[:50], other, *alike[50:]]) == [
        f"topics[0] = 0: is none; use 1 (99 more like this: {places}, …)",
        str(other),
    ]
    assert told(alike[:5]) == [str(problem) for problem in alike[:5]]
    assert told(alike[:6]) == [
        "topics[0] = 0: is none; use 1 (5 more like this: topics[1], topics[2], topics[3], "
        "topics[4], topics[5])"
    ]
    assert str(DeclarationError(alike, "file")).startswith("file: topics[0] = 0: is none; use 1 (")


def test_a_long_value_is_cut() -> None:
    assert str(Problem("a", "x" * 1000, "is long", "shorten it")) == (
        f'a = "{"x" * 119}…: is long; shorten it'
    )


@pytest.mark.parametrize(("path", "whole"), [("bucket", "storage.bucket"), ("[0]", "storage[0]")])
def test_a_problem_of_a_part_is_one_of_the_whole(path: str, whole: str) -> None:
    assert Problem(path, 1, "r", "m").below("storage").path == whole


def test_no_problem_raises_nothing() -> None:
    raise_problems([])
    with pytest.raises(InklessError):
        raise_problems([Problem("a", 1, "r", "m")])


@pytest.mark.parametrize("module", sorted(CORE.glob("*.py")), ids=lambda path: str(path.name))
def test_core_is_pure(module: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    ours = {name for name in imported if name.startswith("inkless_pulumi")}
    assert {name.split(".")[0] for name in imported} <= ALLOWED
    assert not imported & NETWORK
    assert all(name.startswith("inkless_pulumi.core") for name in ours)
