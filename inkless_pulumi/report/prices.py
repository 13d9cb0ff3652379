"""A dated table of list prices. What it does not have has no price here: absent, rather than wrong.

`data/` has one file, which `tooling/read_prices.py` writes of a published copy of AWS's own list;
where other copies have a price too, all agree on it. `--prices` takes another file of the same
form, with one's own prices.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inkless_pulumi.core.errors import ReportError

__all__ = ["PriceTable", "RegionPrices", "list_prices", "read_prices"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RegionPrices(_Strict):
    """The prices of one region, in the table's currency."""

    as_of: str
    """The month or day of the prices."""
    source: str
    """Where they were read."""
    instance_hour: dict[str, float] = Field(default_factory=dict)
    """An EC2 machine running Linux, on demand, by type."""
    volume_gib_month: dict[str, float] = Field(default_factory=dict)
    """A GiB of an EBS volume, by its type."""
    database_hour: dict[str, float] = Field(default_factory=dict)
    """An RDS PostgreSQL instance in one zone, on demand, by class. A standby costs the same."""
    database_gib_month: dict[str, float] = Field(default_factory=dict)
    """A GiB of RDS storage in one zone, by its type. A standby has its own."""
    interface_endpoint_hour: float | None = None
    """An interface endpoint, in each zone that it is in."""
    key_month: float | None = None
    """A customer-managed KMS key."""
    secret_month: float | None = None
    """A secret in Secrets Manager."""
    zone_traffic_gib: float | None = None
    """A GiB from one zone to another: what leaves and what arrives, taken together."""


class PriceTable(_Strict):
    """Prices by region."""

    currency: str = "USD"
    hours_a_month: int = 730
    regions: dict[str, RegionPrices]


@cache
def list_prices() -> PriceTable:
    """The table of this package."""
    text = (files("inkless_pulumi.report") / "data" / "prices-aws.json").read_text("utf-8")
    return PriceTable.model_validate_json(text)


def read_prices(path: Path) -> PriceTable:
    """A table of one's own.

    Raises:
        ReportError: there is no such file, or it is no table of prices.
    """
    try:
        return PriceTable.model_validate_json(path.read_text("utf-8"))
    except OSError as error:
        raise ReportError(f"the prices can't be read: {error.strerror}: {path}") from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise ReportError(f"{path} is not a table of prices: {_places(error)}") from error


def _places(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5]
    )
