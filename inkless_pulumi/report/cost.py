"""What the update changes of the monthly bill, as far as list prices tell.

What depends on use (requests, what is stored in the bucket, traffic) is not in a plan: it is named
with its unit price, and left out of the sum.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from inkless_pulumi.report.findings import Finding, Level, code, counted
from inkless_pulumi.report.plan import Hidden, Plan, Resource, State
from inkless_pulumi.report.prices import PriceTable, RegionPrices
from inkless_pulumi.report.quantities import money_text
from inkless_pulumi.report.topics import TopicChange

__all__ = ["Cost", "CostLine", "cost_finding", "cost_of"]

_INSTANCE: Final = "aws:ec2/instance:Instance"
_VOLUME: Final = "aws:ebs/volume:Volume"
_DATABASE: Final = "aws:rds/instance:Instance"
_ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
_KEY: Final = "aws:kms/key:Key"
_SECRET: Final = "aws:secretsmanager/secret:Secret"
_PAID: Final = {
    "aws:ec2/natGateway:NatGateway": "NAT gateway",
    "aws:ec2/eip:Eip": "public address",
    "aws:cloudwatch/dashboard:Dashboard": "dashboard",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "alarm",
}
"""What costs something as well, without a price here."""


@dataclass(frozen=True)
class _Item:
    """Something that is paid for by the month."""

    what: str
    monthly: float | None
    """None: its price is not in the table."""


@dataclass(frozen=True)
class CostLine:
    """A kind of item, and what its number changes."""

    what: str
    before: int
    after: int
    monthly: float | None
    """The difference a month; None: its price is not in the table."""


@dataclass(frozen=True)
class Cost:
    """The monthly difference."""

    region: str
    lines: tuple[CostLine, ...]
    as_of: str
    source: str
    currency: str

    @property
    def known(self) -> float:
        """The difference of what has a price."""
        return round(sum(line.monthly or 0.0 for line in self.lines), 2)

    @property
    def unpriced(self) -> tuple[CostLine, ...]:
        """What changes and has no price here."""
        return tuple(line for line in self.lines if line.monthly is None)

    @property
    def total(self) -> float | None:
        """The whole difference; None where something that changes has no price here."""
        return None if self.unpriced else self.known


def cost_of(plan: Plan, table: PriceTable) -> Cost:
    """What the update changes of the monthly bill."""
    region = _region(plan)
    prices = table.regions.get(region)
    before: Counter[_Item] = Counter()
    after: Counter[_Item] = Counter()
    for resource in plan.touched:
        for state, side in ((resource.old, before), (resource.new, after)):
            if state is not None:
                side.update(_items(resource, state, prices, table.hours_a_month))
    lines = []
    for item in sorted({*before, *after}, key=lambda item: item.what):
        old, new = before[item], after[item]
        if old != new:
            monthly = None if item.monthly is None else round((new - old) * item.monthly, 2)
            lines.append(CostLine(item.what, old, new, monthly))
    return Cost(
        region=region,
        lines=tuple(lines),
        as_of=prices.as_of if prices else "",
        source=prices.source if prices else "",
        currency=table.currency,
    )


def _region(plan: Plan) -> str:
    """The region of the stack; empty where neither its configuration nor its provider tells it."""
    if region := plan.config.get("aws:region"):
        return region
    for resource in plan.resources:
        if resource.type.startswith("aws:"):
            for state in (resource.new, resource.old):
                region = state.outputs.get("region") if state else None
                if isinstance(region, str):
                    return region
    return ""


def _items(
    resource: Resource, state: State, prices: RegionPrices | None, hours: int
) -> Iterator[_Item]:
    """What is paid for a resource by the month."""
    known = prices or RegionPrices(as_of="", source="")
    inputs, token = state.inputs, resource.type
    if token == _INSTANCE:
        yield _hourly(inputs.get("instanceType"), "machine", known.instance_hour, hours)
        root = inputs.get("rootBlockDevice")
        if isinstance(root, dict):
            yield _stored(root.get("volumeType"), root.get("volumeSize"), known)
    elif token == _VOLUME:
        yield _stored(inputs.get("type"), inputs.get("size"), known)
    elif token == _DATABASE:
        yield from _database(inputs, known, hours)
    elif token == _ENDPOINT and inputs.get("vpcEndpointType") == "Interface":
        zones = len(inputs.get("subnetIds") or ())
        price = known.interface_endpoint_hour
        monthly = None if price is None else price * hours * zones
        yield _Item(f"interface endpoint in {counted(zones, 'zone')}", monthly)
    elif token == _KEY:
        yield _Item("encryption key", known.key_month)
    elif token == _SECRET:
        yield _Item("secret", known.secret_month)
    elif token in _PAID:
        yield _Item(_PAID[token], None)


def _text(value: Any) -> str:
    return str(value) if isinstance(value, Hidden) else code(value)


def _hourly(kind: Any, word: str, prices: dict[str, float], hours: int) -> _Item:
    price = prices.get(kind) if isinstance(kind, str) else None
    return _Item(f"{word} {_text(kind)}", None if price is None else price * hours)


def _stored(kind: Any, size: Any, prices: RegionPrices) -> _Item:
    price = prices.volume_gib_month.get(kind) if isinstance(kind, str) else None
    known = price is not None and isinstance(size, int | float)
    shown = int(size) if isinstance(size, int | float) else size
    return _Item(
        f"volume {_text(kind)} of {_text(shown)} GiB", price * size if known and price else None
    )


def _database(inputs: Any, prices: RegionPrices, hours: int) -> Iterator[_Item]:
    standby = inputs.get("multiAz")
    copies = None if isinstance(standby, Hidden) else 2 if standby else 1
    words = {None: "", 1: " in one zone", 2: " with a standby"}[copies]
    instance = _hourly(inputs.get("instanceClass"), "database", prices.database_hour, hours)
    kind, size = inputs.get("storageType"), inputs.get("allocatedStorage")
    price = prices.database_gib_month.get(kind) if isinstance(kind, str) else None
    stored = price * size if price is not None and isinstance(size, int | float) else None
    shown = int(size) if isinstance(size, int | float) else size
    for what, monthly in (
        (instance.what, instance.monthly),
        (f"database storage {_text(kind)} of {_text(shown)} GiB", stored),
    ):
        yield _Item(
            f"{what}{words}", None if monthly is None or copies is None else monthly * copies
        )


# --- as a finding --------------------------------------------------------------------------------


def cost_finding(cost: Cost, table: PriceTable, topics: list[TopicChange]) -> Finding:
    """The monthly difference, which there is, in words."""
    where = code(cost.region) if cost.region else "a region that the preview does not tell"
    if cost.total is None and not any(line.monthly for line in cost.lines):
        title = f"What the monthly cost changes by is not known: no prices for {where}"
    elif cost.total is None:
        title = f"About {money_text(cost.known)} a month (estimate, {where}), not all of it priced"
    else:
        title = f"About {money_text(cost.total)} a month (estimate, {where})"
    brief = "" if cost.total in (None, 0.0) else f"about {money_text(cost.total or 0.0)} a month"
    return Finding(
        "cost",
        "cost",
        Level.NOTICE,
        title,
        details=(
            *(_line(line) for line in cost.lines),
            *_assumptions(cost),
            *_use(topics, table.regions.get(cost.region)),
        ),
        brief=brief,
    )


def _line(line: CostLine) -> str:
    money = "no price" if line.monthly is None else money_text(line.monthly)
    return f"{line.what}: {line.before} before, {line.after} after: {money}"


def _assumptions(cost: Cost) -> Iterator[str]:
    if cost.as_of:
        yield (
            f"List prices of {cost.as_of}, on demand, for a month of 730 hours, without taxes, "
            "discounts and credits"
        )
    yield (
        "Not in it, as it depends on use: requests to S3, KMS and Secrets Manager, what is stored "
        "in the bucket and in logs, traffic"
    )


def _use(topics: list[TopicChange], prices: RegionPrices | None) -> Iterator[str]:
    """What each GiB written to new classic topics costs in traffic between zones."""
    if prices is None or prices.zone_traffic_gib is None:
        return
    if any(change.old is None and change.topic.kind == "classic" for change in topics):
        yield (
            "Each GiB written to a classic topic with 3 replicas crosses zones twice: "
            f"${2 * prices.zone_traffic_gib:.2f}. A diskless topic does not replicate"
        )
