"""The demonstration: the quick-start deployed into a sandbox on the real engine, used, and removed.

What it does, in order: start the sandbox, `pulumi up`, produce and consume over SASL_SSL, a second
preview and a refresh that must find nothing to change, `pulumi destroy`, remove the sandbox. A
demonstration that was interrupted is removed by the next one before that one starts.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox import lifecycle
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.making import default_cache
from inkless_pulumi.sandbox.project import write_project
from inkless_pulumi.sandbox.pulumi_stack import PulumiStack
from inkless_pulumi.sandbox.record_check import client_of, produce_and_consume
from inkless_pulumi.sandbox.toolchain import find_or_make_engine

__all__ = ["Result", "demo_home", "narrator", "remove", "run"]

RECORDS = 1000
_STACK = "sandbox"
_STARTED, _KEPT = "started", "kept"


@dataclass(frozen=True)
class Result:
    """What was measured; `line` is how the demonstration ends."""

    image: str
    nodes: int
    produced: int
    consumed: int
    second_preview_changes: int
    diskless: str
    seconds: float
    seconds_to_first_record: float

    @property
    def line(self) -> str:
        """The one line that sums it up."""
        return (
            f"demo: image={self.image} nodes={self.nodes} produced={self.produced} "
            f"consumed={self.consumed} second_preview_changes={self.second_preview_changes} "
            f"diskless={self.diskless} seconds={self.seconds:.0f}"
        )


def demo_home(checkout: Path) -> Home:
    """Where the demonstration keeps its sandbox: below the checkout."""
    return Home.from_environment() or Home.at(checkout / ".inkless-sandbox")


def remove(home: Home, console: Console) -> None:
    """Remove the demonstration's sandbox, whatever state it is in."""
    lifecycle.down(home, narrator(console))


def run(
    checkout: Path,
    home: Home,
    console: Console,
    *,
    keep: bool = False,
    image: str | None = None,
) -> Result:
    """Run the demonstration; `keep` leaves the service running.

    Raises:
        InklessError: a step failed; the message says which. Nothing is left running then, unless
            `keep` asks for it; what a killed run leaves is removed by the next.
    """
    try:
        return _demonstrate(checkout, home, console, keep=keep, image=image)
    except BaseException:
        if not keep:
            _leave_nothing(home, console)
        raise


def _demonstrate(
    checkout: Path, home: Home, console: Console, *, keep: bool, image: str | None
) -> Result:
    began = time.monotonic()
    narrate = narrator(console)
    toolchain = find_or_make_engine(default_cache(), narrate)
    _clear_interrupted(home, narrate)
    _note(home, _STARTED)
    sandbox = lifecycle.up(home, image=image, progress=narrate)
    stack = _stack(checkout, home, toolchain.environment())
    console.rule("pulumi up")
    stack.up(console)
    outputs = stack.outputs()
    console.rule("records")
    checks = list(_check_records(home, outputs, sandbox.diskless, narrate))
    nodes = checks[0].brokers
    to_first_record = checks[0].first_record_at - began
    _describe(home, outputs, console)
    console.rule("pulumi preview, pulumi refresh")
    changes = stack.preview_changes()
    narrate(f"A second preview finds {changes} changes.")
    drift = stack.refresh_changes()
    narrate(f"A refresh finds {drift} changes.")
    if changes or drift:
        raise SandboxError(
            f"A deployed quick-start must be stable, but a second preview has {changes} changes "
            f"and a refresh {drift}. `pulumi preview --diff` tells which, run in the environment "
            f"that `inkless-pulumi sandbox env` prints; the program is in {stack.directory}."
        )
    if keep:
        _note(home, _KEPT)
    else:
        _tear_down(stack, home, console)
    produced = min(check.produced for check in checks)
    consumed = min(check.consumed for check in checks)
    return Result(
        image=sandbox.image,
        nodes=nodes,
        produced=produced,
        consumed=consumed,
        second_preview_changes=changes + drift,
        diskless="yes" if sandbox.diskless else f"no: {sandbox.diskless_reason}",
        seconds=time.monotonic() - began,
        seconds_to_first_record=to_first_record,
    )


def _leave_nothing(home: Home, console: Console) -> None:
    """Remove what a failed demonstration started; its logs are kept for who looks for the cause."""
    logs = default_cache() / "demo-logs"
    if home.logs.is_dir():
        shutil.rmtree(logs, ignore_errors=True)
        shutil.copytree(home.logs, logs, ignore_dangling_symlinks=True)
        console.print(f"It failed. Removing what was started; its logs are in {logs}")
    remove(home, console)


def _stack(checkout: Path, home: Home, toolchain: dict[str, str]) -> PulumiStack:
    """The quick-start as a project in the sandbox's home, so that the checkout stays untouched."""
    directory = home.root / "quickstart"
    write_project(directory, checkout / "examples" / "aws-quickstart")
    environment = {**os.environ, **toolchain}
    environment |= lifecycle.environment(home, path=toolchain["PATH"])
    environment |= {
        "PULUMI_HOME": str(directory / "engine"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    stack = PulumiStack(directory, _STACK, environment)
    stack.create(lifecycle.stack_config(home))
    return stack


def _check_records(
    home: Home, outputs: dict[str, Any], diskless: bool, narrate: Callable[[str], None]
) -> Iterable[Any]:
    client = client_of(home, outputs)
    for topic in ["orders", *(["events"] if diskless else [])]:
        check = produce_and_consume(client, topic, RECORDS)
        narrate(
            f"Topic {topic}: {check.produced} records produced, {check.consumed} consumed, "
            f"over SASL_SSL with {client.mechanism}."
        )
        yield check


def _tear_down(stack: PulumiStack, home: Home, console: Console) -> None:
    """As a user would: switch the protection off in an `up` of its own, then destroy."""
    console.rule("pulumi up (deletion protection off), pulumi destroy")
    stack.configure({"deletionProtection": "false"})
    stack.up(console)
    stack.destroy(console)
    remove(home, console)


def _clear_interrupted(home: Home, narrate: Callable[[str], None]) -> None:
    """Remove what an interrupted demonstration left; one that was kept is gone on with."""
    if _noted(home) == _STARTED:
        narrate("An earlier demonstration was interrupted: removing what it left.")
        lifecycle.down(home, narrate)


def _note(home: Home, stage: str) -> None:
    home.root.mkdir(parents=True, exist_ok=True)
    partial = home.root / f"demo.{os.getpid()}"
    partial.write_text(stage)
    partial.replace(home.root / "demo")


def _noted(home: Home) -> str | None:
    try:
        return (home.root / "demo").read_text()
    except FileNotFoundError:
        return None


def _describe(home: Home, outputs: dict[str, Any], console: Console) -> None:
    running = Table("runs", "where", title="What runs", title_justify="left")
    for part in lifecycle.status(home).parts:
        running.add_row(part.name, part.where)
    console.print(running)
    console.print("How to connect, with any Kafka client:", style="bold")
    for name in ("bootstrap_servers", "bucket", "user_secret_id"):
        console.print(f"  {name} = {outputs[name]}", soft_wrap=True, highlight=False)
    console.print(
        "  security.protocol=SASL_SSL; the CA is the output ca_certificate; user name, password "
        "and sasl.mechanism are in the secret.\n"
        "  `inkless-pulumi sandbox env` prints what `pulumi` and `aws` need to use this account."
    )


def narrator(console: Console) -> Callable[[str], None]:
    """Prints lines with the seconds since it was made."""
    began = time.monotonic()

    def narrate(line: str) -> None:
        seconds = f"{time.monotonic() - began:6.1f} s  "
        console.print(seconds + line, markup=False, highlight=False, soft_wrap=True)

    return narrate
