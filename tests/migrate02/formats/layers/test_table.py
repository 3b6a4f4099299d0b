"""Text inside text: every layer against an independent reader, by itself and stacked, and converted through."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from migrate02.formats.layers.jsonstrings import JSON
from migrate02.formats.layers.layer import CannotHold, Layer
from migrate02.formats.layers.printing import PRINTF
from migrate02.formats.layers.python import SHLEX_DOUBLE
from migrate02.formats.layers.shells import ANSI_C, DOUBLE, HERE, SINGLE, here
from migrate02.formats.layers.systemd import systemd
from migrate02.formats.layers.table import LAYERS
from migrate02.formats.layers.yamlscalars import (
    YAML_DOUBLE,
    YAML_PLAIN,
    YAML_SINGLE,
    folded_block,
    literal_block,
)
from migrate02.formats.placeholders import placeholder, unmask
from migrate02.formats.view import View, apply

_QUICK = settings(deadline=None, max_examples=150)

_ALPHABET = st.sampled_from(
    [*list("ab1 \t\n\\\"'`$%{}()!#:-=,<>&|;~*?[]@"), "$X", "${Y}", "$(z)", "\\$", "%H", "${!X}", "é", "\x07"]
)
_TEXTS = st.lists(_ALPHABET, max_size=12).map("".join)
_LAYERS = st.sampled_from(sorted(LAYERS))


_LEADS = {"a YAML block": "  ", "a here-document behind <<-": "\t"}
"""What stands before a whole text: the indentation of its first line."""


def _can_hold(layer: Layer, text: str) -> str:
    try:
        return _LEADS.get(layer.name, "") + layer.encode(text)
    except CannotHold:
        assume(False)
        raise


@_QUICK
@given(_LAYERS, _TEXTS)
@example("systemd, double quotes", "$")
@example("Terraform here-document", "$${x}")
@example("here-document", "\\")
def test_what_is_written_is_read_again(name: str, text: str) -> None:
    layer = LAYERS[name]
    assert unmask(layer.decode(_can_hold(layer, text)).text) == text


@_QUICK
@given(_LAYERS, _TEXTS, _TEXTS, st.sampled_from(["$H", "${ho.le}", "%H", "$(date)"]))
def test_what_is_filled_in_stays_what_it_is(name: str, before: str, after: str, raw: str) -> None:
    layer = LAYERS[name]
    marked = f"{before}{placeholder(raw, 1)}{after}"
    written = _can_hold(layer, marked)
    assert raw in written


@_QUICK
@given(_LAYERS, _TEXTS)
def test_what_is_not_edited_stays_byte_for_byte(name: str, text: str) -> None:
    """Edits of single characters, each by itself: nothing but its own run changes."""
    layer = LAYERS[name]
    outer = View(f"<{text}>", "f")
    inside = layer.inside(outer, 1, len(text) + 1)
    for at in range(len(inside.text)):
        edit = inside.edit(at, at, "")
        assert apply(outer.text, [edit]) == outer.text


@_QUICK
@given(_LAYERS, _TEXTS)
def test_a_source_map_has_a_place_for_every_character(name: str, text: str) -> None:
    decoded = LAYERS[name].decode(text)
    assert len(decoded.offsets) == len(decoded.text) + 1
    assert list(decoded.offsets) == sorted(decoded.offsets)
    assert decoded.offsets[-1] == len(text)


_STACKS = st.lists(_LAYERS, min_size=1, max_size=4)


def _stacked(names: list[str], text: str) -> tuple[View, str]:
    """The text put into one layer after the other, the last one outermost; and as the stack reads it again."""
    written = text
    for name in names:
        written = _can_hold(LAYERS[name], written)
    return View(written, "f"), text


@_QUICK
@given(_STACKS, _TEXTS)
def test_layers_stack(names: list[str], text: str) -> None:
    view, _ = _stacked(names, text)
    for name in reversed(names):
        view = LAYERS[name].inside(view, 0, len(view.text))
    assert unmask(view.text) == text


@_QUICK
@given(_STACKS, st.sampled_from(["http://$X:1", 'a "b" c', "it's", "${IP}%H", "x\\y"]))
def test_an_edit_of_the_innermost_text_is_seen_through_all_layers(names: list[str], new: str) -> None:
    file, _ = _stacked(names, "one two three")
    view = file
    for name in reversed(names):
        view = LAYERS[name].inside(view, 0, len(view.text))
    assert view.text == "one two three"
    try:
        edit = view.edit(4, 7, new)
    except CannotHold:
        return
    again = View(apply(file.text, [edit]), "f")
    for name in reversed(names):
        again = LAYERS[name].inside(again, 0, len(again.text))
    assert unmask(again.text) == f"one {new} three"


# --- independent readers ----------------------------------------------------------------------------------------------


def _by_a_shell(script: str, shell: str = "/bin/sh") -> str:
    done = subprocess.run(
        [shell],
        input=script.encode(),
        capture_output=True,
        check=True,
        env={"PATH": "/bin:/usr/bin", "LC_ALL": "C.UTF-8"},
    )
    return done.stdout.decode()


def _shell_word(before: str, after: str, shell: str = "/bin/sh") -> Callable[[list[str]], list[str]]:
    def read(written: list[str]) -> list[str]:
        script = "".join(f"printf '%s\\0' {before}{one}{after}\n" for one in written)
        return _by_a_shell(script, shell).split("\0")[:-1]

    return read


def _shell_here(operator: str, delimiter: str) -> Callable[[list[str]], list[str]]:
    def read(written: list[str]) -> list[str]:
        script = "".join(f"cat {operator}{delimiter}\n{one}\nEOF\nprintf '\\0'\n" for one in written)
        return [text[:-1] for text in _by_a_shell(script).split("\0")[:-1]]

    return read


def _yaml(before: str, after: str = "\n", indent: str = "") -> Callable[[list[str]], list[str]]:
    def read(written: list[str]) -> list[str]:
        return [yaml.load(before + indent + one + after, Loader=yaml.BaseLoader)["k"] for one in written]

    return read


def _systemd(text: str) -> str:
    """systemd.syntax(7) and systemd.service(5), one character after the other."""
    letters = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}
    said, at = "", 0
    while at < len(text):
        two = text[at : at + 2]
        if two in ("%%", "$$"):
            said, at = said + two[0], at + 2
        elif two[:1] == "\\" and two[1:] in ("\\", '"', "'"):
            said, at = said + two[1], at + 2
        elif two[:1] == "\\" and two[1:] in letters:
            said, at = said + letters[two[1]], at + 2
        else:
            said, at = said + text[at], at + 1
    return said


READERS: dict[str, tuple[Layer, Callable[[list[str]], list[str]]]] = {
    "here-document": (HERE, _shell_here("<<", "EOF")),
    "quoted here-document": (here(quoted=True), _shell_here("<<", "'EOF'")),
    "here-document behind tabs": (here(quoted=False, tabs="\t"), _shell_here("<<-", "EOF")),
    "quoted here-document behind tabs": (here(quoted=True, tabs="\t"), _shell_here("<<-", "'EOF'")),
    "double quotes": (DOUBLE, _shell_word('"', '"')),
    "single quotes": (SINGLE, _shell_word("'", "'")),
    "$'...'": (ANSI_C, _shell_word("$'", "'", "/bin/bash")),
    "bare word": (LAYERS["bare word"], _shell_word("", "")),
    "printf": (
        PRINTF,
        lambda written: _shell_word("", "")(
            [f'"$(printf -- {shlex.quote(one)}; printf .)"' for one in written]
        ),
    ),
    "double quotes of Python": (
        SHLEX_DOUBLE,
        lambda written: [shlex.split(f'"{one}"')[0] for one in written],
    ),
    "systemd, double quotes": (systemd('"'), lambda written: [_systemd(one) for one in written]),
    "systemd, $$": (systemd("'", doubled=True), lambda written: [_systemd(one) for one in written]),
    "JSON": (JSON, lambda written: [json.loads(f'"{one}"') for one in written]),
    "YAML, double quotes": (YAML_DOUBLE, _yaml('k: "', '"\n')),
    "YAML, single quotes": (YAML_SINGLE, _yaml("k: '", "'\n")),
    "YAML, plain": (YAML_PLAIN, _yaml("k: ")),
    "YAML, literal": (literal_block(2), _yaml("k: |2-\n", "\n", "  ")),
    "YAML, folded": (folded_block(2), _yaml("k: >2-\n", "\n", "  ")),
}


@pytest.mark.parametrize("name", READERS)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_what_is_written_is_read_alike_by_who_reads_such_texts(name: str, data: st.DataObject) -> None:
    layer, read = READERS[name]
    texts = data.draw(st.lists(_TEXTS, min_size=1, max_size=10))
    written, held = [], []
    for text in texts:
        if "YAML, " in name and (name.endswith(("literal", "folded")) and not text.strip("\n")):
            continue
        if text.endswith("\n") and name in ("YAML, literal", "YAML, folded"):
            continue  # the end is the block's own
        if name in ("bare word",) and not text:
            continue
        try:
            written.append(layer.encode(text))
            held.append(f"{text}." if name == "printf" else text)
        except CannotHold:
            continue
    assert read(written) == held


@pytest.mark.parametrize("name", READERS)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_a_layer_reads_what_others_write(name: str, data: st.DataObject) -> None:
    """Escapes, line ends that go, blanks: whatever stands there, but for what would be filled in."""
    layer, read = READERS[name]
    pieces = {
        "here-document": ["a", "\\$", "\\`", "\\\\", "\\\n", "\\a", "'", '"', "\n", "\t", " "],
        "quoted here-document": ["a", "\\$", "$X", "`", "\\", "\n", "'", '"', " "],
        "here-document behind tabs": ["a", "\\$", "\\\\", "\n", "\n\t", "\n\t\t", "a\\\n", "\t", " "],
        "quoted here-document behind tabs": ["a", "\\", "$X", "\n", "\n\t", "\t", " "],
        "double quotes": ["a", "\\$", "\\`", '\\"', "\\\\", "\\\n", "\\a", "'", "\n", " "],
        "single quotes": ["a", "'\\''", "'\"'\"'", "\\", "$X", '"', "\n"],
        "$'...'": [
            "a",
            "\\n",
            "\\t",
            "\\'",
            '\\"',
            "\\\\",
            "\\x41",
            "\\101",
            "\\u00e9",
            "\\q",
            "$X",
            "\n",
            "\\?",
        ],
        "bare word": ["a", "\\ ", "\\$", "\\\\", "\\'", "-", "\\\n"],
        "printf": ["a", "\\n", "\\t", "\\\\", "%%", "\\101", "\n", "x"],
        "double quotes of Python": ["a", '\\"', "\\\\", "\\$", "$X", "\\a", "'", "\n"],
        "systemd, double quotes": [
            "a",
            '\\"',
            "\\\\",
            "\\n",
            "\\t",
            "\\s",
            "%%",
            "$$",
            "'",
            "$X",
            "\\q",
            " ",
        ],
        "systemd, $$": ["a", "\\'", "\\\\", "\\n", "%%", "$$", '"'],
        "JSON": ["a", '\\"', "\\\\", "\\n", "\\u0041", "\\ud83d\\ude00", "\\/", "$X"],
        "YAML, double quotes": [
            "a",
            '\\"',
            "\\\\",
            "\\n",
            "\\x41",
            "\\u0041",
            "\\e",
            "\n  ",
            "\n\n  ",
            "\\\n  ",
            " b",
        ],
        "YAML, single quotes": ["a", "''", "\\", "\n  b", "\n\n  b", '"'],
        "YAML, plain": ["a", "b", "\n  c", "\n\n  d", "$X", " e"],
        "YAML, literal": ["a", "\n  b", "\n\n  c", "\n    d", "$X", "\\", " e"],
        "YAML, folded": ["a", "\n  b", "\n\n  c", "\n\n\n  d", "$X", "\\"],
    }[name]
    texts = [
        "x" + "".join(one)
        for one in data.draw(st.lists(st.lists(st.sampled_from(pieces), max_size=8), min_size=1, max_size=10))
    ]
    texts = [text + "x" for text in texts]
    if name in ("YAML, folded", "YAML, literal"):
        expected = [layer.decode(f"  {text}").text for text in texts]
    else:
        expected = [layer.decode(text).text for text in texts]
    if name == "printf":
        expected = [f"{text}." for text in expected]
    assert read(texts) == expected
