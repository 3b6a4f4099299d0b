"""``migrate02 data export``: every key, as JSON or as requests, of directories and of running clusters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrate02.cli.exits import DONE, REFUSED
from tests.migrate02.cli.answering import answering
from tests.migrate02.running import migrate02


def test_an_export_holds_every_key_and_can_be_compared(old_data: Path, tmp_path: Path) -> None:
    found = migrate02("data", "export", old_data)
    rows = [json.loads(line) for line in found.out.splitlines()]
    assert rows[0] == {"key": "/a", "value": "1", "createdIndex": 3, "modifiedIndex": 3}
    assert [row["key"] for row in rows] == [
        "/a",
        "/d",
        "/d/_hidden",
        "/d/_hidden/b",
        "/empty",
        "/gone",
        "/ttl",
    ]
    assert rows[4] == {
        "key": "/empty", "dir": True, "createdIndex": 7, "modifiedIndex": 7, "expiration": "2100-01-01T00:00:00Z",
    }  # fmt: skip
    (tmp_path / "keys.jsonl").write_text(found.out)
    assert migrate02("data", "verify", "--indexes", old_data, tmp_path / "keys.jsonl").status == DONE


def test_an_export_as_requests_for_curl(old_data: Path) -> None:
    found = migrate02("data", "export", "--requests", "--to", "http://h:1/", old_data)
    requests = found.out.split("next\n")
    assert [line for part in requests for line in part.splitlines() if line.startswith("url")] == [
        'url = "http://h:1/v2/keys/a"',
        'url = "http://h:1/v2/keys/d/_hidden/b"',
        'url = "http://h:1/v2/keys/ttl"',
        'url = "http://h:1/v2/keys/empty"',
    ]
    assert 'data = "value=%C3%A9%20%26%20%22quoted%22%0A&prevExist=false"' in requests[1]
    assert 'data = "dir=true&ttl=' in requests[3]


@pytest.mark.parametrize("content", [b"", b"no snapshot", b'{"key":"/a"}\n', b'{"Root":5}', b"[1]"])
def test_a_file_that_is_none_of_them(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    found = migrate02("data", "export", tmp_path / "file")
    assert (found.status, found.out) == (DONE if not content else REFUSED, "")


def test_a_cluster_that_does_not_answer_is_one_line() -> None:
    with answering({}) as url:
        pass
    found = migrate02("data", "export", url)
    assert found.status == REFUSED
    assert found.err.startswith(f"migrate02 data export: {url}/v2/migration/snapshot does not answer: ")
