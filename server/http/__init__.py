"""HTTP, below everything that serves it.

``states``, ``connection`` and ``incoming`` are one connection without I/O; ``messages`` has the types that handlers
use. ``heads``, ``chunks``, ``responses`` and ``answers`` read or write bytes of one kind each; ``bodies`` and
``limits`` decide how much of a body is read. Only ``protocol``, ``carrier``, ``serving`` and ``accept`` use sockets and
event loops. Nothing here uses keys, members or nodes.
"""
