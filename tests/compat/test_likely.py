"""A misspelt name is met with the one that was meant, and only where there is one."""

from __future__ import annotations

import pytest

from compat.likely import did_you_mean, likely

KNOWN = ("-addr", "-bind-addr", "-peer-addr", "peer.addr", "-name")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("adr", "-addr"),
        ("--ADDRR", "-addr"),
        ("bindaddr", "-bind-addr"),
        ("peer.adress", "peer.addr"),
        ("nmae", "-name"),
        ("something", ""),
        ("", ""),
        ("-", ""),
        ("a", ""),
        ("the addr", ""),
        ("addr" * 100, ""),
    ],
)
def test_the_name_that_is_most_like_it(word: str, meant: str) -> None:
    assert likely(word, KNOWN) == meant
    assert did_you_mean(word, KNOWN) == (f"; did you mean {meant}?" if meant else "")
