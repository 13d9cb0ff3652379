"""Write the machines' and databases' list prices of every region into the package's table.

    go mod download -json github.com/cristim/ec2-instances-info@latest
    .venv/bin/python tooling/read_prices.py <its Dir> <its version>

The module carries AWS's own price list as ec2instances.info publishes it; its version is its date.
What the table has already of another source must agree with it, or nothing is written.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent.parent / "inkless_pulumi" / "report" / "data" / "prices-aws.json"
SIZES = r"(micro|small|medium|large|xlarge|2xlarge|4xlarge)"
MACHINES = re.compile(rf"(t3|t4g|m6g|m6i|m7g|m7i|m8g|c6g|c6i|c7g|c7i|r7g|r7i)\.{SIZES}")
"""What brokers and controllers run on: no local disks, no accelerators."""
REGION = re.compile(r"[a-z]{2}(-gov)?-[a-z]+-\d")
"""A region, and none of its local zones."""
DATABASES = re.compile(rf"db\.(t3|t4g|m6g|m6i|m7g|m7i|r6g|r7g)\.{SIZES}")


def prices(file: Path, types: re.Pattern[str], engine: str) -> Iterator[tuple[str, str, float]]:
    """Region, type and price an hour on demand, of those that have one."""
    for told in json.loads(file.read_text()):
        if types.fullmatch(told["instance_type"]):
            for region, offers in told["pricing"].items():
                price = float(offers.get(engine, {}).get("ondemand") or 0)
                if price and REGION.fullmatch(region):
                    yield region, told["instance_type"], price


def main(directory: Path, version: str) -> None:
    """Merge the module's prices into the table."""
    day = re.search(r"(\d{4})(\d\d)(\d\d)\d{6}", version)
    if day is None:
        sys.exit(f"{version} is no version with a date")
    as_of = "-".join(day.groups())
    source = f"AWS list prices, on demand, Linux: github.com/cristim/ec2-instances-info {version}"
    table: dict[str, Any] = json.loads(TABLE.read_text())
    regions = table["regions"]
    differing = []
    for part, file, types, engine in (
        ("instance_hour", "instances.json", MACHINES, "linux"),
        ("database_hour", "rds-instances.json", DATABASES, "PostgreSQL"),
    ):
        for region, name, price in prices(directory / "data" / file, types, engine):
            found = regions.setdefault(region, {"as_of": as_of, "source": source})
            known = found.setdefault(part, {})
            if known.setdefault(name, price) != price and found["source"] != source:
                differing.append(f"{region} {name}: {known[name]} and {price}")
            if found["source"] == source:
                known[name] = price
    if differing:
        sys.exit("\n".join(["The table has other prices:", *differing]))
    for found in regions.values():
        for part in ("instance_hour", "database_hour"):
            found[part] = dict(sorted(found.get(part, {}).items()))
    table["regions"] = dict(sorted(regions.items()))
    lines = re.sub(
        r"\{[^{}]+\}", lambda prices: " ".join(prices[0].split()), json.dumps(table, indent=2)
    )
    TABLE.write_text(lines + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
