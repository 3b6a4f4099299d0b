"""Fits 2.x settings to what one release of etcd accepts, and says what that release lacks. Pure.

The settings come in 2.3's words, which is what a translation gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from packaging.version import InvalidVersion, Version

from compat.codes import (
    CAME_LATER,
    DATA_FOR_35,
    GONE,
    NAME_TO_BIND,
    NO_ORIGINS,
    NO_PROXY,
    NO_V2_API,
    ONLY_BUNDLED,
    PORT_OF_SCHEME,
    V2_FLAG_GONE,
)
from compat.findings import Finding, Text
from compat.flags2x import BY_NAME, LATEST
from compat.goflag import TRUE
from compat.leftovers import to_check
from server.config import UrlError, parse_url

FIRST, LAST = Version("2.0"), Version("3.8")

_BRACKETS = re.compile(r"[\[\]]")


class Fitted(NamedTuple):
    """``config`` in the words of that release; ``renamed`` maps a new name to the one it stood under."""

    config: dict[str, str]
    findings: list[Finding]
    renamed: dict[str, str]


class TargetError(ValueError):
    """Not a release of etcd 2.x or 3.x."""


def parse_target(text: str) -> Version:
    """``3.4`` is the last 3.4 release, ``3.4.23`` that one. Raises TargetError."""
    try:
        version = Version(LATEST.get(text.removeprefix("v"), text))
    except InvalidVersion:
        raise TargetError(f"{text} is no version of etcd; give one like 2.3, 3.4 or 3.4.23") from None
    if not FIRST <= version < LAST:
        raise TargetError(f"etcd {text} is not known here; known are 2.0 to 3.7")
    return version


class _Fit:
    def __init__(self, version: Version, given: Mapping[str, str]) -> None:
        self.version = version
        self.to_check = to_check(given)
        self.config: dict[str, str] = {}
        self.findings: list[Finding] = []
        self.renamed: dict[str, str] = {}

    def put(self, name: str, value: str, instead_of: str = "") -> None:
        self.config[name] = value
        if instead_of:
            self.renamed[name] = instead_of

    def say(self, text: Text, setting: str, **fields: str) -> None:
        """The text's ``name`` and ``version`` are the setting and the release."""
        known = {"name": setting, "version": str(self.version)}
        self.findings.append(text.finding(setting, None, **(known | fields)))

    def knows(self, name: str) -> bool:
        return name in BY_NAME and BY_NAME[name].known_to(self.version)


def fit(config: dict[str, str], version: Version, *, wants_v2: bool = True) -> Fitted:
    """``wants_v2``: clients speak /v2/keys, so the v2 API is switched on where that is needed and possible."""
    work = _Fit(version, config)
    for name, value in config.items():
        rule = _RULES.get(name)
        if rule is None or not rule(work, name, value):
            _take_or_tell(work, name, value)
    if wants_v2 and "enable-v2" not in config:
        _enable_v2(work)
    if work.config.get("enable-v2") in TRUE:
        work.say(DATA_FOR_35, "enable-v2", directory=work.to_check)
    return Fitted(work.config, work.findings, work.renamed)


def _take_or_tell(work: _Fit, name: str, value: str) -> None:
    if work.knows(name):
        work.put(name, value)
        return
    flag = BY_NAME.get(name)
    if flag is None:
        work.say(ONLY_BUNDLED, name, value=value)
        return
    if Version(flag.first) > work.version:
        work.say(CAME_LATER, name, value=value, first=flag.first)
    else:
        remedy = f"use {flag.replacement}" if flag.replacement else ""
        work.say(GONE, name, value=value, removed=flag.removed, remedy=remedy)


def _debug(work: _Fit, name: str, value: str) -> bool:
    """--log-level came with 3.4, whose --debug is deprecated; 3.5 dropped it."""
    if not work.knows("log-level"):
        return False
    if value == "true":
        work.put("log-level", "debug", name)
    return True


def _client_auth(work: _Fit, name: str, value: str) -> bool:
    """2.0 had only the CA file, which asked for certificates by itself."""
    if work.knows(name):
        return False
    prefix = "peer-" if name.startswith("peer-") else ""
    if name.endswith("trusted-ca-file"):
        work.put(f"{prefix}ca-file", value, name)
    return True


def _ca_file(work: _Fit, name: str, value: str) -> bool:
    """The CA file that asked for certificates by itself is gone since 3.4."""
    if work.knows(name) or not value:
        return False
    prefix = name.removesuffix("ca-file")
    work.put(f"{prefix}trusted-ca-file", value, name)
    work.put(f"{prefix}client-cert-auth", "true", name)
    return True


def _cors(work: _Fit, name: str, value: str) -> bool:
    """From 3.4 on every origin is a URL with a port, or all of them are one ``*``; one that is no URL never matched."""
    origins = [item.strip() for item in value.split(",") if item.strip()]
    if work.version < Version("3.4") or not origins:
        return False
    if "*" in origins:
        work.put(name, "*")
        return True
    kept, bare, wrong = [], [], []
    for origin in origins:
        url = origin if _has_port(origin) else origin + _PORTS.get(origin.partition("://")[0], "")
        try:
            parse_url("http://filled.in:80" if "$" in url else url)
        except UrlError:
            wrong.append(origin)
            continue
        kept.append(url)
        if url != origin:
            bare.append(origin)
    if kept:
        work.put(name, ",".join(kept))
    if bare:
        work.say(PORT_OF_SCHEME, name, origins=", ".join(bare))
    if wrong:
        remedy = (
            "Write it in that form."
            if kept
            else "Write it in that form. Without --cors, every origin is allowed."
        )
        work.say(NO_ORIGINS, name, origins=", ".join(wrong), remedy=remedy)
    return True


_PORTS = {"https": ":443", "http": ":80"}


def _has_port(origin: str) -> bool:
    return origin.partition("://")[2].rpartition(":")[2].isdigit()


def _listen(work: _Fit, name: str, value: str) -> bool:
    """From 3.2 on only IP addresses and localhost can be listened on."""
    if work.version >= Version("3.2"):
        for url in value.split(","):
            host = _BRACKETS.sub("", url.partition("://")[2].rpartition(":")[0])
            if host and host != "localhost" and not _is_ip(host):
                work.say(NAME_TO_BIND, name, url=url, host=host)
    return False


def _is_ip(host: str) -> bool:
    return ":" in host or bool(re.fullmatch(r"[\d.]+", host)) or host.startswith("$")


def _discovery_fallback(work: _Fit, name: str, value: str) -> bool:
    if value != "proxy" or work.version < Version("3.6"):
        return False
    work.say(NO_PROXY, name)
    return True


def _proxy(work: _Fit, name: str, value: str) -> bool:
    """``--proxy off`` says nothing; the rest is told as gone."""
    del name
    return value == "off" and not work.knows("proxy")


def _enable_v2(work: _Fit) -> None:
    flag = BY_NAME["enable-v2"]
    if work.version < Version("3.4"):
        return  # the v2 API is simply there
    if flag.known_to(work.version):
        work.put("enable-v2", "true")
        return
    work.say(NO_V2_API, "enable-v2")


def _enable_v2_given(work: _Fit, name: str, value: str) -> bool:
    """The flag is gone with 3.6, what it brought is not: 3.6 stops at it, whatever the flag said last."""
    if work.version < Version(BY_NAME[name].removed):
        return False
    work.say(V2_FLAG_GONE, name, value=value, directory=work.to_check)
    if value in TRUE:
        work.say(NO_V2_API, name)
    return True


_Rule = Callable[[_Fit, str, str], bool]
_RULES: dict[str, _Rule] = {
    "debug": _debug,
    "trusted-ca-file": _client_auth,
    "client-cert-auth": _client_auth,
    "peer-trusted-ca-file": _client_auth,
    "peer-client-cert-auth": _client_auth,
    "ca-file": _ca_file,
    "peer-ca-file": _ca_file,
    "cors": _cors,
    "listen-client-urls": _listen,
    "listen-peer-urls": _listen,
    "discovery-fallback": _discovery_fallback,
    "enable-v2": _enable_v2_given,
    "proxy": _proxy,
}
"""A rule returns whether it has dealt with the setting; if not, it is taken as it is or told as lacking."""
