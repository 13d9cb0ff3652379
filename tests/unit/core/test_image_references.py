"""Image references, versions and platforms."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.core.errors import DeclarationError
from inkless_pulumi.core.image import (
    ImageReference,
    image_problems,
    kafka_version,
    parse_reference,
    platform,
    platform_problems,
    upstream_image,
    version_problems,
)

DIGEST = f"sha256:{'0a' * 32}"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        (
            "ghcr.io/aiven/inkless:4.2.1-0.47",
            ImageReference("ghcr.io", "aiven/inkless", "4.2.1-0.47"),
        ),
        ("127.0.0.1:5000/inkless:x", ImageReference("127.0.0.1:5000", "inkless", "x")),
        ("localhost/inkless", ImageReference("localhost", "inkless")),
        ("[::1]:5000/inkless:x", ImageReference("[::1]:5000", "inkless", "x")),
        (f"r.example.com/a/b@{DIGEST}", ImageReference("r.example.com", "a/b", None, DIGEST)),
        (f"r.example.com/a:t@{DIGEST}", ImageReference("r.example.com", "a", "t", DIGEST)),
    ],
)
def test_a_reference_is_taken_apart_and_put_together(text: str, reference: ImageReference) -> None:
    assert parse_reference(text) == reference
    assert str(reference) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "inkless",
        "aiven/inkless:1",
        "ghcr.io/",
        "ghcr.io/Aiven",
        "ghcr.io/a:b:c",
        "ghcr.io/a:",
        "ghcr.io/a@sha256:12",
        "ghcr.io/a@",
        "https://ghcr.io/a",
        "ghcr.io/a b",
        "-x.io/a",
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError, match="image"):
        parse_reference(text)


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_a_declaration_error(text: str) -> None:
    with contextlib.suppress(DeclarationError):
        assert str(parse_reference(text)) == text


@pytest.mark.parametrize("tag", ["", ":latest", ":edge", ":edge-1f3a", ":4.2-latest", ":0.47"])
def test_a_tag_that_moves_is_refused(tag: str) -> None:
    (problem,) = image_problems(f"ghcr.io/aiven/inkless{tag}")
    assert problem.rule.startswith("does not pin a version")


@pytest.mark.parametrize(
    "pin", [":4.2.1-0.47", ":4.2.1-standin", f":latest@{DIGEST}", f"@{DIGEST}"]
)
def test_a_full_version_or_a_digest_is_taken(pin: str) -> None:
    assert image_problems(f"127.0.0.1:5000/inkless{pin}") == []


@pytest.mark.parametrize("version", ["4.2.1-0.47", "4.1.2-0.47"])
def test_the_released_lines_are_supported(version: str) -> None:
    assert version_problems(version) == []
    assert image_problems(upstream_image(version)) == []


@pytest.mark.parametrize("version", ["latest", "0.47", "4.2.1", "4.2.1-0.46", "5.0.0-0.1", ""])
def test_any_other_version_is_refused(version: str) -> None:
    (problem,) = version_problems(version)
    assert problem.remedy == "use one of 4.2.1-0.47, 4.1.2-0.47"


def test_the_kafka_inside_is_the_first_half() -> None:
    assert kafka_version("4.2.1-0.47") == (4, 2, 1)


def test_an_image_without_the_machines_platform_is_refused() -> None:
    offered = ["linux/amd64"]
    assert platform_problems(offered, platform("amd64"), "x.io/a:1", "architecture") == []
    (problem,) = platform_problems(offered, platform("arm64"), "x.io/a:1", "architecture")
    assert str(problem) == (
        'architecture = "linux/arm64": x.io/a:1 has no linux/arm64 image, only linux/amd64; choose '
        "machines of a platform it has, or an image for both"
    )
