"""The account's image registry: the reference OCI registry, plain HTTP on loopback.

Images are in the home, so they outlive the process. Found on PATH (`docker-registry` as Debian
calls it, else `registry`), else installed from Debian's packages where we are root.
"""

import json
import shutil
from pathlib import Path

from inkless_pulumi.sandbox import processes
from inkless_pulumi.sandbox.home import Home, write_whole
from inkless_pulumi.sandbox.making import Progress, find_or_install

NAME = "registry"
ADDRESS = "127.0.0.1"
_START_SECONDS = 30


def find_program(progress: Progress) -> str:
    """The registry's program. Raises ToolchainError that says what to install."""
    found = shutil.which("registry")
    if found and not shutil.which("docker-registry"):
        return found
    return find_or_install(
        "docker-registry", ["docker-registry"], "for the sandbox's image registry", progress
    )


def ensure(home: Home, port: int, progress: Progress) -> None:
    """Have the registry run on this port."""
    if processes.find(home, NAME) is not None and _answers(port):
        return
    processes.stop(home, NAME)
    processes.refuse_taken_port(ADDRESS, port, "the sandbox's image registry")
    program = find_program(progress)
    configuration = home.run / "registry.yml"
    write_whole(configuration, _configuration(home.registry, port))
    home.registry.mkdir(parents=True, exist_ok=True)
    part = processes.start(home, NAME, [program, "serve", str(configuration)])
    processes.wait_until(
        lambda: _answers(port),
        part,
        home.logs / f"{NAME}.log",
        _START_SECONDS,
        "starting the sandbox's image registry",
    )


def _configuration(storage: Path, port: int) -> str:
    # JSON is YAML.
    return json.dumps(
        {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(storage)},
                "delete": {"enabled": True},
            },
            "http": {"addr": f"{ADDRESS}:{port}", "relativeurls": True},
        },
        indent=2,
    )


def _answers(port: int) -> bool:
    # Slow to import, and not needed by a plugin process that only previews.
    import httpx

    try:
        # Whatever proxy the environment names is not for this machine.
        answer = httpx.get(f"http://{ADDRESS}:{port}/v2/", timeout=1, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK


def images(home: Home, repository: str) -> int:
    """How many images a repository holds, tagged or not."""
    revisions = _repository(home, repository) / "_manifests" / "revisions" / "sha256"
    return len(list(revisions.glob("*/link"))) if revisions.is_dir() else 0


def remove_repository(home: Home, repository: str) -> None:
    """Remove a repository's images. Layers shared with others stay until the home is removed."""
    shutil.rmtree(_repository(home, repository), ignore_errors=True)


def _repository(home: Home, repository: str) -> Path:
    return home.registry / "docker" / "registry" / "v2" / "repositories" / repository
