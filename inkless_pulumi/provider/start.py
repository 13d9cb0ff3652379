"""How the plugin's process starts: quickly, as the engine waits for it in every preview and update.

What is loaded stays for good. Python's collector of cycles would look through it again and again
while it is loaded, and whenever a large set of topics is taken apart.
"""

import gc

__all__ = ["main"]

_OBJECTS_BETWEEN_LOOKS = 50_000
"""New objects until the collector looks for cycles; Python's own number is 700."""


def main() -> None:
    """Load the plugin and run it."""
    gc.disable()
    from inkless_pulumi.provider.server import main as run

    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
    gc.enable()
    run()
