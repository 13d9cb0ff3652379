"""Loopback twins: the address of this machine that stands for an address of the emulated network.

`10.42.1.10` becomes `127.42.1.10`. Where that is taken by another interface of the account, its
second octet is counted up until it is free. The twin is what a network interface answers as its
`privateIp`, so everything downstream (node addresses, certificates) follows by itself.
"""

from inkless_pulumi.sandbox import processes
from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.standin.behaviour import CloudError

_NETWORK_INTERFACE = "aws:ec2/networkInterface:NetworkInterface"
_DATABASE = "aws:rds/instance:Instance"
_DATABASE_SECOND_OCTET = 254
_DATABASE_ADDRESSES = 1000
_RESERVED_SECOND_OCTETS = frozenset((0, _DATABASE_SECOND_OCTET))
"""127.0.x.x is where this machine's own services are, 127.254.x.x where our databases are."""


def twin(ledger: Ledger, address: str) -> str:
    """A free loopback address for a wanted address."""
    _, second, third, fourth = address.split(".")
    # Besides this account's own, those of another sandbox on the same machine are taken.
    taken = {record.outputs.get("privateIp") for record in ledger.find(_NETWORK_INTERFACE)}
    taken |= processes.listening_addresses()
    for step in range(256):
        octet = (int(second) + step) % 256
        candidate = f"127.{octet}.{third}.{fourth}"
        if octet not in _RESERVED_SECOND_OCTETS and candidate not in taken:
            return candidate
    raise CloudError("InsufficientFreeAddresses", f"no loopback address is left for {address}")


def database_address(ledger: Ledger) -> str:
    """A free loopback address for a database server."""
    taken = {record.outputs.get("address") for record in ledger.find(_DATABASE)}
    taken |= processes.listening_addresses()
    for number in range(_DATABASE_ADDRESSES):
        third, fourth = divmod(number, 250)
        candidate = f"127.{_DATABASE_SECOND_OCTET}.{third}.{fourth + 2}"
        if candidate not in taken:
            return candidate
    raise CloudError("InsufficientFreeAddresses", "no loopback address is left for a database")


def asked_address(interface: Record) -> str:
    """The address of the emulated network that an interface has, recorded in its DNS name."""
    name: str = interface.outputs["privateDnsName"]
    return name.partition(".")[0].removeprefix("ip-").replace("-", ".")
