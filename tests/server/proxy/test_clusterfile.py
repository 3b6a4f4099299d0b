"""The cluster file: etcd's own form, and never half of it."""

from pathlib import Path

import pytest

from server.proxy.clusterfile import ClusterFile
from server.storage.errors import StorageError

URLS = ["http://10.0.1.10:2380", "https://10.0.1.11:2380"]


def made(data_dir: Path) -> ClusterFile:
    file = ClusterFile(data_dir)
    file.make_directory()
    return file


def test_it_is_written_as_etcd_writes_it_and_for_the_owner_alone(tmp_path: Path) -> None:
    file = made(tmp_path / "d")
    assert file.write(URLS)
    path = tmp_path / "d" / "proxy" / "cluster"
    assert path.read_bytes() == b'{"PeerURLs":["http://10.0.1.10:2380","https://10.0.1.11:2380"]}'
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["cluster"]
    assert ClusterFile(tmp_path / "d").read() == URLS


def test_no_file_is_none(tmp_path: Path) -> None:
    assert ClusterFile(tmp_path).read() is None


def test_it_is_written_only_when_the_urls_are_others(tmp_path: Path) -> None:
    file = made(tmp_path)
    assert [file.write(urls) for urls in (URLS, URLS, URLS[:1])] == [True, False, True]
    again = made(tmp_path)
    again.read()
    assert not again.write(URLS[:1])


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"PeerURLs":null}', b'{"PeerURLs":[]}', b'{"PeerURLs":[1]}', b'"x"']
)
def test_a_file_that_cannot_be_used_is_named_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    file = made(tmp_path)
    file.path.write_bytes(content)
    with pytest.raises(StorageError, match=r"proxy/cluster: .*Move it aside"):
        file.read()


def test_what_stands_in_the_place_of_the_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "proxy").write_text("")
    with pytest.raises(StorageError, match="cannot make the directory"):
        ClusterFile(tmp_path).make_directory()
