"""A text's format is found out once, from its content."""

from __future__ import annotations

import pytest

from migrate02.formats.detection import detect, may_be_etcds, read_as
from migrate02.formats.document import NotRead, UnusableInput
from migrate02.formats.reading import NOTHING
from migrate02.formats.registry import AMONG_OTHER_THINGS, named
from migrate02.formats.view import View

START = "/usr/bin/etcd -name m1 -addr 10.0.0.9:4001"
FOUND = {
    "cloud-config": "#cloud-config\ncoreos:\n  etcd:\n    name: m1\n",
    "systemd": f"[Service]\nExecStart={START}\n",
    "openrc": '#!/sbin/openrc-run\ncommand=/usr/bin/etcd\ncommand_args="-name m1"\n',
    "shell": f"#!/bin/sh\nexec {START}\n",
    "upstart": f"start on runlevel [2345]\nexec {START}\n",
    "supervisor": f"[program:etcd]\ncommand={START}\n",
    "dockerfile": 'FROM debian\nCMD ["etcd", "-name", "m1"]\n',
    "cloud-templates": 'user_data = "#!/bin/sh\\nexec etcd -name m1\\n"\n',
    "containers": "etcd:\n  image: coreos/etcd\n  command: -name m1\n",
    "procfile": f"etcd: {START}\n",
}


@pytest.mark.parametrize("name", FOUND)
def test_a_format_is_found_by_content(name: str) -> None:
    found = detect(View(FOUND[name], "input"))
    assert found.format is named(name)
    assert found.reading.setups
    assert may_be_etcds(FOUND[name])


def test_every_format_among_other_things_is_in_the_table() -> None:
    assert FOUND.keys() == {format.name for format in AMONG_OTHER_THINGS}


def test_a_script_without_a_first_line_is_one_by_its_commands() -> None:
    assert detect(View(f"set -e\nexec {START}\n", "input")).format is named("shell")


def test_a_byte_order_mark_hides_no_first_line() -> None:
    assert detect(View("\ufeff" + FOUND["shell"], "input")).reading.setups


@pytest.mark.parametrize(
    "text",
    ['addr = "10.0.0.9:4001"\n', "ETCD_NAME=m1\n", f"{START}\n", '["etcd", "-name", "m1"]\n'],
    ids=["toml", "env", "command", "args-json"],
)
def test_a_text_of_settings_alone_is_of_no_format_among_other_things(text: str) -> None:
    found = detect(View(text, "input"))
    assert found.format is None
    assert found.reading is NOTHING
    assert found.has_settings
    assert found.document is not None
    assert found.document.given


@pytest.mark.parametrize("name", ["#!", "#!/bin/sh", "#cloud-config"])
@pytest.mark.parametrize("between", [" ", " \\\n  ", " \\\r\n\t"], ids=["one-line", "lines", "crlf"])
def test_a_command_with_the_sign_of_another_format_in_a_value_is_a_command(name: str, between: str) -> None:
    found = detect(View(between.join(["etcd", f"-name '{name}'", "-addr 10.0.0.9:4001"]) + "\n", "input"))
    assert found.format is None
    assert found.document is not None
    assert found.document.given


def test_a_file_about_others_is_of_its_format_though_nothing_is_found() -> None:
    found = detect(View("[Unit]\nAfter=etcd.service\n[Service]\nExecStart=/bin/flanneld\n", "input"))
    assert found.format is named("systemd")
    assert found.reading.is_empty
    assert not found.has_settings


def test_a_script_of_another_language_is_read_by_none() -> None:
    found = detect(View("#!/usr/bin/python\nrun('etcd', '-peer-addr', ip)\n", "input"))
    assert isinstance(found.refusal, NotRead)
    assert found.reading.is_empty
    assert found.document is None


def test_what_is_surely_of_a_format_and_broken_is_refused() -> None:
    with pytest.raises(UnusableInput, match="not YAML"):
        detect(View("#cloud-config\ncoreos: [etcd\n", "input"))


def test_what_may_be_of_a_format_and_is_not_is_tried_as_the_next() -> None:
    text = f"image: [broken\nset -e\nexec {START}\n"
    assert detect(View(text, "input")).format is named("shell")


def test_lines_of_a_script_in_a_list_of_containers_make_no_script_of_it() -> None:
    text = "etcd:\n  image: coreos/etcd\n  command: -name m1\nother:\n  command: |\n    cd /\n    etcd -name m2\n"
    assert detect(View(text, "input")).format is named("containers")


def test_a_person_may_say_it_better() -> None:
    text = f"exec {START}\n"
    assert detect(View(text, "input")).format is None
    assert read_as(named("shell"), View(text, "input")).reading.setups


@pytest.mark.parametrize("text", ["", "a word about things\n", "\0etcd -name m1\n"])
def test_what_is_not_about_etcd_is_not_worth_reading(text: str) -> None:
    assert not may_be_etcds(text)
