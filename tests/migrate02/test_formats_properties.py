"""What holds for every file that is converted in place, whatever settings are in it and however they are written."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compat.flags04 import BY_NAME
from migrate02.cli.report import finding_lines
from migrate02.convert.conversion import Conversion, Options
from migrate02.convert.deployment import convert_text
from migrate02.convert.inputs import convert_words
from migrate02.formats.detection import read_as
from migrate02.formats.document import UnusableInput
from migrate02.formats.format import Format
from migrate02.formats.registry import AMONG_OTHER_THINGS
from migrate02.formats.starts.dialects import quoted_for_systemd
from migrate02.formats.view import View, apply
from tests.migrate02.configurations import Configuration, configurations
from tests.migrate02.running import HOST

pytestmark = pytest.mark.slow
few = settings(max_examples=15)
"""For each of eight kinds of files."""


def named(configuration: Configuration) -> Configuration:
    """With a name: what stands for a host's differs between kinds of files."""
    return Configuration({"name": "m1", **configuration.settings}, configuration.comments)


def _comments(configuration: Configuration, indent: str = "") -> str:
    return "".join(f"{indent}{comment}\n" for comment in configuration.comments)


def _variables(configuration: Configuration) -> dict[str, str]:
    words = (word.lstrip("-").partition("=") for word in configuration.words()[1:])
    return {BY_NAME[name].variable: value for name, _, value in words}


def unit(configuration: Configuration) -> str:
    words = [quoted_for_systemd(word, "") for word in configuration.words()[1:]]
    return (
        f"[Unit]\n{_comments(configuration)}\n[Service]\nExecStart=/usr/bin/etcd "
        + " \\\n  ".join(words)
        + "\n"
    )


def unit_with_variables(configuration: Configuration) -> str:
    lines = [
        f"Environment={quoted_for_systemd(f'{name}={value}', '')}"
        for name, value in _variables(configuration).items()
    ]
    return f"[Service]\n{_comments(configuration)}" + "\n".join(lines) + "\nExecStart=/usr/bin/etcd\n"


def script(configuration: Configuration) -> str:
    return f"#!/bin/sh\n{_comments(configuration)}exec {' '.join(map(_for_a_shell, configuration.words()))}\n"


def script_with_array(configuration: Configuration) -> str:
    words = "".join(f"  {_for_a_shell(word)}\n" for word in configuration.words()[1:])
    return f'#!/bin/bash\n{_comments(configuration)}ARGS=(\n{words})\nexec etcd "${{ARGS[@]}}"\n'


def _for_a_shell(word: str) -> str:
    """Placeholders stay what they are."""
    if "$" in word:
        return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return shlex.quote(word)


def compose(configuration: Configuration) -> str:
    items = "".join(f"    - {json.dumps(word, ensure_ascii=False)}\n" for word in configuration.words()[1:])
    return f"etcd:\n  image: coreos/etcd\n{_comments(configuration, '  ')}  command:\n{items}"


def compose_with_variables(configuration: Configuration) -> str:
    items = "".join(
        f"    {name}: {json.dumps(value, ensure_ascii=False)}\n"
        for name, value in _variables(configuration).items()
    )
    return f"etcd:\n  image: coreos/etcd\n{_comments(configuration, '  ')}  environment:\n{items}"


def manifest(configuration: Configuration) -> str:
    args = json.dumps(configuration.words()[1:], ensure_ascii=False)
    containers = f"  containers:\n  - name: etcd\n    image: coreos/etcd\n    args: {args}\n"
    return f"kind: Pod\nmetadata: {{name: x}}\n{_comments(configuration)}spec:\n{containers}"


def dockerfile(configuration: Configuration) -> str:
    words = json.dumps(configuration.words(), ensure_ascii=False)
    return f"FROM busybox\n{_comments(configuration)}CMD {words}\n"


Writer = Callable[[Configuration], str]
WRITERS: list[Writer] = [
    unit,
    unit_with_variables,
    script,
    script_with_array,
    compose,
    compose_with_variables,
    manifest,
    dockerfile,
]


def converted(text: str) -> Conversion:
    return convert_text(text, "input", Options(hostname=HOST, hostname_given=True))


@pytest.mark.parametrize("write", WRITERS)
@few
@given(configuration=configurations().map(named))
def test_every_kind_of_file_gives_what_the_command_line_gives(
    write: Writer, configuration: Configuration
) -> None:
    wanted = convert_words(configuration.words(), Options(hostname=HOST, hostname_given=True))
    found = converted(write(configuration))
    assert not found.refused, finding_lines(found.findings)
    assert found.config == wanted.config


@pytest.mark.parametrize("write", WRITERS)
@few
@given(configuration=configurations().map(named))
def test_a_converted_file_converts_to_itself(write: Writer, configuration: Configuration) -> None:
    once = converted(write(configuration))
    assert once.text is not None
    again = converted(once.text)
    assert again.text == once.text
    assert again.config == once.config


@pytest.mark.parametrize("write", WRITERS)
@few
@given(configuration=configurations().map(named))
def test_no_line_that_sets_nothing_is_lost_or_moved(write: Writer, configuration: Configuration) -> None:
    text = write(configuration)
    after = converted(text)
    assert after.text is not None
    kept = [line for line in text.split("\n") if not _sets_something(line)]
    rest = iter(after.text.split("\n"))
    assert all(line in rest for line in kept)  # in this order


def _sets_something(line: str) -> bool:
    return not line.lstrip().startswith("#") and ("-" in line or "ETCD_" in line or "etcd" in line)


@pytest.mark.parametrize("write", WRITERS)
@few
@given(
    configuration=configurations(peers=True).map(named),
    place=st.integers(0, 500),
    insert=st.sampled_from("\"'\\\n#=[]{}:|>-$`;&()%\t\r \ufeff\udcff"),
)
def test_a_damaged_file_gives_a_result_that_stays_or_a_reason(
    write: Writer, configuration: Configuration, place: int, insert: str
) -> None:
    text = write(configuration)
    for damaged in (text[:place] + insert + text[place:], text[:place], text.replace("\n", "\r\n")):
        once = converted(damaged)
        if once.text is None:
            assert any(line.startswith("error[") for line in finding_lines(once.findings))
            continue
        again = converted(once.text)
        assert again.text in (None, once.text) or once.text == damaged


_PIECES = st.sampled_from(
    [
        *"\n\r\t \"'\\#=[]{}()$`;&|<>:-,.0aé\x0b\x85\u2028\ufeff\udcff%!*?",
        *(
            "etcd ",
            "-addr ",
            "10.0.0.1:4001",
            "ETCD_ADDR=",
            "[Service]\n",
            "ExecStart=",
            "Environment=",
            "exec ",
        ),
        *(
            "#!/bin/sh\n",
            "#cloud-config\n",
            "coreos:\n",
            "  etcd:\n",
            "    addr: ",
            "write_files:\n",
            "content: |\n",
        ),
        *(
            "image: etcd\n",
            "command: ",
            "- ",
            "kind: Pod\n",
            "containers:\n",
            "args: [",
            "env:\n",
            "FROM x\n",
            "CMD [",
        ),
        *(
            "[program:etcd]\n",
            "command=",
            "start on x\n",
            "script\n",
            "end script\n",
            "docker run ",
            "<<EOF\n",
            "EOF\n",
        ),
        *(
            "$(",
            "${",
            "if [ x ]; then\n",
            "fi\n",
            "&& ",
            "A=(",
            'OPTS="',
            "$OPTS",
            "-e ",
            "{{ x }}",
            "<%= y %>",
        ),
    ]
)


@settings(max_examples=400)
@given(text=st.lists(_PIECES, max_size=30).map("".join))
@example("[Service]\nExecStart=etcd -addr 10.0.0.1:4001 \\")
@example("#cloud-config\ncoreos:\n  etcd:\n    addr: |\n")
@example("#!/bin/sh\netcd -addr 10.0.0.1:4001 <<EOF\n")
@example("image: etcd\ncommand: [")
@example('FROM x\nCMD ["etcd", "-addr"')
@example('#!/bin/sh\nOPTS="$OPTS -v"\nOPTS="$OPTS"\nexec etcd $OPTS')
@example("#!/bin/sh\nA=$B\nB=$A\nexec etcd $A $B -addr $A")
def test_odd_texts_give_a_result_or_a_reason(text: str) -> None:
    once = converted(text)
    if once.text is not None and once.text != text:
        again = converted(once.text)
        assert again.text in (None, once.text)


@settings(max_examples=200)
@given(text=st.lists(_PIECES, max_size=30).map("".join), format=st.sampled_from(AMONG_OTHER_THINGS))
def test_a_format_that_is_forced_on_a_text_reads_it_or_refuses_it(text: str, format: Format) -> None:
    view = View(text, "input")
    try:
        reading = read_as(format, view).reading
    except UnusableInput:
        return
    for setup in reading.setups:  # every setting stands where it says
        for occurrence in (*setup.flags, *setup.variables):
            gone = apply(text, [occurrence.becomes([])])
            assert len(gone) <= len(text) + len("# 0.4: ")
