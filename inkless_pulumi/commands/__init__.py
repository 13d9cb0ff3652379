"""Groups of commands of `inkless-pulumi`, one a module."""
