"""Real etcds to hand over to: find one, ask its version, fit the settings to it, become it.

Imports neither aiohttp nor the server: the exec of a real etcd must be quick.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from packaging.version import InvalidVersion, Version

from compat.codes import REFUSES_2X, SNAPSHOT_BEFORE_35, STAYS_AT_23
from compat.findings import Finding, Text
from compat.fit import fit
from compat.flags2x import BY_NAME
from compat.variables import setting_of
from server.config import Config

_CHOICE_VARIABLE = "ETCD02_ENGINE"
_ARCH_VARIABLE = "ETCD_UNSUPPORTED_ARCH"
"""Without it, etcd on a machine it is not supported on does not even tell its version."""
_BINARY = "give --engine the path of an etcd binary"

_ON_DATA_OF_2X = (
    (Version("3.6.dev0"), REFUSES_2X),
    (Version("3.5.dev0"), STAYS_AT_23),
    (Version("3.0.dev0"), SNAPSHOT_BEFORE_35),
)
"""From which release on it holds, the latest first (2.3.8 to 3.4.23 to 3.5.1: tried)."""

_VERSION_LINE = re.compile(r"etcd version:?\s+(\S+)", re.IGNORECASE)


class EngineError(Exception):
    """The engine cannot be used; the message names it and says why, ``remedy`` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class Engine(NamedTuple):
    path: str
    version: Version

    @property
    def reads_data_of_04(self) -> bool:
        """2.0 and 2.1 converted a directory of 0.4 at their first start."""
        return self.version < Version("2.2")

    @property
    def wants_database(self) -> bool:
        """3.1 to 3.5 do not start with a v2 snapshot beside which there is no v3 database (3.4.23 and 3.5.1: tried).
        2.x does not start with one, 3.0 without it too, and 3.6 with no v2 data at all."""
        return Version("3.1") <= self.version < Version("3.6.dev0")

    @property
    def on_data_of_2x(self) -> Text | None:
        """What there is to say when it takes over a directory that no 3.x has opened yet."""
        return next((text for first, text in _ON_DATA_OF_2X if self.version >= first), None)


class Start(NamedTuple):
    """What to exec."""

    argv: list[str]
    environ: dict[str, str]
    findings: list[Finding]


def find_on_path(search: str, ourselves: str) -> str:
    """The first executable ``etcd`` on a PATH that is not this program under a link; ``""`` when there is none."""
    own = os.path.realpath(ourselves)
    for directory in search.split(os.pathsep):
        candidate = os.path.join(directory or ".", "etcd")
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK) and os.path.realpath(candidate) != own:
            return candidate
    return ""


def ask_version(path: str, environ: Mapping[str, str], patience: float = 10.0) -> Engine:
    """Run ``PATH --version`` for at most ``patience`` seconds. Raises EngineError."""
    arch = {name: environ[name] for name in (_ARCH_VARIABLE,) if name in environ}
    try:
        answer = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=patience,
            env={"PATH": os.defpath, **arch},
            check=False,
        )
    except FileNotFoundError:
        raise EngineError(f"{path}: no such file", _BINARY) from None
    except PermissionError:
        raise EngineError(f"{path}: not executable", _BINARY) from None
    except OSError as error:
        raise EngineError(f"{path}: {error.strerror}", _BINARY) from None
    except subprocess.TimeoutExpired:
        raise EngineError(
            f"{path} --version: no answer in {patience:g} s", "check that this is an etcd binary"
        ) from None
    line = _VERSION_LINE.search(answer.stdout + answer.stderr)
    if line is None:
        raise EngineError(
            f"{path} --version does not answer as etcd does", "check that this is an etcd binary"
        )
    try:
        version = Version(line[1])
    except InvalidVersion:
        raise EngineError(
            f"{path} is of version {line[1]}, which is none", "check that this is etcd"
        ) from None
    if version < Version("2.0"):
        raise EngineError(f"{path} is etcd {version}; 2.0 or later is needed", "name a newer etcd")
    return Engine(path, version)


def prepare(engine: Engine, settings: Mapping[str, str], config: Config, environ: Mapping[str, str]) -> Start:
    """The command line and environment for that etcd; ``settings`` were given, ``config`` has 2.3's defaults too.

    Every setting goes on the command line; variables that are settings are taken out of the environment, because
    they have been translated already and an old one beside its new flag would stop a 2.x. Unknown ETCD_ variables
    (ETCD_UNSUPPORTED_ARCH) stay.
    """
    fitted = fit(_with_defaults_of_23(settings, config), engine.version)
    argv = [engine.path]
    for name, value in fitted.config.items():
        argv += as_flag(name, value)
    kept = {
        name: value
        for name, value in environ.items()
        if name != _CHOICE_VARIABLE and not (name.startswith("ETCD_") and setting_of(name))
    }
    return Start(argv, kept, fitted.findings)


def _with_defaults_of_23(settings: Mapping[str, str], config: Config) -> dict[str, str]:
    """What 2.3 would have done is said in so many words.

    3.0 and later default to other ports, and 3.2 to 3.5 to ten times the entries between snapshots; 2.x asks for
    --advertise-client-urls beside --listen-client-urls, though not beside the -bind-addr that this came from.
    """
    spelled = {
        "listen-peer-urls": ",".join(config.listen_peer_urls),
        "listen-client-urls": ",".join(config.listen_client_urls),
        "initial-advertise-peer-urls": ",".join(config.initial_advertise_peer_urls),
        "advertise-client-urls": ",".join(config.advertise_client_urls),
        "snapshot-count": str(config.snapshot_count),
    }
    said = {
        name: value for name, value in settings.items() if value or name not in ("discovery", "discovery-srv")
    }
    if not {"discovery", "discovery-srv"} & said.keys():
        spelled["initial-cluster"] = config.initial_cluster
    return {**spelled, **said}


def as_flag(name: str, value: str) -> list[str]:
    """One setting as words of a command line; a boolean needs ``=``."""
    if BY_NAME[name].kind == "bool":
        return [f"--{name}={value}"]
    return [f"--{name}", value]


def become(start: Start) -> NoReturn:
    """Replace this process: pid, signals and exit status are etcd's own from here on. Raises EngineError."""
    # Python ignores them, and the next program would too.
    ignored = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGPIPE, signal.SIGXFSZ)}
    try:
        os.execve(start.argv[0], start.argv, start.environ)
    except OSError as error:
        raise EngineError(f"{start.argv[0]}: {error.strerror}", _BINARY) from None
    except ValueError as error:
        raise EngineError(f"{start.argv[0]}: {error}", "remove the character from the setting") from None
    finally:
        for number, handler in ignored.items():
            signal.signal(number, handler)
