"""One resource's life in the account: what preview knows, create, read, update, delete."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from inkless_pulumi.sandbox import processes
from inkless_pulumi.sandbox.account import Record
from inkless_pulumi.sandbox.standin.behaviour import Behaviour, CloudError, Site
from inkless_pulumi.sandbox.standin.cloud import Cloud
from inkless_pulumi.sandbox.standin.differences import Change, Kind, find_changes
from inkless_pulumi.sandbox.standin.paths import join
from inkless_pulumi.sandbox.standin.table import ResourceType
from inkless_pulumi.sandbox.standin.wire import (
    UNKNOWN,
    Secret,
    holds_secret,
    holds_unknown,
    reveal,
)

_INTERNAL = frozenset(("__defaults",))


class ResourceLifecycle:
    """A resource (by URN) of one type, in one account."""

    def __init__(
        self, cloud: Cloud, site: Site, resource: ResourceType, behaviour: Behaviour, urn: str
    ) -> None:
        self._cloud = cloud
        self._site = site
        self._resource = resource
        self._behaviour = behaviour
        self._urn = urn

    # --- preview -----------------------------------------------------------------------------

    def diff(
        self, old_inputs: Mapping[str, Any], state: Mapping[str, Any], new: Mapping[str, Any]
    ) -> tuple[list[Change], bool]:
        """The changes, and whether a replacement deletes first."""
        changes = []
        old_plain, new_plain = reveal(dict(old_inputs)), reveal(dict(new))
        for change in find_changes(self._resource, old_inputs, new):
            if change.name == "region" and self._same_region(old_plain, new_plain):
                continue
            forced = self._behaviour.forces_replacement(change, old_plain, new_plain)
            changes.append(change if forced is None else replace(change, replaces=forced))
        changes += self._inherited_tag_changes(state, new_plain, changes)
        rule = self._behaviour.name_rule
        name_is_given = (
            rule is not None
            and rule.property in new
            and rule.property not in new.get("__defaults", ())
        )
        return changes, self._behaviour.deletes_first or name_is_given

    def _same_region(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        here = self._site.region
        return bool(old.get("region", here) == new.get("region", here))

    def _inherited_tag_changes(
        self, state: Mapping[str, Any], new: Mapping[str, Any], changes: list[Change]
    ) -> list[Change]:
        """The provider's default tags may change while the resource's own stay."""
        if not self._resource.has_tags or any(change.name == "tags" for change in changes):
            return []
        old_all = reveal(state.get("tagsAll")) or {}
        new_all = self._cloud.tags_all(self._site, new.get("tags"))
        return [] if old_all == new_all else [Change("tagsAll", Kind.UPDATED)]

    def preview_create(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs as far as they are known before the create."""
        plain = reveal(dict(inputs))
        outputs = self._known(inputs)
        for name in self._resource.computed | self._resource.computed_if_unset:
            if name not in outputs:
                outputs[name] = UNKNOWN
        for pattern in self._resource.nested_computed:
            _fill_unknown(outputs, pattern)
        if not holds_unknown(plain):
            outputs |= self._behaviour.known_at_preview(plain, self._site)
        return self._with_secrets(outputs, inputs)

    def preview_update(
        self, old_inputs: Mapping[str, Any], state: Mapping[str, Any], new: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The outputs as far as they are known before the update."""
        return self._with_secrets(self._merged(old_inputs, state, new), new)

    # --- the real thing ----------------------------------------------------------------------

    def create(self, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Create it: into the books first, then its real part. Returns id and outputs."""
        if not self._site.account.persistent:
            raise CloudError(
                "SandboxNotRunning",
                "this emulated account exists for previews only; start one with "
                "`inkless-pulumi sandbox up`, or set INKLESS_SANDBOX_HOME to a folder for it",
            )
        plain = reveal(dict(inputs))
        region = plain.get("region", self._site.region)
        with self._site.account.transaction() as ledger:
            created = self._behaviour.create(ledger, self._site, plain, self._urn)
            outputs = self._known(inputs) | dict(created.outputs)
            record = self._record(created.id, region, plain, outputs, ready=False)
            ledger.put(record)
        try:
            more = self._behaviour.start(self._site, record, plain)
        except BaseException:
            self._behaviour.stop(self._site, record)
            with self._site.account.transaction() as ledger:
                ledger.remove(record.token, record.id)
                self._behaviour.after_delete(ledger, self._site, record)
            raise
        outputs |= dict(more)
        with self._site.account.transaction() as ledger:
            ledger.put(self._record(created.id, region, plain, outputs, ready=True))
        return created.id, self._with_secrets(outputs, inputs)

    def read(
        self, resource_id: str, inputs: Mapping[str, Any], state: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Inputs and outputs as the account has them now; None when it is gone."""
        with self._site.account.transaction() as ledger:
            record = ledger.get(self._resource.token, resource_id)
        if record is None or not self._behaviour.still_there(self._site, record):
            return None
        hidden = self._resource.sensitive | _INTERNAL
        found_inputs = _as_before(record.inputs, inputs, hidden)
        found_outputs = _as_before(record.outputs, state, hidden)
        if not inputs:
            found_inputs["__defaults"] = []
        return found_inputs, found_outputs

    def update(
        self,
        resource_id: str,
        old_inputs: Mapping[str, Any],
        state: Mapping[str, Any],
        new: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Change it in place. Returns the outputs."""
        plain = reveal(dict(new))
        outputs = self._merged(old_inputs, state, new)
        with self._site.account.transaction() as ledger:
            old = ledger.get(self._resource.token, resource_id)
            if old is None:
                raise CloudError("NotFound", f"{resource_id} does not exist; run `pulumi refresh`")
            outputs |= dict(self._behaviour.update(ledger, self._site, old, plain))
            record = self._record(resource_id, old.region, plain, outputs, ready=True)
            ledger.put(record)
        try:
            outputs |= dict(self._behaviour.adapt(self._site, old, record, plain))
        except BaseException:
            with self._site.account.transaction() as ledger:
                ledger.put(old)
            raise
        with self._site.account.transaction() as ledger:
            ledger.put(self._record(resource_id, old.region, plain, outputs, ready=True))
        return self._with_secrets(outputs, new)

    def delete(self, resource_id: str) -> None:
        """Delete it: its real part first, so that an interruption leaves it in the books."""
        with self._site.account.transaction() as ledger:
            record = ledger.get(self._resource.token, resource_id)
            if record is None:
                return
            self._behaviour.before_delete(ledger, self._site, record)
        self._behaviour.stop(self._site, record)
        with self._site.account.transaction() as ledger:
            ledger.remove(record.token, record.id)
            self._behaviour.after_delete(ledger, self._site, record)

    # --- ours --------------------------------------------------------------------------------

    def _known(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults, then inputs, then what the provider's own settings decide."""
        plain = {
            name: value
            for name, value in reveal(dict(inputs)).items()
            if name not in _INTERNAL | self._resource.write_only
        }
        outputs = dict(self._behaviour.defaults) | plain
        if "region" in self._resource.inputs:
            outputs.setdefault("region", self._site.region)
        if self._resource.has_tags:
            outputs["tagsAll"] = self._cloud.tags_all(self._site, plain.get("tags"))
        return outputs

    def _merged(
        self, old_inputs: Mapping[str, Any], state: Mapping[str, Any], new: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The old outputs under the new inputs. What the program no longer sets is dropped,
        unless the cloud keeps it.
        """
        dropped = set(old_inputs) - set(new) - self._resource.computed_if_unset
        kept = {name: value for name, value in reveal(dict(state)).items() if name not in dropped}
        return kept | self._known(new)

    def _record(
        self, resource_id: str, region: str, inputs: Any, outputs: Any, *, ready: bool
    ) -> Record:
        hidden = self._resource.sensitive | _INTERNAL
        return Record(
            token=self._resource.token,
            id=resource_id,
            urn=self._urn,
            region=region,
            inputs={name: value for name, value in inputs.items() if name not in hidden},
            outputs={
                name: value
                for name, value in outputs.items()
                if name not in hidden and value is not None
            },
            ready=ready,
            creator="" if ready else f"{os.getpid()}:{processes.start_time(os.getpid())}",
        )

    def _with_secrets(
        self, outputs: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The outputs, those that are sensitive or came from a secret input marked secret."""
        secret_inputs = {name for name, value in inputs.items() if holds_secret(value)}
        secret = (self._resource.sensitive | secret_inputs) - self._resource.write_only
        return {
            name: Secret(value) if name in secret and value is not None else value
            for name, value in outputs.items()
        }


def _as_before(
    recorded: Mapping[str, Any], before: Mapping[str, Any], hidden: frozenset[str]
) -> dict[str, Any]:
    """What is recorded, with the secret marks that it had before and what is never recorded."""
    found = {
        name: before[name] if name in before and reveal(before[name]) == value else value
        for name, value in recorded.items()
    }
    return found | {name: value for name, value in before.items() if name in hidden}


def _fill_unknown(value: Any, pattern: str, path: str = "") -> None:
    """Set a nested computed property to unknown in each object that leaves it out."""
    head, _, rest = pattern.partition(".")
    name = head.removesuffix("[*]")
    if not isinstance(value, dict):
        return
    if not rest:
        if path:
            value.setdefault(name, UNKNOWN)
        return
    inner = value.get(name)
    for item in inner if isinstance(inner, list) else [inner]:
        _fill_unknown(item, rest, join(path, name))
