"""Heads of requests, read once and known again."""

from server.http.heads import Heads

LINES = b" HTTP/1.1\r\nHost: x\r\n%b\r\n"


def test_a_head_is_read_once() -> None:
    heads = Heads()
    assert heads[LINES % b""] is heads[LINES % b""]


def test_a_head_with_a_password_is_not_kept() -> None:
    heads = Heads()
    for name in (b"Authorization", b"authorization"):
        assert not heads[LINES % (name + b": Basic cm9vdDpzZWNyZXQ=\r\n")].fault
    assert heads[LINES % b"Authorization: Basic cm9vdDpzZWNyZXQ=\r\nContent-Length: x\r\n"].fault
    assert not heads
