"""Loopback twins: the address of this machine that stands for an address of the emulated network.

`10.42.1.10` becomes `127.n.1.10`, where `n` is the first second octet of the sandbox's own range.
Where that is taken by another interface of the account, `n` is counted up until it is free. The
twin is what a network interface answers as its `privateIp`, so everything downstream (node
addresses, certificates) follows by itself.
"""

from inkless_pulumi.sandbox import processes
from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.loopback_range import DATABASE_OCTET, TWIN_OCTETS, first_octet
from inkless_pulumi.sandbox.running import Sandbox
from inkless_pulumi.sandbox.standin.behaviour import CloudError

_NETWORK_INTERFACE = "aws:ec2/networkInterface:NetworkInterface"
_DATABASE = "aws:rds/instance:Instance"
_DATABASE_ADDRESSES = 1000


def twin(ledger: Ledger, home: Home, address: str) -> str:
    """A free loopback address for a wanted address."""
    _, _, third, fourth = address.split(".")
    first = first_octet(Sandbox.of(home).loopback_range)
    # Besides this account's own, those of any other program are taken.
    taken = {record.outputs.get("privateIp") for record in ledger.find(_NETWORK_INTERFACE)}
    taken |= processes.listening_addresses()
    for step in TWIN_OCTETS:
        candidate = f"127.{first + step}.{third}.{fourth}"
        if candidate not in taken:
            return candidate
    raise CloudError("InsufficientFreeAddresses", f"no loopback address is left for {address}")


def database_address(ledger: Ledger, home: Home) -> str:
    """A free loopback address for a database server."""
    second = first_octet(Sandbox.of(home).loopback_range) + DATABASE_OCTET
    taken = {record.outputs.get("address") for record in ledger.find(_DATABASE)}
    taken |= processes.listening_addresses()
    for number in range(_DATABASE_ADDRESSES):
        third, fourth = divmod(number, 250)
        candidate = f"127.{second}.{third}.{fourth + 2}"
        if candidate not in taken:
            return candidate
    raise CloudError("InsufficientFreeAddresses", "no loopback address is left for a database")


def asked_address(interface: Record) -> str:
    """The address of the emulated network that an interface has, recorded in its DNS name."""
    name: str = interface.outputs["privateDnsName"]
    return name.partition(".")[0].removeprefix("ip-").replace("-", ".")
