"""The formats of files that hold etcd's settings: text in; setups, edits, settings and findings out. Pure.

One file a format, with its reader; ``registry`` has their names and signs, ``detection`` finds out which one a text is
of.
"""
