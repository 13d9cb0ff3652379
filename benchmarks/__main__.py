"""Measure everything and print a table: `make bench`, or `python -m benchmarks imports`."""

import sys

from rich.console import Console
from rich.table import Table

from benchmarks import demonstration, imports, previews, reports

_PARTS = {
    "imports": imports.measure,
    "previews": previews.measure,
    "reports": reports.measure,
    "demonstration": demonstration.measure,
}


def main() -> int:
    """Run the parts named on the command line, all of them by default."""
    wanted = sys.argv[1:] or list(_PARTS)
    if not set(wanted) <= set(_PARTS):
        Console(stderr=True).print(f"no such part; there are {', '.join(_PARTS)}")
        return 2
    table = Table("what", "measured", "floor", "aim")
    console = Console()
    for name in wanted:
        console.print(f"measuring {name} …")
        for figure in _PARTS[name]():
            table.add_row(figure.what, figure.measured, figure.floor, figure.aim)
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
