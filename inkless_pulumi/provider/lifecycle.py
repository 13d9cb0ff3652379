"""Pulumi's resource operations, carried out by the resources of the package.

This is the one place that knows about unknowns, secrets and state: a resource's own methods see
validated models only. State is inputs and outputs side by side, but for inputs that are not
repeated there: the server takes those from the recorded inputs. Methods run in a bounded pool of
threads, so that a resource that waits does not hold up the others.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from pulumi.provider.experimental import provider as rpc
from pulumi.provider.experimental.property_value import PropertyValue
from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from inkless_pulumi.core.errors import (
    DeclarationError,
    InklessError,
    Problem,
    raise_problems,
    told,
)
from inkless_pulumi.provider.difference import difference
from inkless_pulumi.provider.resource import Context, Created, Incomplete, Resource, WireModel
from inkless_pulumi.provider.validation import Validated, comparable, lenient, to_plain, validate
from inkless_pulumi.provider.wire import UNKNOWN, plain, wire

__all__ = ["InitializationFailed", "InklessProvider", "StateError", "UserLog"]

_MOST_OPERATIONS_AT_ONCE = 32

AnyResource = Resource[Any, Any]
Properties = dict[str, PropertyValue]
T = TypeVar("T")


class UserLog(Protocol):
    """How an operation talks to the person in front of the screen."""

    def progress(self, urn: str, line: str) -> None:
        """Show a line on the resource's row, in place of the one before."""

    def warn(self, urn: str, line: str) -> None:
        """Show a line that stays."""


class StateError(InklessError):
    """The recorded state of a resource can't be understood by this version of the package."""


class InitializationFailed(Exception):
    """The resource exists but is incomplete: what to record, and why."""

    def __init__(
        self, resource_id: str, state: Properties, inputs: Properties, reason: str
    ) -> None:
        super().__init__(reason)
        self.resource_id = resource_id
        self.state = state
        self.inputs = inputs
        self.reason = reason


class InklessProvider(rpc.Provider):
    """Finds the resource of a request and runs its operation."""

    def __init__(
        self,
        resource_named: Callable[[str], AnyResource],
        log: UserLog,
        schema: Callable[[], str],
        begin_program: Callable[[], None] = lambda: None,
    ) -> None:
        self._resource_named = resource_named
        self._log = log
        self._schema = schema
        self._begin_program = begin_program
        self._cancelled = threading.Event()
        self._threads = ThreadPoolExecutor(_MOST_OPERATIONS_AT_ONCE, thread_name_prefix="operation")

    # Of the package

    async def get_schema(self, request: rpc.GetSchemaRequest) -> rpc.GetSchemaResponse:
        """Print the package's schema."""
        return rpc.GetSchemaResponse(self._schema())

    async def check_config(self, request: rpc.CheckRequest) -> rpc.CheckResponse:
        """Accept any configuration. The engine asks when a program declares its first resource."""
        self._begin_program()
        return rpc.CheckResponse(inputs=request.new_inputs)

    async def configure(self, request: rpc.ConfigureRequest) -> rpc.ConfigureResponse:
        """Tell the engine what it may send: secrets marked as such, and unknowns at preview."""
        return rpc.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def cancel(self) -> None:
        """Interrupt what runs; each operation stops at its next pause."""
        self._cancelled.set()

    def unrepeated(self, urn: str) -> frozenset[str]:
        """The wire's names of the inputs that the state of this resource does not repeat."""
        return frozenset(map(to_camel, self._find(urn).inputs.unrepeated()))

    # Of a resource, before anything happens

    async def check(self, request: rpc.CheckRequest) -> rpc.CheckResponse:
        """Validate inputs and fill in defaults."""
        resource = self._find(request.urn)
        checked = await self._run(_checked, resource, request.old_inputs, request.new_inputs)
        # The property of a failure stays empty: the problem's text names the path and, unless it is
        # a secret, the value, where the engine would print either wrongly for nested paths.
        failures = [rpc.CheckFailure("", line) for line in told(checked.problems)]
        if not failures:
            old = lenient(resource.inputs, _plain(request.old_inputs))
            for line in resource.warnings(checked.known, old if request.old_inputs else None):
                self._log.warn(request.urn, line)
        return rpc.CheckResponse(_marked(checked.properties, request.new_inputs), failures)

    async def diff(self, request: rpc.DiffRequest) -> rpc.DiffResponse:
        """Compare what is recorded with what is wanted."""
        resource = self._find(request.urn)
        names = _wire_names(resource.inputs)
        old = {name: value for name, value in _plain(request.old_state).items() if name in names}
        new = _plain(request.new_inputs)
        outputs = _outputs(resource, request.old_state)
        known = validate(resource.inputs, new).known
        raise_problems(resource.change_problems(known, lenient(resource.inputs, old)))
        stale = resource.stale(known, outputs) if outputs else ()
        replacing = {to_camel(name) for name in resource.replace_on}
        return difference(
            comparable(resource.inputs, old),
            comparable(resource.inputs, new),
            replaces=replacing.__contains__,
            stale=[to_camel(name) for name in stale],
            delete_before_replace=resource.delete_before_replace,
            stables=[to_camel(name) for name in sorted(resource.stable_outputs)],
        )

    # Of a resource, for real

    async def create(self, request: rpc.CreateRequest) -> rpc.CreateResponse:
        """Make a resource, or tell at preview what is known about it."""
        resource = self._find(request.urn)
        if request.preview:
            state = await self._run(_previewed, resource, request.properties, None)
            return rpc.CreateResponse("", state)
        inputs = _inputs(resource, request.properties)
        context = self._context(request.urn, request.timeout)
        try:
            created: Created[Any] = await self._run(resource.create, inputs, context)
        except Incomplete as incomplete:
            raise _initialization_failed(resource, request.properties, incomplete) from incomplete
        state = _state(resource, request.properties, created.outputs)
        return rpc.CreateResponse(created.id, state)

    async def read(self, request: rpc.ReadRequest) -> rpc.ReadResponse:
        """Look at the real thing, for a refresh, an import or a look-up."""
        resource = self._find(request.urn)
        recorded = {**request.properties, **request.inputs}
        known = validate(resource.inputs, _plain(request.inputs)) if request.inputs else None
        # State that this version does not understand is read anew, as an import is.
        inputs = _inputs(resource, request.inputs) if known and not known.problems else None
        outputs = _outputs(resource, request.properties) if inputs else None
        context = self._context(request.urn, 0)
        found = await self._run(resource.read, request.resource_id, inputs, outputs, context)
        if found is None:
            return rpc.ReadResponse("")
        real_inputs, real_outputs = found
        real = _marked(to_plain(real_inputs), recorded)
        resource_id = resource.canonical_id(request.resource_id, real_outputs)
        return rpc.ReadResponse(resource_id, _state(resource, real, real_outputs), real)

    async def update(self, request: rpc.UpdateRequest) -> rpc.UpdateResponse:
        """Change a resource, or tell at preview what will be known about it."""
        resource = self._find(request.urn)
        old_outputs = _outputs(resource, request.olds)
        if request.preview:
            state = await self._run(_previewed, resource, request.news, old_outputs)
            return rpc.UpdateResponse(state)
        if old_outputs is None:
            raise _not_understood(resource)
        context = self._context(request.urn, request.timeout)
        old_inputs, inputs = _old_inputs(resource, request.olds), _inputs(resource, request.news)
        arguments = (request.resource_id, old_inputs, old_outputs, inputs, context)
        try:
            outputs = await self._run(resource.update, *arguments)
        except Incomplete as incomplete:
            raise _initialization_failed(resource, request.news, incomplete) from incomplete
        return rpc.UpdateResponse(_state(resource, request.news, outputs))

    async def delete(self, request: rpc.DeleteRequest) -> None:
        """Remove a resource."""
        resource = self._find(request.urn)
        inputs = _old_inputs(resource, request.properties)
        outputs = _outputs(resource, request.properties)
        if outputs is None:
            raise _not_understood(resource)
        context = self._context(request.urn, request.timeout)
        await self._run(resource.delete, request.resource_id, inputs, outputs, context)

    # Within

    def _find(self, urn: str) -> AnyResource:
        return self._resource_named(_urn_parts(urn)[0])

    def _context(self, urn: str, timeout: float) -> Context:
        return Context(
            name=_urn_parts(urn)[1],
            urn=urn,
            progress=lambda line: self._log.progress(urn, line),
            warn=lambda line: self._log.warn(urn, line),
            timeout=timeout or None,
            cancelled=self._cancelled,
        )

    async def _run(self, operation: Callable[..., T], *arguments: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: operation(*arguments))


def _urn_parts(urn: str) -> tuple[str, str]:
    """The type and the name in `urn:pulumi:stack::project::parent$type::name`."""
    _, _, qualified_type, name = urn.split("::", 3)
    return qualified_type.rpartition("$")[2], name


def _plain(properties: Mapping[str, PropertyValue]) -> dict[str, object]:
    return {name: plain(value) for name, value in properties.items()}


def _wire_names(model: type[WireModel]) -> frozenset[str]:
    return frozenset(to_camel(name) for name in model.model_fields)


def _checked(resource: AnyResource, olds: Properties, news: Properties) -> Validated:
    """Inputs with defaults and everything that is wrong with them."""
    secrets = [name for name, value in news.items() if value.contains_secret()]
    validated = validate(resource.inputs, _plain(news), secrets)
    missing = {
        to_camel(name): value
        for name, value in resource.defaults(validated.known).items()
        if validated.known.get(name) is None and to_camel(name) not in validated.properties
    }
    if missing and not validated.problems:
        validated = validate(resource.inputs, {**validated.properties, **missing}, secrets)
    old = lenient(resource.inputs, _plain(olds)) if olds else None
    problems = tuple(_all_problems(resource, validated, old))
    return Validated(validated.known, validated.properties, problems)


def _all_problems(
    resource: AnyResource, validated: Validated, old: Mapping[str, object] | None
) -> Iterable[Problem]:
    """What is wrong with inputs by their form, by the resource's rules, and as a change."""
    known, found = validated.known, list(validated.problems)
    try:
        found += resource.check(known, old)
    except DeclarationError as wrong:
        return [*found, *wrong.problems]
    if found and old is not None:
        # A change is judged by what is recorded, which only `diff` knows. What was declared last
        # is compared here beside other problems, so that a user sees all of them at once.
        found += resource.change_problems(known, old)
    return found


def _marked(values: Mapping[str, object], like: Mapping[str, PropertyValue]) -> Properties:
    """Plain values as properties, secret where the property of that name was, or had, a secret."""
    marked = {}
    for name, value in values.items():
        given = like.get(name)
        if given is not None and plain(given) == value:
            marked[name] = given  # as it came, with the marks inside it
        else:
            marked[name] = wire(value, secret=given is not None and given.contains_secret())
    return marked


def _state(resource: AnyResource, inputs: Properties, outputs: WireModel) -> Properties:
    secrets = {to_camel(name) for name in resource.secret_outputs}
    answered = to_plain(outputs).items()
    told = {name: wire(value, secret=name in secrets) for name, value in answered}
    return {**_repeated(resource, inputs), **told}


def _repeated(resource: AnyResource, inputs: Properties) -> Properties:
    unrepeated = set(map(to_camel, resource.inputs.unrepeated()))
    return {name: value for name, value in inputs.items() if name not in unrepeated}


def _previewed(resource: AnyResource, inputs: Properties, prior: WireModel | None) -> Properties:
    """State as far as it is certain before the operation ran."""
    known = validate(resource.inputs, _plain(inputs)).known
    certain = resource.preview(known, prior)
    outputs = {
        to_camel(name): wire(certain.get(name, UNKNOWN), secret=name in resource.secret_outputs)
        for name in resource.outputs.model_fields
    }
    return {**_repeated(resource, inputs), **outputs}


def _inputs(resource: AnyResource, properties: Properties) -> Any:
    checked = validate(resource.inputs, _plain(properties))
    if checked.problems:
        raise DeclarationError(checked.problems)
    return resource.inputs.model_validate(checked.properties)


def _old_inputs(resource: AnyResource, state: Properties) -> Any:
    names = _wire_names(resource.inputs)
    given = {name: value for name, value in _plain(state).items() if name in names}
    try:
        return resource.inputs.model_validate(given)
    except ValidationError as invalid:
        raise _not_understood(resource) from invalid


def _outputs(resource: AnyResource, state: Properties) -> Any | None:
    """Outputs in a state; None when they are incomplete or of another version."""
    names = _wire_names(resource.outputs)
    given = {name: value for name, value in _plain(state).items() if name in names}
    try:
        return resource.outputs.model_validate(given)
    except ValidationError:
        return None


def _not_understood(resource: AnyResource) -> StateError:
    return StateError(
        f"The recorded state of this {resource.token} was written by another version of the "
        "package, or by hand. Run `pulumi refresh` to read it anew; where that does not help, go "
        "back to the version that wrote it."
    )


def _initialization_failed(
    resource: AnyResource, inputs: Properties, incomplete: Incomplete[Any]
) -> InitializationFailed:
    if incomplete.inputs is not None:
        inputs = _marked(to_plain(incomplete.inputs), inputs)
    state = _state(resource, inputs, incomplete.outputs)
    return InitializationFailed(incomplete.id, state, inputs, str(incomplete))
