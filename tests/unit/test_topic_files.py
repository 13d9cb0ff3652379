"""Topics in a file."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inkless_pulumi.cli import app
from inkless_pulumi.core.errors import ConnectionFailed, DeclarationError
from inkless_pulumi.core.topic_file import json_schema
from inkless_pulumi.topic_files import read_topics

PUBLISHED = Path(__file__).parents[2] / "docs" / "topics.schema.json"


def written(directory: Path, text: str, name: str = "topics.yaml") -> Path:
    path = directory / name
    path.write_text(text)
    return path


def test_topics_have_what_they_say_and_the_defaults_for_the_rest(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """\
defaults: {kind: diskless, partitions: 6, settings: {retention.ms: 7d, compression.type: zstd}}
topics:
  orders: {kind: classic, partitions: 12, settings: {retention.ms: 30d}, replication_factor: 3}
  events:
  short: {settings: {retention.ms: 60000}, deletion_protection: false}
""",
    )
    assert read_topics(path) == {
        "orders": {
            "kind": "classic",
            "partitions": 12,
            "replication_factor": 3,
            "settings": {"retention.ms": "30d", "compression.type": "zstd"},
        },
        "events": {
            "kind": "diskless",
            "partitions": 6,
            "settings": {"retention.ms": "7d", "compression.type": "zstd"},
        },
        "short": {
            "kind": "diskless",
            "partitions": 6,
            "settings": {"retention.ms": 60000, "compression.type": "zstd"},
            "deletion_protection": False,
        },
    }


def test_json_is_read_as_well(tmp_path: Path) -> None:
    text = '{"topics": {"orders": {"kind": "classic", "partitions": 1}}}'
    path = written(tmp_path, text, "topics.json")
    assert read_topics(path) == {"orders": {"kind": "classic", "partitions": 1}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "defaults: {kind: compacted}\ntopics: {a: }",
            'defaults.kind = "compacted": is not one of the '
            "possible values; use 'classic' or 'diskless'",
        ),
        (
            "defaults: {partitons: 6}\ntopics: {a: }",
            'defaults.partitons: is not an argument; did you mean "partitions"?',
        ),
        ("topics: {a: {}, a: {}}", '"a" is there twice'),
        ("topics: [a]", 'topics = ["a"]: must be a valid dictionary; give a value of that kind'),
        ("topics: {1: {}}", "must be a valid string"),
        ("topics: {a: [b]}", 'topics["a"] = ["b"]: must be a valid dictionary'),
        ("topics: {a: {1: 1}}", 'topics["a"][1] = 1: Keys should be strings'),
        ("topics: {a: {settings: {retention.ms: [7d]}}}", 'topics["a"].settings["retention.ms"]'),
        ("topics: {a: {settings: {retention.ms: }}}", 'topics["a"].settings["retention.ms"]'),
        (
            "topics: {settings: {settings: {retention.ms: [7d]}}}",
            'topics["settings"].settings["retention.ms"] = ["7d"]',
        ),
        ("topics: {a: {partitions: 2026-01-01}}", 'topics["a"].partitions = "2026-01-01"'),
        ("[]", "must be a valid dictionary"),
        ("defaults: {kind: classic}", "topics: is required; give it a value"),
        ("topics: {", "is not YAML of the right form"),
    ],
)
def test_a_wrong_file_is_refused_by_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DeclarationError) as refused:
        read_topics(path)
    assert str(refused.value).startswith(f"topics file {path}")
    assert message in str(refused.value)


def test_what_is_wrong_inside_a_topic_is_left_to_those_who_know_all_its_rules(
    tmp_path: Path,
) -> None:
    text = "defaults: {kind: classic}\ntopics: {a: {partitons: 1}, b: {partitions: 0, kind: c}}"
    assert read_topics(written(tmp_path, text)) == {
        "a": {"kind": "classic", "partitons": 1},
        "b": {"kind": "c", "partitions": 0},
    }


def test_a_key_that_comes_twice_in_json_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, '{"topics": {"a": {}, "a": {}}}', "topics.json")
    with pytest.raises(DeclarationError, match='"a" is there twice'):
        read_topics(path)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="can't be read: No such file"):
        read_topics(tmp_path / "nowhere.yaml")


def test_yaml_anchors_may_be_merged(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """\
topics:
  a: &a {kind: classic, partitions: 3}
  b: {<<: *a, partitions: 6}
""",
    )
    assert read_topics(path)["b"] == {"kind": "classic", "partitions": 6}


def test_the_published_schema_is_that_of_the_code() -> None:
    # After a change: `.venv/bin/inkless-pulumi topics schema > docs/topics.schema.json`.
    assert json.loads(PUBLISHED.read_text()) == json_schema()


def test_the_schema_is_printed() -> None:
    told = CliRunner().invoke(app, ["topics", "schema"])
    assert json.loads(told.output) == json_schema()


def test_an_export_says_how_to_tell_it_the_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INKLESS_CONNECTION", raising=False)
    told = CliRunner().invoke(app, ["topics", "export", "--output", str(tmp_path / "topics.yaml")])
    assert isinstance(told.exception, ConnectionFailed)
    assert "pulumi stack output connection --json" in str(told.exception)
    assert not (tmp_path / "topics.yaml").exists()


def test_an_export_overwrites_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, "topics: {}")
    told = CliRunner().invoke(app, ["topics", "export", "--output", str(path)])
    assert "exists already; choose another file with --output" in str(told.exception)
    assert path.read_text() == "topics: {}"
