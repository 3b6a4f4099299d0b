"""HTTP, below all that serve it: messages as the handlers see them, heads, chunks, limits, connections.

Knows nothing of keys, members or nodes. Only ``serving``, ``accept`` and the protocols of connections know of sockets
and loops.
"""
