"""Stand-in cloud plugins: they speak Pulumi's provider protocol and record instead of calling.

`servicer` answers the engine for any cloud, by a table of resource types (`table`): it checks
inputs (`checking`), names what has no name (`naming`) and decides between replacement and update
(`differences`). What a type computes, and the real part behind it if it has one, is told by its
`Behaviour` (`behaviour`), a module a concern in the cloud's own package (`aws`).

A gap fails: a type, property or function that is not known here is refused by name.
"""
