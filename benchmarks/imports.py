"""What importing the package costs, against importing Pulumi's SDK alone."""

from benchmarks.measure import Figure, cpu_seconds, median

_TIMES = 7


def measure() -> list[Figure]:
    """CPU seconds of each import in a fresh interpreter, the bytecode compiled before."""
    seconds = {}
    for module in ("pulumi", "inkless_pulumi", "inkless_pulumi.aws"):
        code = f"import pulumi, {module}"
        cpu_seconds(code)
        seconds[module] = median(lambda code=code: cpu_seconds(code), _TIMES)  # type: ignore[misc]
    floor = seconds["pulumi"]
    return [
        Figure(
            f"import {module}",
            f"{seconds[module]:.2f} s CPU ({seconds[module] - floor:+.2f} s)",
            f"{floor:.2f} s, import pulumi",
            aim,
        )
        for module, aim in (("inkless_pulumi", "+0.1 s"), ("inkless_pulumi.aws", "+0.3 s"))
    ]
