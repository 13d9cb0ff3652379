"""Measurements of the package, each beside its floor. `make bench` runs them all."""
