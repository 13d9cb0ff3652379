"""Reports of previews: what a change will do to the running service, for those who review it.

Data flows one way here too: `reading` makes a `plan` of what the engine said, the modules of the
areas (`data`, `availability`, `access`, `cost`, `protection`, `remainder`) make findings of the
plan, `assessment` makes a report of the findings, and `markdown`, `terminal` and `document` only
write it. Nothing but `running` starts a process. Resources are known by their type and their
properties on the wire, never by the components that declared them.
"""
