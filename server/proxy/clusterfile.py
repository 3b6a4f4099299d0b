"""``data-dir/proxy/cluster``: the members' peer URLs as last heard, for when the flags lead nowhere any more.

The file is etcd 2.3.8's: ``{"PeerURLs":["http://..."]}``.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from server.cluster.members import compact_json
from server.storage.errors import StorageError, reporting
from server.storage.files import REAL_FILES, make_private_directory, write_new_file


class ClusterFile:
    """The file in a data directory, which need not be there."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "proxy" / "cluster"
        self._written: list[str] | None = None

    def read(self) -> list[str] | None:
        """The peer URLs in it, None if there is no file. Raises StorageError for one that cannot be used."""
        with reporting("read the cluster file", self.path):
            try:
                content = self.path.read_bytes()
            except FileNotFoundError:
                return None
        try:
            value = json.loads(content)
            urls = value["PeerURLs"]
            if not (urls and isinstance(urls, list) and all(isinstance(url, str) for url in urls)):
                raise ValueError
        except (ValueError, RecursionError, KeyError, TypeError):
            raise StorageError(
                'the cluster file does not hold {"PeerURLs":[...]}. Move it aside to start from the flags again',
                self.path,
            ) from None
        self._written = urls
        return list(urls)

    def make_directory(self) -> None:
        """That it is in. Raises StorageError."""
        with reporting("make the directory", self.path.parent):
            make_private_directory(self.path.parent)

    def write(self, peer_urls: Iterable[str]) -> bool:
        """Puts the URLs in it, if they are others than before; whether they were. Raises StorageError."""
        urls = list(peer_urls)
        if urls == self._written:
            return False
        with reporting("write the cluster file", self.path):
            write_new_file(REAL_FILES, self.path, [compact_json({"PeerURLs": urls})], 0o600)
        self._written = urls
        return True
