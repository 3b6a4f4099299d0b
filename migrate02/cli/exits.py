"""The exit statuses of ``migrate02``. What a signal has stopped ends with 128 and the signal's number, as in shells."""

DONE, WOULD_CHANGE, RESIDUE, REFUSED = 0, 1, 2, 3

INTERRUPTED = 130
"""Stopped with Ctrl-C."""
