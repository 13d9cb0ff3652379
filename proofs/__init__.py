"""Long runs that prove a promise on real brokers: `make soak`, `make crash`.

They drive the real engine over `service/`, a service in a sandbox of its own, and look at it from
the outside: as its clients do (`load`), and as its account's owner does.
"""
