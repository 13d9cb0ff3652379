"""The warm demonstration: time to the first consumed record, and the memory of all that runs."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from benchmarks.measure import Figure, resident_mib
from inkless_pulumi.sandbox import demo
from inkless_pulumi.sandbox.home import HOME_VARIABLE, Home
from inkless_pulumi.sandbox.making import default_cache
from inkless_pulumi.sandbox.standin_image import kafka_jars

_CHECKOUT = Path(__file__).parent.parent
_STARTS = 3


def measure() -> list[Figure]:
    """Run the demonstration once to warm up and once measured, beside three bare JVM starts."""
    console = Console(quiet=True)
    with tempfile.TemporaryDirectory() as directory:
        home = Home.at(Path(directory) / "sandbox")
        try:
            demo.run(_CHECKOUT, home, console)
            with _watching(home) as watch:
                result = demo.run(_CHECKOUT, home, console)
        finally:
            demo.remove(home, console)
    floor = _three_broker_starts()
    return [
        Figure(
            "warm demo, from nothing running to the first consumed record",
            f"{result.seconds_to_first_record:.0f} s",
            f"{floor:.0f} s, three bare Kafka nodes started side by side",
            "60 s",
        ),
        Figure("memory of the plugin, peak", f"{watch.plugin:.0f} MiB", "", "200 MB"),
        Figure("memory of the whole sandbox, peak", f"{watch.sandbox:.0f} MiB", "", "4 GB"),
    ]


class _Watch:
    """Peaks of memory, sampled while something runs."""

    def __init__(self, home: Home) -> None:
        self.plugin = 0.0
        self.sandbox = 0.0
        self._home = f"{HOME_VARIABLE}={home.root}".encode()

    def sample(self) -> None:
        """Look at all processes once."""
        sandbox = 0.0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
                if self._home not in (process / "environ").read_bytes().split(b"\0"):
                    continue
                sandbox += _proportional_mib(process)
                if b"pulumi-resource-inkless" in command:
                    self.plugin = max(self.plugin, resident_mib(int(process.name)))
            except (OSError, RuntimeError):
                continue  # it has just ended
        self.sandbox = max(self.sandbox, sandbox)


def _proportional_mib(process: Path) -> float:
    """A process's memory with what it shares counted once among its sharers."""
    for line in (process / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def _watching(home: Home) -> Iterator[_Watch]:
    watch, ended = _Watch(home), threading.Event()

    def sample() -> None:
        while not ended.wait(1):
            watch.sample()

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        ended.set()
        thread.join()


def _three_broker_starts() -> float:
    """Seconds until three plain Kafka nodes, started side by side, all say that they started."""
    jars = kafka_jars(default_cache(), print)
    with tempfile.TemporaryDirectory() as directory:
        nodes = [_format(Path(directory), number, jars) for number in range(_STARTS)]
        began = time.monotonic()
        running = [_start(node, jars) for node in nodes]
        try:
            for process, node in running:
                _wait_until_started(process, node / "log")
            return time.monotonic() - began
        finally:
            for process, _ in running:
                process.kill()
                process.wait()


def _java(jars: Path, *arguments: str) -> list[str]:
    java = shutil.which("java")
    if java is None:
        raise RuntimeError("the floor needs java on PATH")
    return [java, "-Xmx256m", "-cp", f"{jars}/*", *arguments]


def _format(root: Path, number: int, jars: Path) -> Path:
    node = root / str(number)
    node.mkdir()
    broker, controller = 39092 + 10 * number, 39093 + 10 * number
    (node / "server.properties").write_text(
        f"process.roles=broker,controller\nnode.id=1\nlog.dirs={node}/data\n"
        f"controller.quorum.voters=1@127.0.0.1:{controller}\ncontroller.listener.names=CONTROLLER\n"
        f"listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}\n"
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
    )
    properties = str(node / "server.properties")
    identity = ["-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", properties]
    command = _java(jars, "kafka.tools.StorageTool", "format", *identity)
    subprocess.run(command, check=True, capture_output=True, env=_plain_environment())
    return node


def _plain_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def _start(node: Path, jars: Path) -> tuple[subprocess.Popen[bytes], Path]:
    with (node / "log").open("wb") as log:
        level = "-Dorg.slf4j.simpleLogger.defaultLogLevel=info"
        command = _java(jars, level, "kafka.Kafka", str(node / "server.properties"))
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=_plain_environment()
        )
    return process, node


def _wait_until_started(process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until its port answers; the stand-in jars bring no logging configuration to rely on."""
    import socket

    port = 39092 + 10 * int(log.parent.name)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"Kafka ended:\n{log.read_text()}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("Kafka did not start within two minutes")
