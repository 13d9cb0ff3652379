"""What is particular to a resource type: its rules beyond the table, its outputs, its real part."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from inkless_pulumi.sandbox.account import Account, Ledger, Record
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.standin.checking import Failure
from inkless_pulumi.sandbox.standin.differences import Change
from inkless_pulumi.sandbox.standin.naming import NameRule

Properties = Mapping[str, Any]


class CloudError(Exception):
    """The cloud refuses what was asked of it, in its own words."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"api error {code}: {message}")


@dataclass(frozen=True)
class Site:
    """Where a plugin instance works: the account it writes to, and its provider's settings.

    `home` is where the real parts are; None: there are none, everything is only written down.
    """

    account: Account
    account_id: str
    region: str
    home: Home | None = None
    default_tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Created:
    """A new resource's id and the outputs that the cloud worked out for it."""

    id: str
    outputs: Properties


class Behaviour:
    """One resource type. A subclass overrides what its type does differently.

    The hooks that take a `Ledger` run within one transaction and must be quick; `start`, `adapt`
    and `stop` run outside of it and may wait for real parts. Inputs are plain: without secret
    marks, and known in full except in `check` and `known_at_preview`.
    """

    token: ClassVar[str]
    name_rule: ClassVar[NameRule | None] = None
    defaults: ClassVar[Mapping[str, Any]] = {}
    """Outputs of inputs that are left out, known at preview."""
    deletes_first: ClassVar[bool] = False
    """Whether a replacement deletes the old resource before it creates the new one."""

    def normalise(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The inputs as the cloud's plugin keeps them."""
        return inputs

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """Plan-time rules that no table holds."""
        yield from ()

    def known_at_preview(self, inputs: Properties, site: Site) -> Properties:
        """Computed outputs that follow from the inputs alone."""
        return {}

    def forces_replacement(self, change: Change, old: Properties, new: Properties) -> bool | None:
        """Whether a change replaces, where that depends on more than its path. None: the table's
        word stands.
        """
        return None

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """Refuse what the cloud would refuse, and work out the id and the outputs."""
        raise NotImplementedError

    def start(self, site: Site, record: Record, inputs: Properties) -> Properties:
        """Start the real part. `inputs` still has the sensitive values. Returns more outputs."""
        return {}

    def update(self, ledger: Ledger, site: Site, record: Record, inputs: Properties) -> Properties:
        """Refuse what the cloud would refuse, and return the outputs that change."""
        return {}

    def adapt(self, site: Site, old: Record, new: Record, inputs: Properties) -> Properties:
        """Bring the real part to the new inputs. Returns more outputs."""
        return {}

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """Raise `CloudError` when the cloud would refuse to delete this."""

    def stop(self, site: Site, record: Record) -> None:
        """Stop and remove the real part. Must do nothing where there is none (any more)."""

    def after_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """Strike out what was recorded along with this."""

    def still_there(self, site: Site, record: Record) -> bool:
        """Whether the real part still has the resource."""
        return True
