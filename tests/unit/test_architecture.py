"""The arrows between the parts of the package: who may import whom."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "inkless_pulumi"
CLOUD_SDKS = ("pulumi_aws", "pulumi_gcp")
COMPONENTS = ("inkless_pulumi.aws", "inkless_pulumi.gcp")
REPORT = "inkless_pulumi.report"
OUR_PARTS = (*COMPONENTS, "inkless_pulumi.provider", "inkless_pulumi.sandbox", REPORT)

FORBIDDEN = {
    "core": ("pulumi", "boto3", "kafka", "httpx", *CLOUD_SDKS, *OUR_PARTS),
    "aws": ("inkless_pulumi.gcp", "inkless_pulumi.provider", "inkless_pulumi.sandbox", REPORT),
    "provider": (*CLOUD_SDKS, *COMPONENTS, "inkless_pulumi.sandbox", REPORT),
    "sandbox": (*CLOUD_SDKS, *COMPONENTS, REPORT),
    "report": (
        *("pulumi", "boto3", "kafka", "httpx", *CLOUD_SDKS, *COMPONENTS),
        *("inkless_pulumi.provider", "inkless_pulumi.sandbox"),
    ),
}


def imports(module: Path) -> Iterator[str]:
    """All that a module imports, at its top and within functions."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            yield f"{node.module}"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def is_below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("part", FORBIDDEN)
def test_a_part_imports_only_what_lies_in_the_direction_of_the_data(part: str) -> None:
    modules = [*(PACKAGE / part).rglob("*.py")]
    assert modules
    wrong = [
        f"{module.relative_to(PACKAGE)} imports {name}"
        for module in modules
        for name in imports(module)
        if any(is_below(name, package) for package in FORBIDDEN[part])
    ]
    assert wrong == []


def test_the_public_resources_import_neither_the_plugin_nor_the_sandbox() -> None:
    wrong = [
        f"{module.name} imports {name}"
        for module in PACKAGE.glob("*.py")
        if module.name != "cli.py"
        for name in imports(module)
        if any(is_below(name, package) for package in OUR_PARTS)
    ]
    assert wrong == []


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a statement."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_no_sdk() -> None:
    loaded = loaded_by("import inkless_pulumi")
    assert loaded.isdisjoint({"pulumi", "boto3", "kafka", "pydantic", *CLOUD_SDKS})


def test_a_public_resource_loads_no_cloud_sdk() -> None:
    loaded = loaded_by("from inkless_pulumi import ClassicTopic, User, AccessRule")
    assert "pulumi" in loaded
    assert loaded.isdisjoint({"boto3", "kafka", *CLOUD_SDKS})


def test_the_example_of_another_stack_needs_no_cloud_sdk() -> None:
    example = PACKAGE.parent / "examples" / "topics-in-another-stack" / "__main__.py"
    imported = {name.split(".")[0] for name in imports(example)}
    assert imported == {"pulumi", "inkless_pulumi"}
    loaded = loaded_by("from inkless_pulumi import AccessRule, Quota, TopicSet, User")
    assert loaded.isdisjoint({"boto3", "kafka", *CLOUD_SDKS})


def test_every_public_name_can_be_loaded() -> None:
    import inkless_pulumi

    assert inkless_pulumi.__all__
    for name in inkless_pulumi.__all__:
        assert getattr(inkless_pulumi, name).__module__.startswith("inkless_pulumi.")
        assert name in dir(inkless_pulumi)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    import inkless_pulumi

    with pytest.raises(AttributeError, match="'inkless_pulumi' has no attribute 'Topics'"):
        inkless_pulumi.Topics  # noqa: B018  looking it up is what is tested
