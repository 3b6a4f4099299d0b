"""Dockerfiles."""

from __future__ import annotations

import pytest

from tests.migrate02.formats.readers import Settings, converted, read, starts

NAME: Settings = {"name": "m1"}


@pytest.mark.parametrize(
    ("text", "flags", "variables"),
    [
        ('CMD ["etcd", "-name", "m1"]\n', NAME, {}),
        ('ENTRYPOINT ["/usr/bin/etcd"]\nCMD ["-name", "m1"]\n', NAME, {}),
        ('CMD ["etcd", \\\n  "-name", "m1"]\n', NAME, {}),
        ("CMD exec etcd -name m1\n", NAME, {}),
        ('CMD ["sh", "-c", "exec etcd -name m1"]\n', NAME, {}),
        ('CMD ["etcd", "-name", "no"]\nCMD ["etcd", "-name", "m1"]\n', NAME, {}),
        ('ENV ETCD_CORS x y\nCMD ["etcd", "-name", "m1"]\n', NAME, {"cors": "x y"}),
        ('ENV A=b ETCD_CORS=x\nCMD ["etcd", "-name", "m1"]\n', NAME, {"cors": "x"}),
    ],
)
def test_a_start_is_found_with_its_settings(text: str, flags: Settings, variables: Settings) -> None:
    assert starts("dockerfile", f"FROM debian\n{text}") == [(flags, variables)]


def test_variables_for_etcds_own_image_are_settings() -> None:
    (setup,) = read("dockerfile", "FROM coreos/etcd\nENV ETCD_NAME=m1\n").setups
    assert setup.only_variables


@pytest.mark.parametrize(
    "text",
    [
        "FROM debian\nENV ETCD_NAME=m1\n",
        "FROM debian\nRUN etcd -name m1\n",
        'FROM debian\nCMD ["cat", "etcd"]\n',
    ],
)
def test_what_is_no_start_of_etcd_is_left(text: str) -> None:
    assert starts("dockerfile", text) == []


def test_a_list_stays_a_list() -> None:
    after = converted('FROM debian\nRUN true\nCMD ["etcd", "-name", "m1", "-f"]\nEXPOSE 4001\n')
    assert after.startswith('FROM debian\nRUN true\nCMD ["etcd", ')
    assert after.endswith("]\nEXPOSE 4001\n")
