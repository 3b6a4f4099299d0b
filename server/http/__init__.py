"""HTTP, below all that serve it.

``states``, ``connection`` and ``incoming`` are one connection without I/O, ``messages`` what handlers see of it.
``heads``, ``chunks``, ``responses`` and ``answers`` are bytes of one kind each; ``bodies`` and ``limits`` say how much
of them is read. Only ``protocol``, ``carrier``, ``serving`` and ``accept`` know sockets and
loops. Nothing here knows of keys, members or nodes.
"""
