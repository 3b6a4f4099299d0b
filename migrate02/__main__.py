"""``python -m migrate02``."""

from migrate02.cli.main import entry

entry()
