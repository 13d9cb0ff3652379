"""The real local parts behind the sandbox account."""
