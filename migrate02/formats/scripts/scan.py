"""A shell script as commands, assignments and here-documents that know where they stand. Pure.

Not a shell: nothing is carried out, and what only carrying it out could tell is marked, not guessed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from migrate02.formats.starts.dialects import SHELL
from migrate02.formats.starts.words import Word
from migrate02.formats.view import View

_OPENING = frozenset(("if", "for", "while", "until", "case", "select"))
_CLOSING = frozenset(("fi", "done", "esac"))
_RESERVED = (
    _OPENING | _CLOSING | frozenset(("then", "else", "elif", "do", "{", "}", "!", "function", "time", "in"))
)
_BLANK = re.compile(SHELL.blank)
_PART = re.compile(SHELL.part, re.DOTALL)
_REDIRECTION = re.compile(r"\d*(?:>>|>\||>&|<&|<>|&>>|&>|>|<)(?!\()")
_OUTPUT = frozenset((">", ">>", ">|", "1>", "1>>", "&>", "&>>"))
_HERE = re.compile(r"\d*<<(-?)[ \t]*(\\?[\w.-]+|'[^'\n]*'|\"[^\"\n]*\")")
_NAME = re.compile(r"([A-Za-z_]\w*)(\+?)=")


class Value(NamedTuple):
    """What an assignment gives: one word, or the words of an array."""

    words: tuple[Word, ...]
    is_array: bool = False


class Assignment(NamedTuple):
    """``conditional``: made only when something else holds; ``adds``: to what the variable held before."""

    name: str
    value: Value
    conditional: bool
    adds: bool
    exported: bool
    start: int
    end: int
    line: int


class Export(NamedTuple):
    """A variable that is exported by its name alone: ``export A B``, ``declare -x A``. ``start`` and ``end`` are of the
    whole command, ``only`` says that it names no other."""

    word: Word
    start: int
    end: int
    only: bool
    conditional: bool

    @property
    def name(self) -> str:
        return self.word.text


class Command(NamedTuple):
    """The words of a simple command, redirections not among them; ``conditional`` as in an Assignment. ``target`` is
    the file that its output goes to, by itself or through ``tee``; ``appends``: behind what is there."""

    words: tuple[Word, ...]
    conditional: bool
    target: str = ""
    appends: bool = False


class Here(NamedTuple):
    """The body of a here-document; ``filled_in`` when the shell fills in variables there. ``path`` is the file that it
    is written to, where the command tells; ``tabs`` are those that ``<<-`` takes from its first line, None without."""

    start: int
    end: int
    filled_in: bool
    path: str = ""
    tabs: str | None = None


class Script(NamedTuple):
    commands: list[Command]
    assignments: list[Assignment]
    heres: list[Here]
    exports: list[Export]
    exports_all: bool
    broken: int = -1
    """Where a quote is left open, or something that this is no match for; -1 for nowhere."""


class _Scanner:
    def __init__(self, view: View) -> None:
        self.view = view
        self.text = view.text
        self.at = 0
        self.depth = 0
        self.and_or = False
        self.words: list[Word] = []
        self.arrays: dict[int, Value] = {}
        self.waiting: list[re.Match[str]] = []
        self.script = Script([], [], [], [], False)
        self.exports_all = False
        self.target = ""
        self.output = ""
        self.appends = False
        self.piped = -1
        """The command whose output the next one reads, by its place; -1 for none."""

    def run(self) -> Script:
        while self.at < len(self.text):
            self._step()
        self._end_command()
        return self.script._replace(exports_all=self.exports_all)

    def _step(self) -> None:
        text, at = self.text, self.at
        if found := _BLANK.match(text, at):
            self.at = found.end()
        elif text[at] in "\r\n":
            self._end_command()
            self.at = at + 1
            self.and_or = False
            if text[at] == "\n":
                self._take_heres()
        elif text[at] == "#":
            end = text.find("\n", at)
            self.at = len(text) if end < 0 else end
        elif found := _HERE.match(text, at):
            self.waiting.append(found)
            self.at = found.end()
        elif text.startswith("<<<", at):
            self.at = at + 3
            self._word()
            self.words = self.words[:-1]
        elif found := _REDIRECTION.match(text, at):
            self.at = found.end()
            self._skip_target(found[0])
        elif text[at] in ";&|()<>":
            self._operator()
        elif not self._word():
            self.script = self.script._replace(broken=at)  # what follows cannot be told
            self.at = len(text)

    def _operator(self) -> None:
        text, at = self.text, self.at
        self._end_command()
        is_pipe = text[at] == "|" and not text.startswith("||", at)
        self.piped = len(self.script.commands) - 1 if is_pipe else -1
        self.and_or = text.startswith(("&&", "||"), at)
        self.at = at + (2 if self.and_or or text.startswith((";;", "|&"), at) else 1)

    def _skip_target(self, redirection: str) -> None:
        while found := _BLANK.match(self.text, self.at):
            self.at = found.end()
        count = len(self.words)
        if self._word():
            self.target = self.words[-1].text if len(self.words) > count else ""
            if redirection in _OUTPUT:
                self.output, self.appends = self.target, ">>" in redirection
            del self.words[count:]

    def _word(self) -> bool:
        start, said = self.at, ""
        while self.at < len(self.text) and (found := _PART.match(self.text, self.at)):
            said += SHELL.unquote(found[0])
            self.at = found.end()
        if self.at == start:
            return False
        word = Word(self.view, start, self.at, said, SHELL)
        if (
            self.text.startswith("(", self.at)
            and (match := _NAME.match(word.raw))
            and match.end() == len(word.raw)
        ):
            self.arrays[start] = self._array()
            word = word._replace(end=self.at)
        if not self.words and word.raw in _RESERVED:
            self.depth += (word.raw in _OPENING) - (word.raw in _CLOSING)
            return True
        self.words.append(word)
        return True

    def _array(self) -> Value:
        self.at += 1
        outside, self.words = self.words, []
        while self.at < len(self.text) and self.text[self.at] != ")":
            if found := re.compile(r"\s+|\\\r?\n|#[^\n]*").match(self.text, self.at):
                self.at = found.end()
            elif not self._word():
                self.script = self.script._replace(broken=self.at)
                self.at = len(self.text)
        inside, self.words = self.words, outside
        self.at = min(self.at + 1, len(self.text))
        return Value(tuple(inside), is_array=True)

    def _end_command(self) -> None:
        words, self.words = self.words, []
        output, self.output = self.output, ""
        piped, self.piped = self.piped, -1
        if not words:
            return
        conditional = self.depth > 0 or self.and_or
        name = words[0].text
        if name in ("export", "declare", "typeset", "local", "readonly"):
            exported = name == "export" or any(
                word.text.startswith("-") and "x" in word.text for word in words
            )
            named = [word for word in words[1:] if not word.text.startswith("-")]
            for word in named:
                self._assign(word, conditional, exported)
                if exported and re.fullmatch(r"\w+", word.raw):
                    span = words[0].start, words[-1].end
                    self.script.exports.append(Export(word, *span, len(named) == 1, conditional))
            return
        if name == "set" and any(re.fullmatch(r"-[a-z]*a[a-z]*|allexport", word.text) for word in words[1:]):
            self.exports_all = True
        if all(_NAME.match(word.raw) for word in words):
            for word in words:
                self._assign(word, conditional, False)
            return
        said = [word.text for word in words]
        if piped >= 0 and "tee" in said:
            before = self.script.commands[piped]
            self.script.commands[piped] = before._replace(target=said[-1], appends="-a" in said)
        self.script.commands.append(Command(tuple(words), conditional, output, self.appends))

    def _assign(self, word: Word, conditional: bool, exported: bool) -> None:
        match = _NAME.match(word.raw)
        if match is None:
            return
        start = word.start + match.end()
        value = self.arrays.get(word.start)
        if value is None:
            text = word.text[match.end() :]
            value = Value((Word(self.view, start, word.end, text, SHELL),))
        self.script.assignments.append(
            Assignment(
                match[1],
                value,
                conditional,
                bool(match[2]),
                exported,
                word.start,
                word.end,
                self.view.line(word.start),
            )
        )

    def _take_heres(self) -> None:
        path, self.target = self.target, ""
        last = self.script.commands[-1].words if self.script.commands else ()
        if not path and self.waiting and last and any(word.text == "tee" for word in last):
            path = last[-1].text
        for match in self.waiting:
            delimiter = match[2].strip("'\"\\")
            filled_in = match[2] == delimiter
            end = _end_of_here(self.text, self.at, delimiter, tabs=bool(match[1]))
            if end is None:
                self.script = self.script._replace(broken=match.start())
                end = (len(self.text), len(self.text))
            first = _TABS.match(self.text, self.at) if match[1] else None
            self.script.heres.append(Here(self.at, end[0], filled_in, path, first[0] if first else None))
            self.at = end[1]
        self.waiting = []


_TABS = re.compile(r"\t*")
_NOTHING_BEHIND = re.compile(r"[ \t]*\r?$", re.MULTILINE)


def _end_of_here(text: str, at: int, delimiter: str, *, tabs: bool) -> tuple[int, int] | None:
    """The line of the delimiter alone, behind tabs where they may be."""
    found = text.find(delimiter, at)
    while found >= 0:
        start = found
        while tabs and start > at and text[start - 1] == "\t":
            start -= 1
        behind = _NOTHING_BEHIND.match(text, found + len(delimiter))
        if behind is not None and (start == 0 or text[start - 1] == "\n"):
            return start, behind.end()
        found = text.find(delimiter, found + 1)
    return None


def scan(view: View) -> Script:
    return _Scanner(view).run()
