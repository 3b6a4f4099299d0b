"""supervisord's programs."""

from __future__ import annotations

import pytest

from tests.migrate02.formats.readers import Settings, converted, read, starts

NAME: Settings = {"name": "m1"}


@pytest.mark.parametrize(
    ("text", "flags", "variables"),
    [
        ("command=/usr/bin/etcd -name m1\n", NAME, {}),
        ("command = /usr/bin/etcd\n  -name m1\n", NAME, {}),
        ("command: etcd -name m1 ; a comment\n", NAME, {}),
        ("command=sh -c 'exec etcd -name m1'\n", NAME, {}),
        ('environment=A="b",ETCD_CORS="x"\ncommand=etcd -name m1\n', NAME, {"cors": "x"}),
        ("command=etcd -name %(host_node_name)s\n", {"name": "%(host_node_name)s"}, {}),
    ],
)
def test_a_program_is_found_with_its_settings(text: str, flags: Settings, variables: Settings) -> None:
    assert starts("supervisor", f"[program:etcd]\n{text}") == [(flags, variables)]


def test_each_program_has_its_own() -> None:
    text = "[program:a]\ncommand=etcd -name a\n\n[program:b]\ncommand=etcd -name b\n\n[supervisord]\ncommand=etcd -name c\n"
    assert [flags["name"] for flags, _ in starts("supervisor", text)] == ["a", "b"]


def test_the_host_is_named_in_its_way() -> None:
    (setup,) = read("supervisor", "[program:etcd]\ncommand=etcd\n").setups
    assert setup.hostname == "%(host_node_name)s"


def test_programs_of_others_stay() -> None:
    text = "[program:a]\ncommand=cat /etc/etcd/etcd.conf\n"
    assert converted(text) == text
