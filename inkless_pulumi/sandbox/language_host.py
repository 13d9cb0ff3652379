"""A language host for Pulumi's engine: lets `pulumi` run Python programs where it came without one.

A Pulumi that was built from source has none. Only used where the official one is absent: it runs
programs, and does nothing else of what the official one does (new projects, packing, debugging).

Every run is a process of its own, for a module that was imported by a preview would not be run
again by the update that follows it.
"""

import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi import RunError
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

_MESSAGE_BYTES = 400 * 1024 * 1024  # as large as the engine's own limit


class _LanguageHost(LanguageServer):
    """What the engine asks for: empty answers, and programs that are run."""

    def __init__(self) -> None:
        super().__init__(lambda: None)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's names
        return language_pb2.LanguageHandshakeResponse()

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.GetProgramDependenciesResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.RuntimeOptionsResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        return iter(())

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run the program in a new process; its output is the host's, so the engine shows it."""
        with tempfile.TemporaryFile() as answer:
            child = [_interpreter(request.info), "-P", __file__, "--run", str(answer.fileno())]
            try:
                # The interrupt that ends the host goes to its group: a program in it would tell of
                # it as of a mistake of its own.
                process = subprocess.Popen(
                    child, stdin=subprocess.PIPE, pass_fds=[answer.fileno()], process_group=0
                )
            except OSError as refusal:
                reason = f"the project's virtual environment can't be used: {refusal}"
                return language_pb2.RunResponse(error=reason)
            self._running.add(process)
            process.communicate(request.SerializeToString())
            self._running.discard(process)
            answer.seek(0)
            if self._stopped:
                return language_pb2.RunResponse(bail=True)
            if process.returncode != 0:
                error = f"the program's process ended with code {process.returncode}"
                return language_pb2.RunResponse(error=error)
            return language_pb2.RunResponse.FromString(answer.read())

    def stop(self) -> None:
        """End the programs that still run: their engine is gone, or wants no more of them."""
        self._stopped = True
        for process in tuple(self._running):
            process.terminate()


def _interpreter(program: Any) -> str:
    """Return the Python of the project's virtual environment, else the one that has this file."""
    chosen = program.options.fields["virtualenv"].string_value
    if not chosen:
        return sys.executable
    return str(Path(program.root_directory, chosen, "bin", "python"))


def _run(answer: int) -> None:
    """Run the program that a request on stdin names; write the response to file `answer`."""
    request = language_pb2.RunRequest.FromString(sys.stdin.buffer.read())
    directory = Path(request.info.program_directory or request.pwd)
    target = directory / (request.info.entry_point or request.program or ".")
    os.chdir(directory)
    sys.path[:0] = [str(target if target.is_dir() else target.parent)]
    sys.argv = [str(target), *request.args]

    def program() -> None:
        try:
            runpy.run_path(str(target), run_name="__main__")
        except RunError:
            raise
        except Exception as error:
            trace = error.__traceback__
            while trace and trace.tb_frame.f_code.co_filename.startswith((__file__, "<frozen")):
                trace = trace.tb_next  # the user's frames only
            raise RunError(
                "".join(traceback.format_exception(error.with_traceback(trace)))
            ) from error

    response = LanguageServer(program).Run(request, None)  # type: ignore[no-untyped-call]
    if response.error:  # it is in the log already: without this the engine would say it again
        response = language_pb2.RunResponse(bail=True)
    with os.fdopen(answer, "wb") as file:
        file.write(response.SerializeToString())


def _serve() -> None:
    engine, ended = os.getppid(), threading.Event()
    # The engine ends its plugins with an interrupt, and waits ten seconds for one that ignores it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    options = [
        ("grpc.max_receive_message_length", _MESSAGE_BYTES),
        ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=options)
    host = _LanguageHost()
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not ended.wait(1) and os.getppid() == engine:
        pass  # an engine that was killed tells nobody
    host.stop()
    server.stop(None)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        _run(int(sys.argv[2]))
    else:
        _serve()
