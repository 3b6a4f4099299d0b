"""``make packaging``: writes the man pages and the shells' completion from the parsers of the commands.

The tests call the same functions and compare, so a file that is out of date fails.
"""

from __future__ import annotations

import re
import sys
from argparse import SUPPRESS, ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

import shtab
from argparse_manpage.manpage import Manpage

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
from parsers import PARSERS  # noqa: E402

from compat import __version__  # noqa: E402

HERE = Path(__file__).parent
SHELLS = {"bash": "{}", "zsh": "_{}", "fish": "{}.fish"}
"""What the file of a command has to be called for the shell to find it."""
SUMMARIES = {
    "migrate02": "move an etcd 0.4 deployment to etcd 2.x",
    "etcd02": "start an etcd 2.x server from 0.4 or 2.x flags",
    "etcdctl02": "a command line client for etcd 2.x",
}


def files() -> Iterator[tuple[Path, str]]:
    """Every generated file, and what is to be in it."""
    for make in PARSERS:
        name = make.__name__
        yield HERE / "man" / f"{name}.1", man_page(make())
        for shell, called in SHELLS.items():
            text = shtab.complete(with_paths(make()), shell=shell)
            text = text if shell != "fish" else with_long_names_of_one_dash(text)
            yield HERE / "completion" / shell / called.format(name), without_blanks(text)


def with_paths(parser: ArgumentParser) -> ArgumentParser:
    """Has the shells complete paths where they are wanted."""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for below in action.choices.values():
                with_paths(below)
        elif action.metavar in ("DIR", "OUT", "DST", "SRC"):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.metavar in ("FILE", "PATH") or (not action.option_strings and action.nargs in ("*", "+")):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        if action.help == SUPPRESS:  # shtab would leave it out
            action.help = "files"
    return parser


def with_long_names_of_one_dash(text: str) -> str:
    """Names as 0.4's ``-peer-addr``, which shtab writes as if they had one letter."""
    return re.sub(r" -s (?=[a-zA-Z][\w-]+ )", " -o ", text)


def man_page(parser: ArgumentParser) -> str:
    about = {
        "date": " ",
        "description": SUMMARIES[parser.prog],
        "manual_title": "migrate02",
        "project_name": "migrate02",
        "version": __version__,
    }
    return without_blanks(str(Manpage(parser, about)))


def without_blanks(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def main() -> None:
    for path, text in files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
