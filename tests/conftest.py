"""What all tests have in common."""

from hypothesis import HealthCheck, settings

# Other work may share the processor: no example is judged by the clock.
settings.register_profile(
    "project", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("project")
