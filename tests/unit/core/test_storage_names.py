"""Names of buckets, prefixes of keys, endpoints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.core.storage_names import bucket_problems, endpoint_problems, prefix_problems


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("ab", "a bucket name has 3 to 63 characters"),
        ("x" * 64, "a bucket name has 3 to 63 characters"),
        ("Orders", "a bucket name has lower-case letters, digits, dots and hyphens only"),
        ("or_ders", "a bucket name has lower-case letters, digits, dots and hyphens only"),
        ("-orders", "a bucket name begins and ends with a letter or digit"),
        ("orders-", "a bucket name begins and ends with a letter or digit"),
        ("or..ders", "a bucket name has no two dots in a row"),
        ("192.168.5.4", "a bucket name does not look like an IP address"),
        ("xn--orders", "a bucket name with this beginning is reserved"),
        ("sthree-orders", "a bucket name with this beginning is reserved"),
        ("amzn-s3-demo-orders", "a bucket name with this beginning is reserved"),
        ("orders-s3alias", "a bucket name with this ending is reserved"),
        ("orders--ol-s3", "a bucket name with this ending is reserved"),
        ("orders--x-s3", "a bucket name with this ending is reserved"),
        ("or.ders", "a name with a dot fails TLS verification of the bucket's host name"),
    ],
)
def test_a_name_that_s3_would_refuse_is_refused(name: str, rule: str) -> None:
    assert [problem.rule for problem in bucket_problems(name)] == [rule]


@given(st.from_regex(r"b[a-z0-9]{2,30}(-[a-z0-9]{1,10})?", fullmatch=True))
def test_an_ordinary_bucket_name_is_taken(name: str) -> None:
    assert bucket_problems(name) == []


@pytest.mark.parametrize("prefix", ["/a", "a/", "/", "/a/", "", "a//b", "a b", "ä", "x" * 513])
def test_a_prefix_that_breaks_keys_is_refused(prefix: str) -> None:
    assert len(prefix_problems(prefix)) == 1


@given(st.from_regex(r"[a-z0-9_.-]{1,20}(/[a-z0-9_.-]{1,20}){0,3}", fullmatch=True))
def test_an_ordinary_prefix_is_taken(prefix: str) -> None:
    assert prefix_problems(prefix) == []


@pytest.mark.parametrize(
    "endpoint", ["", " ", "127.0.0.1:9000", "ftp://x", "http://", "http://a b", "http://x:port"]
)
def test_an_endpoint_that_is_no_url_is_refused(endpoint: str) -> None:
    assert len(endpoint_problems(endpoint)) == 1


def test_credentials_in_an_endpoint_are_refused_and_not_repeated() -> None:
    (problem,) = endpoint_problems("https://key:hunter2@s3.example.com")
    assert "hunter2" not in str(problem)
    assert "has credentials in it" in problem.rule


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9000", "https://s3.example.com/path"])
def test_an_ordinary_endpoint_is_taken(endpoint: str) -> None:
    assert endpoint_problems(endpoint) == []
