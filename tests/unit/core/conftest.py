"""Hypothesis where other work shares the processor: no example is judged by the clock."""

from hypothesis import settings

settings.register_profile("core", deadline=None, max_examples=60)
settings.load_profile("core")
