"""``python -m migrate02``."""

from migrate02.cli import entry

entry()
