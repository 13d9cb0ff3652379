"""The one exception tree of the package, and the shape of a problem in a declaration.

    InklessError
    ├── DeclarationError     what was declared is wrong; nothing was created
    ├── SecretStoreError     a secret could not be read from or written to the secret store
    ├── RegistryError        an image registry could not be reached, refused us, or lacks an image
    ├── ConnectionFailed     the cluster could not be reached (network, TLS, credentials, rights)
    ├── ClusterError         the cluster answered, and refused or failed what was asked
    ├── NotReady             a node or the cluster did not become healthy within the deadline
    ├── SandboxError         a sandbox account could not be started, used or removed
    ├── ReportError          a preview could not be made or reported
    └── ToolchainError       a program the package needs (Pulumi, a container engine) is missing

Catch `InklessError` to catch all of them. Their text is written for the person who runs
`pulumi up`: it says what is wrong, where, and what to do instead, and never holds a secret.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

_LONGEST_SHOWN_VALUE = 120
_MANY, _NAMED = 5, 10


class InklessError(Exception):
    """The root of everything this package raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a declaration.

    `path` is the argument as the user wrote it (`zones[1]`, `settings["log.dirs"]`), `value` what
    was given (None: nothing, or not to be shown), `rule` what is broken, and `remedy` what to do
    instead. Rule and remedy are clauses without a capital and without a full stop.
    """

    path: str
    value: object
    rule: str
    remedy: str

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {_shown(self.value)}"
        return f"{self.path}{shown}: {self.rule}; {self.remedy}"

    def below(self, parent: str) -> "Problem":
        """The same problem of a part, seen from the whole: `bucket` becomes `storage.bucket`."""
        joint = "" if self.path.startswith("[") else "."
        return replace(self, path=f"{parent}{joint}{self.path}")


def told(problems: Iterable[Problem]) -> list[str]:
    """Problems as a person reads them, a line each. Where many are alike but for their places, such
    as one mistake in what holds for a thousand topics, it is the first, and where others are.
    """
    alike: dict[tuple[str, str, str], list[Problem]] = defaultdict(list)
    for problem in problems:
        alike[_shown(problem.value), problem.rule, problem.remedy].append(problem)
    lines: list[str] = []
    for first, *others in alike.values():
        if len(others) < _MANY:
            lines += map(str, [first, *others])
        else:
            places = [other.path for other in others[:_NAMED]]
            more = [] if len(others) <= _NAMED else ["…"]
            lines.append(f"{first} ({len(others)} more like this: {', '.join(places + more)})")
    return lines


class DeclarationError(InklessError):
    """A declaration breaks rules that are known before anything is created.

    `subject` names what was declared (`service "orders"`), `problems` has one entry a broken rule.
    """

    def __init__(self, problems: Iterable[Problem], subject: str = "") -> None:
        self.problems = tuple(problems)
        self.subject = subject
        super().__init__(self._text())

    def _text(self) -> str:
        lines = told(self.problems)
        if len(lines) == 1:
            return f"{self.subject}: {lines[0]}" if self.subject else lines[0]
        count = f"{len(self.problems)} problems"
        heading = f"{self.subject} has {count}:" if self.subject else f"{count}:"
        return "\n".join([heading, *(f"  - {line}" for line in lines)])


class SecretStoreError(InklessError):
    """A secret could not be read from, or written to, the cloud's secret store."""


class RegistryError(InklessError):
    """An image registry could not be reached, refused the request, or lacks what was asked for."""


class ConnectionFailed(InklessError):
    """The cluster could not be reached: network, TLS, credentials or authorisation."""


class ClusterError(InklessError):
    """The cluster answered, and refused or failed what was asked of it."""


class NotReady(InklessError):
    """A node or the cluster did not become healthy before the deadline."""


class SandboxError(InklessError):
    """A sandbox account could not be started, used or removed."""


class ReportError(InklessError):
    """A preview could not be made, or what it is to be reported with can't be read."""


class ToolchainError(InklessError):
    """A program that the package needs is missing, too old, or can't be installed here."""


def raise_problems(problems: Iterable[Problem], subject: str = "") -> None:
    """Raise one `DeclarationError` for all `problems`; return when there are none."""
    found = tuple(problems)
    if found:
        raise DeclarationError(found, subject)


def _shown(value: object) -> str:
    """A value as the user would write it, cut where it is long."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN_VALUE else text[:_LONGEST_SHOWN_VALUE] + "…"
