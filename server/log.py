"""Log lines in the form of etcd 2.3: ``2026-11-22 08:44:47.461614 I | etcdmain: text``, on standard error.

Modules log through ``logging.getLogger(__name__)``; the package name that etcd would show, and that
--log-package-levels goes by, follows from the module's. Importing this changes nothing; ``configure`` does.
"""

import logging
import sys
import time
import traceback
from typing import TextIO

from server.config import redacted
from server.printable import printable, shown

NOTICE = 25
"""The level between info and warning that etcd's logs have."""

_LETTERS = (
    (logging.CRITICAL, "C"),
    (logging.ERROR, "E"),
    (logging.WARNING, "W"),
    (NOTICE, "N"),
    (logging.INFO, "I"),
)

_PACKAGES = (
    ("server.main", "etcdmain"),
    ("server.listen", "etcdmain"),
    ("server.signals", "osutil"),
    ("server.api", "etcdhttp"),
    ("server.http", "etcdhttp"),
    ("server.peer", "rafthttp"),
    ("server.cluster.discovery", "discovery"),
    ("server.cluster.srv", "discovery"),
    ("server.discovery", "discovery"),
    ("server.auth", "auth"),
    ("server.proxy.process", "etcdmain"),
    ("server.proxy.refresh", "etcdmain"),
    ("server.proxy.own", "etcdmain"),
    ("server.proxy", "proxy"),
    ("server.raft", "raft"),
    ("server.storage.snapshots", "snap"),
    ("server.storage.purge", "fileutil"),
    ("server.storage", "wal"),
    ("server.store", "store"),
    ("server", "etcdserver"),
    ("asyncio", "etcdserver"),
    ("aiohttp", "etcdhttp"),
)

LEVELS = {
    **dict.fromkeys(("CRITICAL", "C"), logging.CRITICAL),
    **dict.fromkeys(("ERROR", "E", "0"), logging.ERROR),
    **dict.fromkeys(("WARNING", "W", "1"), logging.WARNING),
    **dict.fromkeys(("NOTICE", "N", "2"), NOTICE),
    **dict.fromkeys(("INFO", "I", "3"), logging.INFO),
    **dict.fromkeys(("DEBUG", "D", "4"), logging.DEBUG),
    **dict.fromkeys(("TRACE", "T", "5"), logging.DEBUG),
}
"""The level names of etcd 2.3, in capitals; nothing here is logged at its lowest, trace."""


def package_of(logger_name: str) -> str:
    """The etcd package that a logger of ours stands for."""
    for prefix, package in _PACKAGES:
        if logger_name == prefix or logger_name.startswith(prefix + "."):
            return package
    return logger_name


class EtcdFormatter(logging.Formatter):
    """One record, one line, without the passwords in URLs. A traceback, of a fault in the program, follows on lines of
    its own, all indented."""

    def format(self, record: logging.LogRecord) -> str:
        letter = next((letter for level, letter in _LETTERS if record.levelno >= level), "D")
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        micros = int(record.created % 1 * 1_000_000)
        text = shown(record.getMessage())
        line = f"{moment}.{micros:06d} {letter} | {package_of(record.name)}: {text}"
        if not record.exc_info:
            return line
        trace = redacted(self.formatException(record.exc_info))
        return "\n    ".join((line, *map(printable, trace.split("\n"))))


def log_fault(logger: logging.Logger, error: Exception) -> str:
    """Logs an exception that nobody expected: one line, and the traceback with --debug. Returns the line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    text = (
        f"unexpected {type(error).__name__}: {error}{place}. This is a fault in the server, please report it "
        "(--debug shows more)"
    )
    logger.critical("%s", text, exc_info=error if logger.isEnabledFor(logging.DEBUG) else None)
    return text


class PackageLevels(logging.Filter):
    """Lets a record through when it reaches the level of its package, or the general one."""

    def __init__(self, general: int, levels: dict[str, int]) -> None:
        super().__init__()
        self.general = general
        self._levels = levels

    def set_all(self, level: int) -> None:
        """One level for all packages from now on."""
        self.general = level
        self._levels = {}

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= self._levels.get(package_of(record.name), self.general)


def parse_package_levels(text: str) -> dict[str, int]:
    """``etcdmain=CRITICAL,etcdserver=DEBUG`` as package -> level. Raises ValueError naming what is wrong."""
    levels = {}
    for item in text.split(",") if text else ():
        package, equals, level = item.partition("=")
        if not equals or level.upper() not in LEVELS:
            raise ValueError(f"oops! log level {item!r} is not PACKAGE=LEVEL; levels are CRITICAL to DEBUG")
        levels[package.strip()] = LEVELS[level.upper()]
    return levels


def set_level(level: int) -> None:
    """Lets through what reaches ``level``, of all packages, from now on."""
    root = logging.getLogger()
    for handler in root.handlers:
        for levels in handler.filters:
            if isinstance(levels, PackageLevels):
                levels.set_all(level)
    root.setLevel(level)


def configure(*, debug: bool = False, package_levels: str = "", stream: TextIO | None = None) -> None:
    """Sends all log records to standard error (or ``stream``), in etcd's form, from now on.

    Package levels that cannot be read are reported and ignored, as in etcd.
    """
    trouble = ""
    try:
        levels = parse_package_levels(package_levels)
    except ValueError as error:
        levels, trouble = {}, f"couldn't parse log level string: {error}, continuing with default levels"
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(EtcdFormatter())
    general = logging.DEBUG if debug else logging.INFO
    handler.addFilter(PackageLevels(general, levels))
    logging.basicConfig(handlers=[handler], level=min([general, *levels.values()]), force=True)
    for chatty in ("asyncio", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    if trouble:
        logging.getLogger("server.main").warning("%s", trouble)
