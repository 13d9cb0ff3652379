"""The process of one machine: `python -m inkless_pulumi.sandbox.machine_process i-0123`.

At the first boot it does what the user data says (a boot that was interrupted begins anew); at
each boot it keeps the enabled services running until SIGTERM, and then shuts them down in turn.
Its output, and that of all it runs, is the machine's console. See `machine`.
"""

import os
import shlex
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from inkless_pulumi.core.errors import InklessError, SandboxError
from inkless_pulumi.sandbox import machine, processes
from inkless_pulumi.sandbox.cloud_init import parse_user_data, run_commands, write_files
from inkless_pulumi.sandbox.containers import label_of
from inkless_pulumi.sandbox.home import HOME_VARIABLE, Home
from inkless_pulumi.sandbox.systemd import SYSTEMCTL, Service, parse_requests, parse_unit

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_QUICK_START = "-XX:TieredStopAtLevel=1 -Xshare:auto"
"""A rehearsal starts more often than it is busy: the first compiler alone halves what a start
costs in processor time, of which many nodes share little."""


def say(line: str) -> None:
    """Print a line on the console, with the time as Kafka prints it."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    print(f"{stamp}.{int(now * 1000) % 1000:03d}Z machine: {line}", flush=True)  # noqa: T201


class _Machine:
    def __init__(self, home: Home, instance_id: str) -> None:
        self._home = home
        self._id = instance_id
        self._spec = machine.load(home, instance_id)
        self._directory = home.instance(instance_id)
        self._root = machine.root_directory(home, instance_id)
        self._requests = self._directory / "systemctl-requests"
        self._enabled = self._directory / "enabled"

    def run(self, power_off: threading.Event) -> None:
        """Boot, run until `power_off`, shut down."""
        self._mount_memory()
        machine.note(self._home, self._id, "running")
        environment = self._environment()
        if not self._enabled.is_file():
            say(f"first boot of {self._id}")
            self._first_boot(environment, power_off)
        if not power_off.is_set():
            self._serve(environment, power_off)
        shutil.rmtree(machine.memory_directory(self._home, self._id), ignore_errors=True)
        machine.note(self._home, self._id, "stopped")
        say("stopped")

    def _serve(self, environment: dict[str, str], power_off: threading.Event) -> None:
        services: list[Service] = []
        for name in self._enabled.read_text().split():
            unit = parse_unit(name, (self._root / "etc/systemd/system" / name).read_text())
            services.append(Service(unit, self._root, environment, say))
        for service in services:
            say(f"starting {service.unit.name}")
            service.start()
        power_off.wait()
        for service in reversed(services):
            say(f"stopping {service.unit.name}")
            service.stop()

    def _first_boot(self, environment: dict[str, str], power_off: threading.Event) -> None:
        config = parse_user_data(self._spec.user_data)
        self._requests.unlink(missing_ok=True)
        write_files(self._root, config)
        self._deliver_log()
        run_commands(self._root, config, environment, power_off, say)
        if power_off.is_set():
            return
        asked = self._requests.read_text() if self._requests.is_file() else ""
        # Only now is the first boot over: one that was interrupted before is done again.
        partial = self._enabled.with_suffix(".partial")
        partial.write_text("\n".join(parse_requests(asked)))
        partial.replace(self._enabled)

    def _deliver_log(self) -> None:
        """Let the console be the stream in the log group that the container's log would go to."""
        told = self._root / "etc/inkless/node.env"
        if not told.is_file():
            return
        pairs = (word.partition("=") for word in shlex.split(told.read_text()))
        names = {name: value for name, _, value in pairs}
        if names.get("INKLESS_LOG_GROUP"):
            group = self._home.log_group(names["INKLESS_LOG_GROUP"])
            group.mkdir(parents=True, exist_ok=True)
            stream = group / f"node-{names['INKLESS_NODE_ID']}"
            stream.unlink(missing_ok=True)
            stream.symlink_to(machine.console(self._home, self._id))

    def _mount_memory(self) -> None:
        """Give the machine an empty `/run` in memory."""
        memory = machine.memory_directory(self._home, self._id)
        shutil.rmtree(memory, ignore_errors=True)
        try:
            memory.mkdir(mode=0o700)
        except OSError as error:
            raise SandboxError(
                f"{memory} cannot be made ({error.strerror}): a machine keeps its secrets in "
                "memory, and needs a writable /dev/shm for that."
            ) from error
        run = self._root / "run"
        run.parent.mkdir(parents=True, exist_ok=True)
        run.unlink(missing_ok=True)
        run.symlink_to(memory)

    def _environment(self) -> dict[str, str]:
        """What all commands of the machine see, and nothing else."""
        settings = self._home.read_settings()
        engine = machine.container_engine(self._home)
        programs = self._directory / "bin"
        programs.mkdir(exist_ok=True)
        systemctl = programs / "systemctl"
        systemctl.write_text(SYSTEMCTL)
        systemctl.chmod(0o755)
        path = [str(programs), str(Path(sys.executable).parent), str(Path(engine.command).parent)]
        environment = {
            **engine.environment,
            "HOME": str(self._directory),
            "LANG": "C.UTF-8",
            "PATH": ":".join([*path, _SYSTEM_PATH]),
            HOME_VARIABLE: str(self._home.root),
            processes.PART_VARIABLE: self._id,
            "INKLESS_ROOT": str(self._root),
            "INKLESS_SKIP": "packages kernel",
            "INKLESS_SYSTEMCTL_REQUESTS": str(self._requests),
            "INKLESS_CONTAINER_ENGINE": engine.command,
            "INKLESS_CONTAINER_NAME": machine.container_name(self._home, self._id),
            "INKLESS_CONTAINER_LABEL": label_of(self._home.root),
            "INKLESS_LOG_DRIVER": "none",
            "INKLESS_NOFILE": "",
            "INKLESS_MEMORY_MIB": str(self._spec.memory_mib),
            "INKLESS_JVM_OPTIONS": _QUICK_START,
            "INKLESS_PULL_LOCK": str(self._home.instances / "pull.lock"),
            # The instance's role is the only source of credentials, as on a real machine.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": settings.get("aws_endpoint", ""),
            "AWS_ENDPOINT_URL": settings.get("aws_endpoint", ""),
        }
        trust = self._home.trust / "database-ca.pem"
        if trust.is_file():
            environment["INKLESS_DATABASE_TRUST"] = str(trust)
        return environment


def main() -> int:
    """Run the machine named on the command line, in the home of the environment."""
    home = Home.from_environment()
    if home is None or len(sys.argv) != 2:
        say(f"usage: {HOME_VARIABLE}=<home> python -m {__spec__.name} <instance id>")
        return 2
    power_off = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: power_off.set())
    try:
        _Machine(home, sys.argv[1]).run(power_off)
    except InklessError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
