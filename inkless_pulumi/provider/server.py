"""The plugin process `pulumi-resource-inkless`: Pulumi's engine starts it and talks gRPC to it.

It prints the port it listens on, serves until the engine stops it, and ends by itself when the
engine is gone. Errors reach the user as the plain sentence of the exception; a traceback is logged
for `pulumi --debug` only.
"""

import argparse
import asyncio
import importlib
import importlib.metadata
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, NoReturn

# Set before gRPC is loaded: its notices would appear as the plugin's output on the user's screen.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
import grpc.aio
from google.protobuf import any_pb2
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    status_pb2,
)

from inkless_pulumi.core.errors import InklessError
from inkless_pulumi.provider.declared_services import DECLARED
from inkless_pulumi.provider.lifecycle import AnyResource, InitializationFailed, InklessProvider

__all__ = ["RESOURCES", "main", "package_version", "resource_named"]

RESOURCES: dict[str, str] = {
    "inkless:index:AccessRule": "inkless_pulumi.provider.access_rule:AccessRule",
    "inkless:index:BrokerImage": "inkless_pulumi.provider.broker_image:BrokerImage",
    "inkless:index:BrokerRegistration": (
        "inkless_pulumi.provider.broker_registration:BrokerRegistration"
    ),
    "inkless:index:Certificate": "inkless_pulumi.provider.certificates:Certificate",
    "inkless:index:CertificateAuthority": (
        "inkless_pulumi.provider.certificate_authority:CertificateAuthority"
    ),
    "inkless:index:ClassicTopic": "inkless_pulumi.provider.topics.single:ClassicTopic",
    "inkless:index:ClusterSettings": ("inkless_pulumi.provider.cluster_settings:ClusterSettings"),
    "inkless:index:DisklessTopic": "inkless_pulumi.provider.topics.single:DisklessTopic",
    "inkless:index:FeatureLevel": "inkless_pulumi.provider.feature_level:FeatureLevel",
    "inkless:index:MachineImage": "inkless_pulumi.provider.machine_image:MachineImage",
    "inkless:index:NodeReady": "inkless_pulumi.provider.node_ready:NodeReady",
    "inkless:index:NodeStop": "inkless_pulumi.provider.node_stop:NodeStop",
    "inkless:index:Password": "inkless_pulumi.provider.password:Password",
    "inkless:index:Quota": "inkless_pulumi.provider.quota:Quota",
    "inkless:index:ReplicaBalance": "inkless_pulumi.provider.replica_balance:ReplicaBalance",
    "inkless:index:RollingOrder": "inkless_pulumi.provider.rolling_order:RollingOrder",
    "inkless:index:ServiceIdentity": "inkless_pulumi.provider.service_identity:ServiceIdentity",
    "inkless:index:TopicSet": "inkless_pulumi.provider.topics.topic_set:TopicSet",
    "inkless:index:User": "inkless_pulumi.provider.user:User",
}
"""Every resource of the package by its token; a module is imported when it is first needed."""

_SECONDS_BETWEEN_LOOKS_AT_THE_ENGINE = 1.0

_HELP = """\
pulumi-resource-inkless {version}

This is the Pulumi plugin of the package inkless-pulumi. Pulumi starts it by itself when it is on
PATH; there is nothing to run here by hand. What you may want instead:

  pulumi up                  run a program that uses inkless_pulumi
  inkless-pulumi --help      the package's own command
  pulumi package get-schema {plugin}
                             print the package's schema
"""


class UnknownResourceError(InklessError):
    """A program asks for a resource that this version of the plugin lacks."""


def package_version() -> str:
    """The version of the package, which is also the plugin's and the schema's."""
    return importlib.metadata.version("inkless-pulumi")


@cache
def resource_named(token: str) -> AnyResource:
    """Load the resource of a token.

    Raises:
        UnknownResourceError: there is none; the message lists those that are.
    """
    if token not in RESOURCES:
        raise UnknownResourceError(
            f"This version of the plugin ({package_version()}) has no resource {token}; it has "
            f"{', '.join(sorted(RESOURCES))}. Program and plugin must be of one version."
        )
    module, _, name = RESOURCES[token].partition(":")
    resource: AnyResource = getattr(importlib.import_module(module), name)()
    return resource


class EngineLog:
    """Lines for the user, sent to the engine. A line that can't be delivered is dropped."""

    def __init__(self, address: str, loop: asyncio.AbstractEventLoop) -> None:
        self._engine = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(address))
        self._loop = loop

    def progress(self, urn: str, line: str) -> None:
        """Show a line on the resource's row, in place of the one before."""
        self._send(engine_pb2.INFO, urn, line, ephemeral=True)

    def warn(self, urn: str, line: str) -> None:
        """Show a warning that stays."""
        self._send(engine_pb2.WARNING, urn, line)

    def debug(self, urn: str, line: str) -> None:
        """Show a line to those who run Pulumi with `--debug`."""
        self._send(engine_pb2.DEBUG, urn, line)

    def _send(self, severity: Any, urn: str, line: str, *, ephemeral: bool = False) -> None:
        request = engine_pb2.LogRequest(
            severity=severity, message=line, urn=urn, ephemeral=ephemeral
        )
        asyncio.run_coroutine_threadsafe(self._deliver(request), self._loop)

    async def _deliver(self, request: Any) -> None:
        try:
            await self._engine.Log(request, timeout=5)
        except grpc.RpcError:
            return


class _PythonLog(logging.Handler):
    """What libraries log goes to `pulumi --debug`, not to the user's screen."""

    def __init__(self, log: EngineLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.debug("", f"{record.name}: {record.getMessage()}")


class Servicer(ProviderServicer):
    """Pulumi's gRPC service over `InklessProvider`, with errors as a user wants to read them."""

    def __init__(self, provider: InklessProvider, engine_address: str, log: EngineLog) -> None:
        super().__init__([], package_version(), provider, engine_address)
        self._inkless = provider
        self._log = log

    def completed(self, request: Any, state: Any) -> None:
        """Put the inputs into a state that it does not repeat; Pulumi's base class drops them."""
        for name in self._inkless.unrepeated(request.urn):
            # State of a version that repeated them is as good.
            if name in request.old_inputs.fields and name not in state.fields:
                state.fields[name].CopyFrom(request.old_inputs.fields[name])

    async def fail(self, context: Any, urn: str, raised: BaseException) -> NoReturn:
        """End a call with the error's own sentence."""
        # The base class wraps what an operation raised together with its traceback.
        error = raised.__context__ if type(raised) is Exception else raised
        if isinstance(error, InitializationFailed):
            await context.abort_with_status(_initialization_failed(error))
        if isinstance(error, NotImplementedError):
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
        self._log.debug(urn, "".join(traceback.format_exception(error)))
        if isinstance(error, InklessError):
            await context.abort(grpc.StatusCode.UNKNOWN, str(error))
        text = (
            f"{type(error).__name__}: {error}\nThis is a defect of inkless-pulumi "
            f"{package_version()}; `pulumi --debug` shows where it happened."
        )
        await context.abort(grpc.StatusCode.INTERNAL, text)
        raise AssertionError("abort always raises")


Rpc = Callable[[Servicer, Any, Any], Awaitable[Any]]
_STATE = {"Diff": "olds", "Update": "olds", "Delete": "properties"}
"""Where a call has the recorded state."""


def _told_plainly(name: str) -> Rpc:
    inherited: Rpc = getattr(ProviderServicer, name)

    async def call(self: Servicer, request: Any, context: Any) -> Any:
        try:
            if name in _STATE:
                self.completed(request, getattr(request, _STATE[name]))
            return await inherited(self, request, context)
        except grpc.aio.AbortError:
            raise
        except Exception as raised:
            return await self.fail(context, getattr(request, "urn", ""), raised)

    return call


for _name in ("GetSchema", "Configure", "Check", "Diff", "Create", "Read", "Update", "Delete"):
    setattr(Servicer, _name, _told_plainly(_name))


class _Status(grpc.Status):  # type: ignore[misc]
    """A gRPC status with details, as grpc.aio wants to be handed one."""

    def __init__(self, message: str, detail: Any) -> None:
        packed = any_pb2.Any()
        packed.Pack(detail)
        self.code = grpc.StatusCode.UNKNOWN
        self.details = message
        status = status_pb2.Status(
            code=grpc.StatusCode.UNKNOWN.value[0], message=message, details=[packed]
        )
        self.trailing_metadata = (("grpc-status-details-bin", status.SerializeToString()),)


def _initialization_failed(failure: InitializationFailed) -> _Status:
    detail = provider_pb2.ErrorResourceInitFailed(
        id=failure.resource_id,
        properties=PropertyValue.marshal_map(failure.state),
        inputs=PropertyValue.marshal_map(failure.inputs),
        reasons=[failure.reason],
    )
    return _Status(failure.reason, detail)


async def _serve(engine_address: str, engine_process: int) -> None:
    from inkless_pulumi.provider.schema import package_schema

    log = EngineLog(engine_address, asyncio.get_running_loop())
    logging.getLogger().addHandler(_PythonLog(log))
    provider = InklessProvider(resource_named, log, package_schema, DECLARED.begin_program)
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
    servicer = Servicer(provider, engine_address, log)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await _gone(engine_process)
    await provider.cancel()
    await server.stop(grace=None)
    # Threads may still wait for a cluster; nobody is left to hear what they find.
    os._exit(0)


async def _gone(engine_process: int) -> None:
    """Return when the process that started this one has ended, however it ended."""
    while os.getppid() == engine_process:
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS_AT_THE_ENGINE)


def main() -> None:
    """Run the plugin, or say what it is when it was started by hand."""
    parent = os.getppid()
    arguments = argparse.ArgumentParser("pulumi-resource-inkless", add_help=False)
    arguments.add_argument("engine", nargs="?")
    arguments.add_argument("--version", action="store_true")
    given, _ = arguments.parse_known_args()
    if given.version:
        sys.stdout.write(f"{package_version()}\n")
    elif given.engine is None:
        sys.stdout.write(_HELP.format(version=package_version(), plugin=sys.argv[0]))
    else:
        warnings.simplefilter("ignore")
        try:
            asyncio.run(_serve(given.engine, parent))
        except KeyboardInterrupt:
            os._exit(130)
