"""Scripts that start etcd 0.4, made from an allow-list: a start with its wrapper, where its settings stand, how they are
quoted, and the layers of text inside text around it. Each says of what it is made, and can be run.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hypothesis import strategies as st

ADDRESS = "10.0.1.10"
_DATA_DIR, _PLAIN_DATA_DIR = "/var/lib/etcd", "/d"
_OF_BASH = "#!/bin/bash\n"
_FILE = "/opt/run{}.sh"


@dataclass(frozen=True, slots=True)
class Script:
    """``features`` are what it is made of, by their names in the tables below."""

    text: str
    features: frozenset[str]

    def __repr__(self) -> str:
        return f"Script made of {', '.join(sorted(self.features))}:\n{self.text}"


# Quoting, by the shell's rules alone: written here, and read again.


def in_single_quotes(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def in_double_quotes(text: str) -> str:
    return '"' + _escaped(text, '\\"$`') + '"'


def _escaped(text: str, those: str) -> str:
    return "".join(f"\\{char}" if char in those else char for char in text)


class Unreadable(Exception):
    """Such a text is not what stands there: it ends too early, or a shell fills something in."""


_PIECE = re.compile(
    r"""'(?P<strong>[^']*)'|"(?P<weak>(?:[^"\\]|\\.)*)"|\\(?P<one>.)|(?P<plain>[\w./:,=+@%-]+)""", re.DOTALL
)


def of_word(word: str) -> str:
    """What a shell makes of one word, in which it is to fill in nothing."""
    found, at = "", 0
    while at < len(word):
        piece = _PIECE.match(word, at)
        if piece is None:
            raise Unreadable(word[at:])
        weak = piece["weak"]
        found += of_weak(weak, '\\"$`') if weak is not None else piece[piece.lastgroup or 0]
        at = piece.end()
    return found


def of_weak(text: str, those: str) -> str:
    """Of double quotes or a here-document. ``those``: what a backslash escapes there."""
    if re.search(r"[$`]", re.sub(r"\\.", "", text, flags=re.DOTALL)):
        raise Unreadable(text)
    return re.sub(rf"\\([{re.escape(those)}])", r"\1", text)


# Layers: a text inside a text.


class Layer(NamedTuple):
    """``head`` and ``tail`` stand around the inner text. ``holds_files``: that is a whole file, not a command. ``expands``: what is
    not escaped in it, the outer shell fills in. ``needs_sh``: it takes nothing of bash's."""

    head: str
    tail: str
    write: Callable[[str], str]
    read: Callable[[str], str]
    holds_files: bool
    expands: bool = False
    needs_sh: bool = False

    def around(self, text: str, depth: int) -> str:
        head, tail = self._ends(depth)
        return head + self.write(text) + tail

    def inside(self, text: str, depth: int) -> str:
        """Raises Unreadable where it does not stand around the text."""
        head, tail = self._ends(depth)
        if not (text.startswith(head) and text.endswith(tail)):
            raise Unreadable(text)
        return self.read(text[len(head) : -len(tail)])

    def _ends(self, depth: int) -> tuple[str, str]:
        words = {"file": _FILE.format(depth), "end": f"EOF{depth}"}
        return self.head.format(**words), self.tail.format(**words)


def _here_document(words: str, *, quoted: bool) -> Layer:
    if quoted:
        return Layer(words + "\n", "{end}\n", str, str, True)
    held = "\\$`"
    return Layer(
        words + "\n",
        "{end}\n",
        lambda text: _escaped(text, held),
        lambda text: of_weak(text, held),
        True,
        True,
    )


def _word(head: str, tail: str, quoted: Callable[[str], str], *, holds_files: bool = False) -> Layer:
    return Layer(
        head,
        tail,
        lambda text: quoted(text.removesuffix("\n")),
        lambda word: of_word(word) + "\n",
        holds_files,
        expands=quoted is in_double_quotes,
        needs_sh=not holds_files and "bash" not in head,
    )


LAYERS: Mapping[str, Layer] = {
    "here-document": _here_document("cat > {file} <<{end}", quoted=False),
    "quoted here-document": _here_document("cat > {file} <<'{end}'", quoted=True),
    "here-document before its file": _here_document("cat <<{end} > {file}", quoted=False),
    "tee": _here_document("tee {file} > /dev/null <<{end}", quoted=False),
    "sudo tee": _here_document("sudo tee {file} > /dev/null <<'{end}'", quoted=True),
    "echo in single quotes": _word("echo ", " > {file}\n", in_single_quotes, holds_files=True),
    "echo in double quotes": _word("echo ", " > {file}\n", in_double_quotes, holds_files=True),
    "sh -c in single quotes": _word("sh -c ", "\n", in_single_quotes),
    "sh -c in double quotes": _word("sh -c ", "\n", in_double_quotes),
    "bash -c in double quotes": _word("exec /bin/bash -c ", "\n", in_double_quotes),
    "su -c in single quotes": _word("su etcd -c ", "\n", in_single_quotes),
    "su -c in double quotes": _word("su -s /bin/sh etcd -c ", "\n", in_double_quotes),
    "login of su": _word("su - etcd -c ", "\n", in_double_quotes),
}
"""``echo`` is bash's, which changes no backslash."""

# Wrappers: what stands before the program and execs it.


class Wrapper(NamedTuple):
    """``words`` with the program in them. ``forgets`` exported variables."""

    words: str
    forgets: bool = False


WRAPPERS: Mapping[str, Wrapper] = {
    "none": Wrapper("{}"),
    "exec": Wrapper("exec {}"),
    "nohup": Wrapper("nohup {}"),
    "env": Wrapper("env GOMAXPROCS=4 {}"),
    "nice": Wrapper("nice -n 5 {}"),
    "setuidgid": Wrapper("exec setuidgid etcd {}"),
    "chpst": Wrapper("exec chpst -u etcd -o 1024 {}"),
    "sudo": Wrapper("sudo -u etcd {}", forgets=True),
    "sudo -E": Wrapper("sudo -E -u etcd -- {}"),
    "runuser": Wrapper("runuser -u etcd -- {}"),
    "ip netns exec": Wrapper("ip netns exec blue {}"),
    "systemd-run": Wrapper("systemd-run --unit=etcd {}", forgets=True),
    "start-stop-daemon": Wrapper(
        "start-stop-daemon --start --background -c etcd --pidfile /run/etcd.pid --exec {} --"
    ),
    "daemon": Wrapper("daemon --user etcd --pidfile=/run/etcd.pid {}"),
    "docker": Wrapper("docker run -d --net=host coreos/etcd:v0.4.6", forgets=True),
    "two wrappers": Wrapper("exec nice -n 5 chpst -u etcd {}"),
}
PROGRAMS = ("etcd", "/usr/bin/etcd", "/opt/bin/etcd")

# How variables come to etcd.


def _together(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [f"export {name}={value}" for name, value in pairs]


def _apart(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [
        *(f"{name}={value}" for name, value in pairs),
        "export " + " ".join(name for name, _ in pairs),
    ]


DECLARE = "declare -x"
EXPORTS: Mapping[str, Callable[[Sequence[tuple[str, str]]], list[str]]] = {
    "export together": _together,
    "export apart": _apart,
    "export before": lambda pairs: [
        *(f"export {name}" for name, _ in pairs),
        *(f"{name}={value}" for name, value in pairs),
    ],
    "export on one line": lambda pairs: [
        "; ".join(f"{name}={value}; export {name}" for name, value in pairs)
    ],
    "one export of all": lambda pairs: ["export " + " ".join(f"{name}={value}" for name, value in pairs)],
    DECLARE: lambda pairs: [f"declare -x {name}={value}" for name, value in pairs],
    "set -a": lambda pairs: ["set -a", *(f"{name}={value}" for name, value in pairs), "set +a"],
}
BEFORE_THE_PROGRAM = "variables before the program"

# Where an address comes from.

ADDRESSES: Mapping[str, tuple[list[str], str]] = {
    "address": ([], ADDRESS),
    "address in a variable": ([f"IP={ADDRESS}"], "$IP"),
    "address in braces": ([f'IP="{ADDRESS}"'], "${IP}"),
    "address of the host": ([], "$(hostname -i)"),
    "address of the host in a variable": (["IP=$(hostname -i)"], "$IP"),
}
OUTER = "address of an outer shell"
_OUTER_MARK = "\N{DOUBLE DAGGER}"

QUOTES: Mapping[str, Callable[[str], str]] = {
    "no quotes": lambda text: text,
    "double quotes": lambda text: f'"{text}"',
    "single quotes": lambda text: text if "$" in text or _OUTER_MARK in text else f"'{text}'",
}
OPTIONS = "flags in a variable"
EQUALS = "flags with an equals sign"
CONTINUED = "continued lines"
UNIT = "unit"
PLAIN_DATA_DIR = "data directory without etcd in its name"

FEATURES = (
    *LAYERS,
    *WRAPPERS,
    *EXPORTS,
    BEFORE_THE_PROGRAM,
    *ADDRESSES,
    OUTER,
    *QUOTES,
    OPTIONS,
    EQUALS,
    CONTINUED,
    UNIT,
    PLAIN_DATA_DIR,
)

_EXTRAS = (
    (),
    ("-v",),
    ("-cluster-active-size", "3"),
    ("-peer-heartbeat-interval", "100"),
    ("-bind-addr", "0.0.0.0"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Choices, by the names of the tables."""

    layers: tuple[str, ...] = ()
    wrapper: str = "exec"
    export: str = ""
    address: str = "address"
    quotes: str = "no quotes"
    program: str = "etcd"
    options: bool = False
    equals: bool = False
    continued: bool = False
    unit: bool = False
    data_dir: str = _DATA_DIR
    extras: tuple[str, ...] = ()

    @property
    def features(self) -> frozenset[str]:
        told = {OPTIONS: self.options, EQUALS: self.equals, CONTINUED: self.continued, UNIT: self.unit}
        told[PLAIN_DATA_DIR] = self.data_dir == _PLAIN_DATA_DIR
        rest = {self.wrapper, self.address, self.quotes} if not self.unit else set()
        return frozenset(
            {
                *self.layers,
                *rest,
                *filter(None, [self.export]),
                *(name for name, is_so in told.items() if is_so),
            }
        )

    @property
    def can_be(self) -> bool:
        """Whether it starts etcd with all of its settings."""
        outer = self.address == OUTER
        if outer and not (self.layers and all(LAYERS[name].expands for name in self.layers)):
            return False
        if self.unit:
            return bool(self.layers) and LAYERS[self.layers[0]].holds_files and not self._needs_a_shell
        if self.export and WRAPPERS[self.wrapper].forgets:
            return False
        if self.export == DECLARE and any(LAYERS[name].needs_sh for name in self.layers[:1]):
            return False
        if any(
            "echo" in inner and LAYERS[outer].needs_sh for inner, outer in itertools.pairwise(self.layers)
        ):
            return False
        if self.export == BEFORE_THE_PROGRAM and self.wrapper != "none":
            return False
        return not (self.wrapper == "daemon" and (self.options or self.quotes != "no quotes"))

    @property
    def _needs_a_shell(self) -> bool:
        return self.address != "address" or self.options or self.quotes != "no quotes" or bool(self.export)

    def script(self) -> Script:
        text = self.around(self._unit() if self.unit else self._start())
        if self.address == OUTER:
            text = f"IP={ADDRESS}\n" + text.replace(_OUTER_MARK, "$IP")
        return Script((_OF_BASH if self.layers else self._first_line) + text, self.features)

    def around(self, text: str) -> str:
        """The layers around a text."""
        first = "" if self.unit else self._first_line
        for depth, name in enumerate(self.layers):
            layer = LAYERS[name]
            text = layer.around(first + text if layer.holds_files else text, depth)
            first = _OF_BASH
        return text

    def innermost(self, text: str) -> str:
        """What stands in the layers of a script, with the first line that it has by itself. Raises Unreadable."""
        text = text.removeprefix(_OF_BASH)
        for depth, name in reversed(list(enumerate(self.layers))):
            text = LAYERS[name].inside(text, depth)
            if LAYERS[name].holds_files:
                text = text.removeprefix(_OF_BASH if depth else self._first_line)
        return self._first_line + text

    @property
    def _first_line(self) -> str:
        return _OF_BASH if self.export == DECLARE else "#!/bin/sh\n"

    def _start(self) -> str:
        lines, host = ADDRESSES.get(self.address, ([], _OUTER_MARK))
        quoted = QUOTES[self.quotes]
        in_words = QUOTES["no quotes" if self.options else self.quotes]  # a quote in a variable is no shell's
        pairs = [("ETCD_NAME", "infra0"), ("ETCD_ADDR", quoted(f"{host}:4001"))] if self.export else []
        given = [("-name", "infra0"), ("-addr", in_words(f"{host}:4001"))] if not self.export else []
        given += [("-peer-addr", in_words(f"{host}:7001")), ("-data-dir", self.data_dir)]
        words = [f"{name}={value}" if self.equals else f"{name} {value}" for name, value in given]
        words += [" ".join(self.extras)] if self.extras else []
        lines = list(lines)
        if self.export in EXPORTS:
            lines += EXPORTS[self.export](pairs)
        if self.options:
            lines += ["OPTS=" + in_weak_quotes(" ".join(words))]
            words = ["$OPTS"]
        before = (
            "".join(f"{name}={value} " for name, value in pairs) if self.export == BEFORE_THE_PROGRAM else ""
        )
        between = " \\\n  " if self.continued else " "
        started = between.join([WRAPPERS[self.wrapper].words.format(self.program), *words])
        return "\n".join([*lines, f"{before}{started}"]) + "\n"

    def _unit(self) -> str:
        pairs = [("-name", "infra0"), ("-addr", f"{ADDRESS}:4001"), ("-peer-addr", f"{ADDRESS}:7001")]
        words = [f"{name}={value}" if self.equals else f"{name} {value}" for name, value in pairs]
        between = " \\\n  " if self.continued else " "
        started = between.join(["/usr/bin/etcd", *words, f"-data-dir {self.data_dir}", *self.extras])
        return f"[Unit]\nDescription=etcd\n\n[Service]\nExecStart={started}\n"


def in_weak_quotes(text: str) -> str:
    """Double quotes in which what is to be filled in is."""
    return '"' + _escaped(text, '"') + '"' if "'" not in text else '"' + text.replace("'", "") + '"'


def with_pairs(layers: Sequence[str]) -> list[str]:
    """What stands in what is a feature too."""
    return [*layers, *(f"{inner} in {outer}" for inner, outer in itertools.pairwise(layers))]


def made_of(*features: str) -> Plan:
    """The simplest that has these, layers from the innermost on."""
    layers = tuple(name for name in features if name in LAYERS)
    if not layers and OUTER in features:
        layers = ("sh -c in double quotes",)
    if not layers and UNIT in features:
        layers = ("quoted here-document",)
    export = _one_of((*EXPORTS, BEFORE_THE_PROGRAM), features, "")
    return Plan(
        layers,
        wrapper=_one_of(WRAPPERS, features, "none" if export else "exec"),
        export=export,
        address=_one_of((*ADDRESSES, OUTER), features, "address"),
        quotes=_one_of(QUOTES, features, "no quotes"),
        options=OPTIONS in features,
        equals=EQUALS in features,
        continued=CONTINUED in features,
        unit=UNIT in features,
        data_dir=_PLAIN_DATA_DIR if PLAIN_DATA_DIR in features else _DATA_DIR,
    )


def _one_of(names: Iterable[str], features: Sequence[str], otherwise: str) -> str:
    return next((name for name in names if name in features), otherwise)


_plans = st.builds(
    Plan,
    layers=st.lists(st.sampled_from(tuple(LAYERS)), max_size=3).map(tuple),
    wrapper=st.sampled_from(tuple(WRAPPERS)),
    export=st.one_of(st.just(""), st.sampled_from((*EXPORTS, BEFORE_THE_PROGRAM))),
    address=st.sampled_from((*ADDRESSES, OUTER)),
    quotes=st.sampled_from(tuple(QUOTES)),
    program=st.sampled_from(PROGRAMS),
    options=st.booleans(),
    equals=st.booleans(),
    continued=st.booleans(),
    unit=st.booleans(),
    data_dir=st.sampled_from((_DATA_DIR, _PLAIN_DATA_DIR)),
    extras=st.sampled_from(_EXTRAS),
)


def plans() -> st.SearchStrategy[Plan]:
    return _plans.filter(lambda plan: plan.can_be)


def stacks(*, most: int) -> st.SearchStrategy[tuple[str, ...]]:
    """Layers around a script, the innermost first."""
    return st.lists(st.sampled_from(tuple(LAYERS)), min_size=1, max_size=most).map(tuple)
