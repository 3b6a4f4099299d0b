"""Passwords, their hashes, and the header that brings them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.auth import hash_password, is_password_of, parse_basic
from server.auth.passwords import cost_of

# Made by etcd 2.3.8 from the password of 100 times x, of which bcrypt sees 72; and from one with a NUL byte.
LONG = "$2a$10$QmoubThi0F9pqjyGwysDEOlfMPJhFPdL1wTUZfhEIFIdZGdi6E6py"
WITH_NUL = "$2a$10$wnYl8NZ/N.rcp7Y01Ad//OkpgKZ0zr6nOSgvl4hdE3PqJi8s4k4cW"


def test_a_hash_has_the_form_that_etcd_writes() -> None:
    hashed = hash_password(b"secret")
    assert hashed.startswith("$2a$10$")
    assert len(hashed) == 60
    assert is_password_of(hashed, b"secret")
    assert not is_password_of(hashed, b"Secret")


@pytest.mark.parametrize("password", [b"", b"a\0b", b"\0", b"x" * 72, b"x" * 200, "né".encode(), b"\xff\xfe"])
def test_any_bytes_are_a_password(password: bytes) -> None:
    hashed = hash_password(password)
    assert is_password_of(hashed, password)
    assert not is_password_of(hashed, b"y" + password)


def test_hashes_of_etcd_are_understood() -> None:
    assert is_password_of(LONG, b"x" * 100)
    assert is_password_of(LONG, b"x" * 72 + b"whatever")
    assert not is_password_of(LONG, b"x" * 71)
    assert is_password_of(WITH_NUL, b"a\0b")
    assert not is_password_of(WITH_NUL, b"a")
    assert not is_password_of(WITH_NUL, b"a\0c")


@pytest.mark.parametrize(
    "hashed", ["", "secret", "$2a$10$short", "$2a$99$" + "a" * 53, "\udcff" * 60, "é" * 60]
)
def test_what_is_no_hash_fits_no_password(hashed: str) -> None:
    assert not is_password_of(hashed, b"secret")
    assert not is_password_of(hashed, b"")


@given(st.text(max_size=70) | st.from_regex(r"\$2[abxy]\$(\+|0)?[0-4]\$.{0,60}"))
def test_no_text_for_a_hash_raises_anything(hashed: str) -> None:
    assert not is_password_of(hashed, b"secret", 4)


@pytest.mark.parametrize(
    ("hashed", "cost"),
    [
        (LONG, 10),
        ("$2b$04$x", 4),
        ("$2y$+5$x", 5),
        ("", 0),
        ("secret", 0),
        ("$1$10$x", 0),
        (f"$2a${'9' * 5000}$x", 0),
    ],
)
def test_the_cost_stands_in_the_hash(hashed: str, cost: int) -> None:
    assert cost_of(hashed) == cost


@pytest.mark.parametrize(
    ("header", "credentials"),
    [
        ("Basic cm9vdDpwdw==", ("root", b"pw")),
        ("basic cm9vdDpwdw==", ("root", b"pw")),
        ("BASIC cm9vdDpwdw==", ("root", b"pw")),
        ("Basic cm9vdDpwdx==", ("root", b"pw")),  # the bits that do not count are not zero
        ("Basic Og==", ("", b"")),
        ("Basic YTpiOmM=", ("a", b"b:c")),
        ("Basic /zr+", ("\udcff", b"\xfe")),
        ("", None),
        ("Basic", None),
        ("Basic ", None),
        ("Bearer cm9vdDpwdw==", None),
        ("cm9vdDpwdw==", None),
        ("Basic cm9vdA==", None),  # no colon
        ("Basic cm9vdDpwdw", None),
        ("Basic cm9vdDpwdw=", None),
        ("Basic cm9vdDpwdw===", None),
        ("Basic cm9vdDpwdw==cm9v", None),
        ("Basic  cm9vdDpwdw==", None),
        ("Basic\tcm9vdDpwdw==", None),
        ("Basic cm9vdDpwdw== ", None),
        ("Basic cm9v dDpwdw==", None),
        ("Basic cm9vd$pwdw==", None),
        ("Basic _zr-", None),
        ("Basic é", None),
        ("Ba\u017fic cm9vdDpwdw==", None),
    ],
)
def test_the_header_is_read_as_go_reads_it(header: str, credentials: tuple[str, bytes] | None) -> None:
    assert parse_basic(header) == credentials
