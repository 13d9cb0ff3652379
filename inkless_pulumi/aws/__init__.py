"""Inkless on AWS."""
