"""What we render is judged by Kafka's and Inkless' own parsers: the class a broker starts with.

The declarations are generated; one JVM judges the files of all of them.
"""

import base64
import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from inkless_pulumi.core.catalogue import Setting
from inkless_pulumi.core.declaration import ServiceDeclaration, SettingValue
from inkless_pulumi.core.errors import DeclarationError
from inkless_pulumi.core.layout import lay_out
from inkless_pulumi.core.node_paths import SECRETS_DIRECTORY
from inkless_pulumi.core.properties import render_properties, server_properties
from inkless_pulumi.sandbox.standin_image import kafka_jars
from tests.sandbox.image_jars import extract_jars, has_package
from tests.unit.core.declarations import OVERRIDABLE, facts, service, valid_services

DECLARATIONS = 1000
CACHE = Path(__file__).parents[2] / ".cache"
PARSER = Path(__file__).with_name("ConfigParser.java")
DEADLINE_SECONDS = 300

Parse = Callable[[Iterable[str], str], list[str]]


@pytest.fixture(scope="module")
def parse() -> Parse:
    """Give files to Apache Kafka's parser and get its answer to each."""
    return _parser(kafka_jars(CACHE, lambda _: None))


@pytest.fixture(scope="module")
def parse_as_inkless(tmp_path_factory: pytest.TempPathFactory) -> Parse:
    """Give files to Inkless' parser and get its answer to each."""
    image = os.environ.get("INKLESS_IMAGE")
    if not image:
        pytest.skip("Inkless' parser is in an Inkless image only, and INKLESS_IMAGE names none")
    jars = tmp_path_factory.mktemp("inkless-jars")
    extract_jars(image, jars)
    if not has_package(jars, "io/aiven/inkless/"):
        pytest.skip(f"INKLESS_IMAGE={image} has no Inkless in it")
    return _parser(jars)


def _parser(jars: Path) -> Parse:
    java = shutil.which("java")
    if java is None:
        pytest.skip("Kafka's own parser needs a Java runtime of version 17 or newer on PATH")

    def run(files: Iterable[str], mode: str = "judge") -> list[str]:
        lines = "".join(f"{base64.b64encode(file.encode()).decode()}\n" for file in files)
        finished = subprocess.run(
            [java, "-Xmx256m", "-cp", f"{jars}/*", str(PARSER), mode],
            input=lines,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout.splitlines()

    return run


def generated(count: int) -> list[ServiceDeclaration]:
    """Different valid services, the same ones in every run."""
    found: list[ServiceDeclaration] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(valid_services())
    def collect(declared: ServiceDeclaration) -> None:
        found.append(declared)

    collect()
    return found


def files_of(declared: ServiceDeclaration, secrets: Path) -> dict[str, str]:
    """The `server.properties` of one node of each role; `secrets` is where their secrets are."""
    plan = lay_out(declared)
    nodes = {node.roles: node for node in reversed(plan.nodes)}
    return {
        f"{','.join(roles)} of {declared!r}": render_properties(
            server_properties(plan, node, facts(plan))
        ).replace(SECRETS_DIRECTORY, str(secrets))
        for roles, node in nodes.items()
    }


def refused(parse: Parse, services: Iterable[ServiceDeclaration], secrets: Path) -> dict[str, str]:
    """The files that a parser refuses, with what it says; every declaration is judged."""
    (secrets / "secrets.properties").write_text("database.password=none\n")
    files: dict[str, str] = {}
    for declared in services:
        files |= files_of(declared, secrets)
    answers = zip(files, parse(files.values(), "judge"), strict=True)
    return {name: answer for name, answer in answers if answer != "ok"}


def test_kafka_accepts_every_declaration_that_we_accept(parse: Parse, tmp_path: Path) -> None:
    services = generated(DECLARATIONS)
    assert len(services) >= DECLARATIONS
    assert refused(parse, services, tmp_path) == {}


@pytest.mark.diskless
def test_inkless_accepts_every_declaration_that_we_accept(
    parse_as_inkless: Parse, tmp_path: Path
) -> None:
    services = generated(DECLARATIONS)
    assert len(services) >= DECLARATIONS
    assert refused(parse_as_inkless, services, tmp_path) == {}


def at_the_limits() -> list[ServiceDeclaration]:
    """A service for each end of the range of each setting, as far as we accept it."""
    found = []
    for setting in OVERRIDABLE:
        for value in _limits(setting):
            with contextlib.suppress(DeclarationError):
                found.append(service(settings={setting.name: value}))
    return found


def _limits(setting: Setting) -> Iterable[SettingValue]:
    """The ends of a setting's range as our catalogue knows it, and its default."""
    if setting.type == "boolean":
        return (True, False)
    ends = (setting.min, setting.max, *setting.also, *setting.allowed, setting.default_text)
    return tuple(end for end in ends if end is not None)


def test_kafka_accepts_every_setting_at_the_limits_that_we_accept(
    parse: Parse, tmp_path: Path
) -> None:
    services = at_the_limits()
    assert len(services) > len(OVERRIDABLE)
    assert refused(parse, services, tmp_path) == {}


@pytest.mark.diskless
def test_inkless_accepts_every_setting_at_the_limits_that_we_accept(
    parse_as_inkless: Parse, tmp_path: Path
) -> None:
    assert refused(parse_as_inkless, at_the_limits(), tmp_path) == {}


def test_kafka_refuses_what_is_wrong(parse: Parse) -> None:
    (answer,) = parse(["process.roles=broker\nnode.id=1\n"], "judge")
    assert "ConfigException" in answer


@given(
    st.lists(
        st.dictionaries(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20),
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
            max_size=8,
        ),
        min_size=50,
        max_size=50,
    )
)
@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_java_reads_back_what_was_rendered(parse: Parse, mappings: list[Mapping[str, str]]) -> None:
    answers = parse([render_properties(mapping) for mapping in mappings], "echo")
    assert [_read_pairs(answer) for answer in answers] == mappings


def _read_pairs(line: str) -> dict[str, str]:
    pairs = (pair.split(":") for pair in line.split())
    return {_text(key): _text(value) for key, value in pairs}


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()
