"""3.x's YAML."""

from __future__ import annotations

import pytest

from migrate02.formats.document import NothingToConvert, UnusableInput
from tests.migrate02.formats.readers import document, given, read

TEXT = """\
# a member
name: m1
listen-client-urls: http://10.0.0.9:2379 # for clients
client-transport-security:
  cert-file: /etc/etcd/cert
"""


def test_settings_are_given_with_their_lines() -> None:
    assert given("yaml", TEXT) == [
        ("name", "m1", 2),
        ("listen-client-urls", "http://10.0.0.9:2379", 3),
        ("cert-file", "/etc/etcd/cert", 5),
    ]


def test_comments_stay_with_what_they_are_about() -> None:
    comments = [piece.comments for piece in document("yaml", TEXT).pieces if piece.comments]
    assert comments == [("# for clients",)]


def test_a_value_that_etcd_refuses_is_a_finding() -> None:
    (finding,) = document("yaml", "name: m1\nmax-snapshots: many\n").findings
    assert finding.code == "invalid-value"
    assert finding.origin is not None
    assert finding.origin.line == 2


@pytest.mark.parametrize("text", ["name: [a\n", "name: *a\n", f"name: {'[' * 300}{']' * 300}\n"])
def test_what_is_broken_or_too_deep_is_refused(text: str) -> None:
    with pytest.raises(UnusableInput, match="YAML"):
        read("yaml", text)


@pytest.mark.parametrize("text", ["- a\n", "colour: red\n", "name:\n"])
def test_a_file_of_others_has_nothing(text: str) -> None:
    with pytest.raises(NothingToConvert):
        read("yaml", text)
