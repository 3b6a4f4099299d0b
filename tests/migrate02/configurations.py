"""Generated configurations of etcd 0.4, in the three ways they were written."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from hypothesis import strategies as st

from compat.flags04 import BOOL, BY_NAME, FLOAT, INT, LIST

Value = str | int | float | bool | list[str]

FORMS = ("flags", "env", "yaml", "args-json")
TARGETS = ("", "2.0", "2.1", "2.2", "2.3", "3.0", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7")


@dataclass(slots=True, frozen=True)
class Configuration:
    """``settings`` by their long flag names; ``comments`` are put between them, as many as there are."""

    settings: dict[str, Value]
    comments: list[str]

    def toml(self) -> str:
        tables: dict[str, list[str]] = {"": [], "peer": [], "cluster": []}
        for (name, value), comment in zip(self.settings.items(), [*self.comments, *[""] * 99], strict=False):
            table, _, key = BY_NAME[name].toml.rpartition(".")
            tables[table].append(f"{key} = {_toml_value(value)}{f'  {comment}' if comment else ''}")
        rest = self.comments[len(self.settings) :]
        lines = [*rest, *tables[""]]
        for table in ("peer", "cluster"):
            lines += ["", f"[{table}]", *tables[table]] if tables[table] else []
        return "".join(f"{line}\n" for line in lines)

    def env(self, lead: str = "", quote: str = '"') -> str:
        lines = list(self.comments)
        for name, value in self.settings.items():
            text = _flag_value(value)
            lines.append(f"{lead}{BY_NAME[name].variable}={quote}{text}{quote}")
        return "".join(f"{line}\n" for line in lines)

    def words(self) -> list[str]:
        return ["etcd", *(f"-{name}={_flag_value(value)}" for name, value in self.settings.items())]

    def command(self) -> str:
        return "".join(f"{line}\n" for line in [*self.comments, shlex.join(self.words())])


def _toml_value(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _flag_value(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


_IPV4 = st.ip_addresses(v=4).map(str)
_IPV6 = st.ip_addresses(v=6).map(lambda ip: f"[{ip}]")
_NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}(\.[a-z]{1,5})?", fullmatch=True)
_PLACEHOLDERS = st.sampled_from(("$private_ipv4", "${IP}", "$(hostname)", "${IP:-10.0.0.1}"))
_PORTS = st.integers(1, 65535).map(str)
_ADDRESSES = st.tuples(st.one_of(_IPV4, _IPV6, _NAMES, _PLACEHOLDERS), _PORTS).map(":".join)
_BOUND = st.one_of(_ADDRESSES, _IPV4, _NAMES, st.just("::"))
_PATHS = st.from_regex(r"(/[A-Za-z0-9 _.#'-]{1,8}){1,3}", fullmatch=True).map(str.rstrip)
_TEXTS = st.text(st.sampled_from("abc019-._ #;&|<>()*?~[]{}!%^=+:@/é世"), min_size=1, max_size=12).filter(
    lambda text: text == text.strip() and not text.startswith("-")
)
_URLS = st.tuples(_NAMES, _PORTS).map(lambda parts: f"http://{parts[0]}:{parts[1]}")

_OF_KIND: dict[str, st.SearchStrategy[Value]] = {
    BOOL: st.booleans(),
    INT: st.integers(1, 60_000),
    FLOAT: st.integers(1, 4000).map(lambda number: number / 4),
    LIST: st.lists(_URLS, min_size=1, max_size=3),
}
_SPECIAL: dict[str, st.SearchStrategy[Value]] = {
    "name": st.one_of(_NAMES, _TEXTS),
    "data-dir": _PATHS,
    "addr": _ADDRESSES,
    "peer-addr": _ADDRESSES,
    "bind-addr": _BOUND,
    "peer-bind-addr": _BOUND,
    "discovery": _URLS,
    "peers": st.lists(_ADDRESSES, min_size=1, max_size=3),
}
NAMES = tuple(flag.name for flag in BY_NAME.values() if flag.toml and flag.variable)


def _values(name: str) -> st.SearchStrategy[Value]:
    return _SPECIAL.get(name, _OF_KIND.get(BY_NAME[name].kind, _PATHS))


_COMMENTS = st.text(st.sampled_from("abc #='\"\\[]$é"), max_size=15).map(
    lambda text: f"# {text}".rstrip("\\ ")
)


def configurations(*, peers: bool = False) -> st.SearchStrategy[Configuration]:
    """``peers``: with -peers and -peers-file too."""
    left_out = () if peers else ("peers", "peers-file")
    optional = {name: _values(name) for name in NAMES if name not in (*left_out, "addr")}
    settings = st.fixed_dictionaries({"addr": _ADDRESSES}, optional=optional)
    return st.builds(Configuration, settings, st.lists(_COMMENTS, max_size=4))
