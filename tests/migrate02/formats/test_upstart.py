"""Upstart's jobs."""

from __future__ import annotations

import pytest

from tests.migrate02.formats.readers import Settings, converted, starts

NAME: Settings = {"name": "m1"}


@pytest.mark.parametrize(
    ("text", "flags", "variables"),
    [
        ("exec /usr/bin/etcd -name m1\n", NAME, {}),
        ("exec /usr/bin/etcd \\\n  -name m1\n", NAME, {}),
        ("script\n  exec etcd -name m1\nend script\n", NAME, {}),
        ("env ETCD_CORS=x\nexec etcd -name m1\n", NAME, {"cors": "x"}),
        ('env ETCD_CORS="x y"\nexec etcd -name m1\n', NAME, {"cors": "x y"}),
        ("exec start-stop-daemon --start --exec /usr/bin/etcd -- -name m1\n", NAME, {}),
        ("pre-start script\n  etcd -name no\nend script\nexec etcd -name m1\n", NAME, {}),
    ],
)
def test_a_start_is_found_with_its_settings(text: str, flags: Settings, variables: Settings) -> None:
    assert starts("upstart", f"start on runlevel [2345]\n{text}") == [(flags, variables)]


@pytest.mark.parametrize(
    "text",
    [
        "exec consul -name m1\n",
        "# exec etcd -name m1\n",
        "post-stop script\n  exec etcd -name m1\nend script\n",
    ],
)
def test_what_is_no_start_of_etcd_is_left(text: str) -> None:
    assert starts("upstart", f"start on runlevel [2345]\n{text}") == []


def test_only_the_settings_change() -> None:
    text = "start on x\nrespawn\nenv A=b\nexec etcd -name m1 -f\nlimit nofile 1 2\n"
    after = converted(text)
    assert after.startswith("start on x\nrespawn\nenv A=b\nexec etcd ")
    assert after.endswith("\nlimit nofile 1 2\n")
