"""A cloud account emulated on this machine."""
