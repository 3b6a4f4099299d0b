"""How the interpreter and the C library are set for a process with very many small, lasting objects.

Knows nothing of what they are.
"""

import ctypes
import gc

_YOUNG = 20_000
"""New objects between two collections of the young; the interpreter's own is 700, which a batch of writes exceeds."""

_FULL_COLLECTION = 10_000
"""Collections of middle-aged objects between two of all; the interpreter's own is 10."""


def collect_young_garbage() -> None:
    """Has Python's cyclic garbage collector leave what lasts alone. To be called when all is read at a start.

    Otherwise it looks at all objects, with everybody waiting, whenever they have become a quarter more: 50 ms with
    200,000 keys, growing with them, and there is nothing to find. What a request or a connection leaves behind is freed
    by its reference counts (``tests/e2e/test_garbage.py``). So what is there now is never looked at, what is young
    rarely, and everything only after very many objects more, should there be a leak after all.
    """
    gc.freeze()
    _, middle, _ = gc.get_threshold()
    gc.set_threshold(_YOUNG, middle, _FULL_COLLECTION)
    gc.enable()


def give_back_memory() -> None:
    """Returns what is free to the system; takes milliseconds. The C library alone keeps free memory that is
    before some that is in use, as of a snapshot's text nearly all does. Does nothing where it is not glibc."""
    if _malloc_trim is not None:
        _malloc_trim(0)


_malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
