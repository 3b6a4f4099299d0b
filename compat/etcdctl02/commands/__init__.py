"""What the commands do.

Each is a function that takes a ``Call`` and returns an exit status, or None for 0; it fails by ``Stop``.
"""
