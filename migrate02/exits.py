"""The exit statuses of ``migrate02``."""

DONE, WOULD_CHANGE, RESIDUE, REFUSED = 0, 1, 2, 3
