"""The provider protocol for any cloud: from the engine's messages to tables and behaviours."""

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from inkless_pulumi.core.errors import InklessError
from inkless_pulumi.sandbox.standin import naming
from inkless_pulumi.sandbox.standin.behaviour import CloudError, Site
from inkless_pulumi.sandbox.standin.checking import Failure, check_inputs, check_shape
from inkless_pulumi.sandbox.standin.cloud import Cloud
from inkless_pulumi.sandbox.standin.differences import Change, Kind
from inkless_pulumi.sandbox.standin.lifecycle import ResourceLifecycle
from inkless_pulumi.sandbox.standin.table import ResourceType
from inkless_pulumi.sandbox.standin.wire import Secret, decode, encode, reveal, without_nulls

_Diff = provider_pb2.PropertyDiff
_KINDS = {
    (Kind.ADDED, False): _Diff.ADD,
    (Kind.ADDED, True): _Diff.ADD_REPLACE,
    (Kind.DELETED, False): _Diff.DELETE,
    (Kind.DELETED, True): _Diff.DELETE_REPLACE,
    (Kind.UPDATED, False): _Diff.UPDATE,
    (Kind.UPDATED, True): _Diff.UPDATE_REPLACE,
}


def type_of(urn: str) -> str:
    """The resource type in a URN."""
    return urn.split("::")[2].rpartition("$")[2]


def name_of(urn: str) -> str:
    """The logical name in a URN."""
    return urn.split("::", 3)[3]


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine for one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.on_cancel: Callable[[], None] = lambda: None
        self._site: Site | None = None

    # --- the plugin itself -------------------------------------------------------------------

    def GetPluginInfo(  # noqa: N802 - the protocol's names
        self, request: empty_pb2.Empty, context: grpc.ServicerContext
    ) -> plugin_pb2.PluginInfo:
        """The version of the SDK whose resources this stands in for."""
        return plugin_pb2.PluginInfo(version=self.cloud.table.version)

    def GetSchema(  # noqa: N802
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """Refused: a stand-in has no schema of its own."""
        _refuse(
            context,
            f"this is the sandbox's stand-in for {self.cloud.title}, which has no schema: "
            f"get it from the real {self.cloud.package} plugin",
        )

    def Cancel(  # noqa: N802
        self, request: empty_pb2.Empty, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Stop soon."""
        self.on_cancel()
        return empty_pb2.Empty()

    # --- its settings ------------------------------------------------------------------------

    def CheckConfig(  # noqa: N802
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Check a provider's settings."""
        table = self.cloud.table
        config = without_nulls(decode(request.news))
        plain = _parsed_settings(config, table.provider_inputs)
        failures = []
        for name, value in plain.items():
            if name == "version":
                continue
            if name not in table.provider_inputs:
                failures.append(Failure(name, "no such provider setting"))
            else:
                failures += check_shape(table, value, table.provider_inputs[name], name)
        failures += self.cloud.check_config(plain)
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(failures))

    def DiffConfig(  # noqa: N802
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Another region replaces a provider and what it made; other settings don't."""
        old, new = decode(request.olds), decode(request.news)
        changed = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some if changed else none,
            diffs=changed,
            replaces=[key for key in changed if key == "region"],
        )

    def Configure(  # noqa: N802
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Take the settings."""
        config = without_nulls(decode(request.args))
        if not config:
            config = {key.rpartition(":")[2]: value for key, value in request.variables.items()}
        plain = _parsed_settings(config, self.cloud.table.provider_inputs)
        with _told(context, "configuring the provider"):
            self._site = self.cloud.configure(plain)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True,
            supportsPreview=True,
            acceptResources=False,
            acceptOutputs=False,
            supports_autonaming_configuration=True,
        )

    # --- functions ---------------------------------------------------------------------------

    def Invoke(  # noqa: N802
        self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        """Call a data source."""
        function = self.cloud.functions.get(request.tok)
        if function is None:
            known = ", ".join(sorted(self.cloud.functions))
            _refuse(
                context,
                f"the sandbox's stand-in for {self.cloud.title} does not know the function "
                f"{request.tok}; it knows: {known}",
            )
        arguments = without_nulls(reveal(decode(request.args)))
        with _told(context, f"invoking {request.tok}"):
            result = function(self._configured(), arguments)
        return provider_pb2.InvokeResponse(**{"return": encode(result)})

    # --- resources ---------------------------------------------------------------------------

    def Check(  # noqa: N802
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Name what has no name, and check the inputs."""
        token = type_of(request.urn)
        resource = self.cloud.table.get(token)
        behaviour = self.cloud.behaviours.get(token)
        if resource is None or behaviour is None:
            return provider_pb2.CheckResponse(failures=_failures([self._unknown_type(token)]))
        inputs = behaviour.normalise(without_nulls(decode(request.news)))
        inputs |= {
            name: Secret(inputs[name])
            for name in resource.sensitive & inputs.keys()
            if not isinstance(inputs[name], Secret)
        }
        failures = list[Failure]()
        try:
            inputs = self._named(request, resource, inputs)
        except naming.AutonamingDisabledError as error:
            failures.append(Failure("", str(error)))
        failures += check_inputs(self.cloud.table, resource, inputs)
        if not failures:
            failures += behaviour.check(reveal(inputs))
        return provider_pb2.CheckResponse(inputs=encode(inputs), failures=_failures(failures))

    def Diff(  # noqa: N802
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Say what changes, and what of it replaces the resource."""
        resource = self._resource(request.urn, context)
        changes, deletes_first = resource.diff(
            decode(request.old_inputs), decode(request.olds), decode(request.news)
        )
        return _diff_response(changes, deletes_first)

    def Create(  # noqa: N802
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        """Create, or say what is known of it before."""
        resource = self._resource(request.urn, context)
        inputs = decode(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=encode(resource.preview_create(inputs)))
        with _told(context, f"creating {request.urn}"):
            resource_id, outputs = resource.create(inputs)
        return provider_pb2.CreateResponse(id=resource_id, properties=encode(outputs))

    def Read(  # noqa: N802
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        """What the account now has: for refresh, import and `get`."""
        resource = self._resource(request.urn, context)
        with _told(context, f"reading {request.urn}"):
            found = resource.read(request.id, decode(request.inputs), decode(request.properties))
        if found is None:
            return provider_pb2.ReadResponse()
        inputs, outputs = found
        return provider_pb2.ReadResponse(
            id=request.id, inputs=encode(inputs), properties=encode(outputs)
        )

    def Update(  # noqa: N802
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        """Change in place, or say what is known of it before."""
        resource = self._resource(request.urn, context)
        old, new = decode(request.olds), decode(request.news)
        if request.preview:
            outputs = resource.preview_update(decode(request.old_inputs), old, new)
        else:
            with _told(context, f"updating {request.urn}"):
                outputs = resource.update(request.id, decode(request.old_inputs), old, new)
        return provider_pb2.UpdateResponse(properties=encode(outputs))

    def Delete(  # noqa: N802
        self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Delete; what is gone already is deleted."""
        resource = self._resource(request.urn, context)
        with _told(context, f"deleting {request.urn}"):
            resource.delete(request.id)
        return empty_pb2.Empty()

    # --- ours --------------------------------------------------------------------------------

    def _configured(self) -> Site:
        if self._site is None:
            raise CloudError("NotConfigured", "the provider has not been configured")
        return self._site

    def _resource(self, urn: str, context: grpc.ServicerContext) -> ResourceLifecycle:
        token = type_of(urn)
        resource = self.cloud.table.get(token)
        behaviour = self.cloud.behaviours.get(token)
        if resource is None or behaviour is None:
            _refuse(context, self._unknown_type(token).reason)
        with _told(context, "using the provider"):
            return ResourceLifecycle(self.cloud, self._configured(), resource, behaviour, urn)

    def _unknown_type(self, token: str) -> Failure:
        return Failure(
            "",
            f"the sandbox's stand-in for {self.cloud.title} does not know the resource type "
            f"{token}; what it cannot emulate it refuses",
        )

    def _named(
        self,
        request: provider_pb2.CheckRequest,
        resource: ResourceType,
        inputs: Mapping[str, Any],
    ) -> dict[str, Any]:
        """The inputs with a made name where the program gave none; `__defaults` tells which."""
        rule = self.cloud.behaviours[resource.token].name_rule
        named = dict(inputs)
        given = rule is None or rule.property in inputs or f"{rule.property}Prefix" in inputs
        if rule is None or given:
            named["__defaults"] = []
            return named
        olds = decode(request.olds)
        if rule.property in olds and rule.property in olds.get("__defaults", ()):
            named[rule.property] = olds[rule.property]
        else:
            options = request.autonaming if request.HasField("autonaming") else None
            named[rule.property] = naming.make_name(
                rule, name_of(request.urn), request.randomSeed, options
            )
        named["__defaults"] = [rule.property]
        return named


def _parsed_settings(config: Mapping[str, Any], shapes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as values: the SDK and the stack's configuration hold all but strings as JSON."""
    parsed = {}
    for name, value in config.items():
        plain = reveal(value)
        if isinstance(plain, str) and shapes.get(name, "string") != "string":
            with suppress(ValueError):  # left as it is, for the type check to name
                plain = json.loads(plain)
        parsed[name] = plain
    return parsed


def _failures(failures: list[Failure]) -> list[provider_pb2.CheckFailure]:
    return [
        provider_pb2.CheckFailure(property=failure.path, reason=failure.reason)
        for failure in failures
    ]


def _diff_response(changes: list[Change], deletes_first: bool) -> provider_pb2.DiffResponse:
    if not changes:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
    replaces = [change.path for change in changes if change.replaces]
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME,
        diffs=sorted({change.name for change in changes}),
        replaces=replaces,
        hasDetailedDiff=True,
        detailedDiff={
            change.path: _Diff(kind=_KINDS[change.kind, change.replaces], inputDiff=True)
            for change in changes
        },
        deleteBeforeReplace=bool(replaces) and deletes_first,
    )


def _refuse(context: grpc.ServicerContext, reason: str) -> NoReturn:
    context.abort(grpc.StatusCode.UNIMPLEMENTED, reason)
    raise AssertionError("abort raises")


@contextmanager
def _told(context: grpc.ServicerContext, doing: str) -> Iterator[None]:
    """Turns what goes wrong into the engine's error, in one clear sentence."""
    try:
        yield
    except (CloudError, InklessError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, f"{doing}: {error}")
    except Exception:
        context.abort(
            grpc.StatusCode.INTERNAL,
            f"{doing}: a defect of the stand-in:\n{traceback.format_exc()}",
        )
