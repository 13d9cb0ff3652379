"""Requests of many callers, gathered into few."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.provider.kafka.gathering import Line


class Server:
    """Answers a question with itself, doubled; the first request waits until it is let go."""

    def __init__(self) -> None:
        self.requests: list[dict[str, int]] = []
        self.arrived = threading.Event()
        self.go_on = threading.Event()

    def send(self, questions: Mapping[str, int]) -> Mapping[str, int]:
        self.requests.append(dict(questions))
        if len(self.requests) == 1:
            self.arrived.set()
            assert self.go_on.wait(20)
        if "wrong" in questions:
            raise ClusterError("wrong is wrong")
        return {name: 2 * number for name, number in questions.items() if name != "nothing"}


@pytest.fixture
def server() -> Server:
    return Server()


def lined_up(line: Line[str, int, int], number: int) -> None:
    """Wait until so many calls have lined up."""
    while len(line._waiting) < number:
        threading.Event().wait(0.001)


def gathered(server: Server, *calls: dict[str, int]) -> list[dict[str, int] | str]:
    """Answers to calls that line up, in this order, while a first request is on its way."""
    line: Line[str, int, int] = Line()

    def ask(questions: dict[str, int]) -> dict[str, int] | str:
        try:
            return line.ask(questions, server.send)
        except ClusterError as error:
            return str(error)

    with ThreadPoolExecutor(len(calls) + 1) as threads:
        first = threads.submit(ask, {"first": 1})
        assert server.arrived.wait(20)
        answers = []
        for number, call in enumerate(calls, 1):
            answers.append(threads.submit(ask, call))
            lined_up(line, number)
        server.go_on.set()
        assert first.result(20) == {"first": 2}
        return [answer.result(20) for answer in answers]


def test_whoever_comes_while_a_request_is_on_its_way_shares_the_next(server: Server) -> None:
    calls = [{"a": 1}, {"b": 2, "c": 3}, {"d": 4}]
    assert gathered(server, *calls) == [{"a": 2}, {"b": 4, "c": 6}, {"d": 8}]
    assert server.requests == [{"first": 1}, {"a": 1, "b": 2, "c": 3, "d": 4}]


def test_two_questions_about_the_same_go_into_separate_requests(server: Server) -> None:
    assert gathered(server, {"a": 1}, {"a": 5}, {"b": 1}) == [{"a": 2}, {"a": 10}, {"b": 2}]
    assert server.requests[1:] == [{"a": 1}, {"a": 5, "b": 1}]


def test_an_error_reaches_those_alone_who_caused_it(server: Server) -> None:
    assert gathered(server, {"a": 1}, {"wrong": 1}, {"b": 1}) == [
        {"a": 2},
        "wrong is wrong",
        {"b": 2},
    ]


def test_a_question_without_an_answer_gets_none(server: Server) -> None:
    assert gathered(server, {"nothing": 1, "a": 1}) == [{"a": 2}]


def test_a_caller_alone_is_served_at_once(server: Server) -> None:
    server.go_on.set()
    line: Line[str, int, int] = Line()
    assert line.ask({"a": 1}, server.send) == {"a": 2}
    assert line.ask({"a": 2}, server.send) == {"a": 4}


def test_a_caller_alone_never_waits_for_company(server: Server) -> None:
    server.go_on.set()
    waits: list[threading.Condition] = []
    line: Line[str, int, int] = Line(waits.append)
    for number in range(3):
        assert line.ask({"a": number}, server.send) == {"a": 2 * number}
    assert waits == []


def test_who_comes_a_moment_after_several_goes_with_them(server: Server) -> None:
    waiting, last_is_there = threading.Event(), threading.Event()

    def wait(changed: threading.Condition) -> None:
        waiting.set()
        changed.wait_for(last_is_there.is_set, 20)

    line: Line[str, int, int] = Line(wait)

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(line.ask, {"first": 1}, server.send)
        assert server.arrived.wait(20)
        several = [threads.submit(line.ask, {name: 1}, server.send) for name in "ab"]
        lined_up(line, 2)
        server.go_on.set()
        assert first.result(20) == {"first": 2}
        assert waiting.wait(20)
        late = threads.submit(line.ask, {"c": 1}, server.send)
        lined_up(line, 3)
        with line._changed:
            last_is_there.set()
            line._changed.notify_all()
        assert late.result(20) == {"c": 2}
        assert [one.result(20) for one in several] == [{"a": 2}, {"b": 2}]
    assert server.requests[1:] == [{"a": 1, "b": 1, "c": 1}]


def test_an_error_of_the_line_is_everybodys(server: Server) -> None:
    line: Line[str, int, int] = Line()

    def broken(questions: Mapping[str, int]) -> Mapping[str, int]:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        line.ask({"a": 1}, broken)
    server.go_on.set()
    assert line.ask({"a": 1}, server.send) == {"a": 2}
