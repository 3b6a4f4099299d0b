"""The files and directories of a store, and when they expire: what can be done to them without asking whether it may.

Two flat dicts, path to file and path to directory, make up the tree; a directory also knows the paths of its
children. So a get or an overwriting set is one lookup however deep the key is.
"""

from __future__ import annotations

from collections.abc import Iterable

from server.store.errors import ErrorCode, EtcdError
from server.store.expiry import Expiry, ExpiryQueue
from server.store.node import Directory, StoreNode
from server.store.paths import parent_of


class KeyTree:
    """Paths are clean. ``index`` counts the changes, and is what the last of them wrote.

    ``expiration`` is absolute, in Unix nanoseconds, None for no TTL. A change that raises EtcdError changes nothing.
    """

    def __init__(self, namespaces: Iterable[str]) -> None:
        self.index = 0
        self.files: dict[str, StoreNode] = {}
        self.directories: dict[str, Directory] = {"/": Directory("/", 0, 0)}
        self.expiries = ExpiryQueue(self.still_expires)
        self._age = 0
        """How often it was frozen: directories that are older are shared with a frozen copy."""
        for path in namespaces:
            self._add_directory(Directory(path, 0, 0))

    # Looking

    def find(self, path: str) -> StoreNode | Directory:
        """What is at a path. Raises EtcdError 100 or 104, which names the first component that is missing or is a
        file."""
        found = self.files.get(path) or self.directories.get(path)
        if found is not None:
            return found
        end = path.find("/", 1)
        while end != -1:
            above = path[:end]
            if above in self.files:
                raise EtcdError(ErrorCode.NOT_A_DIRECTORY, above, self.index)
            if above not in self.directories:
                raise EtcdError(ErrorCode.KEY_NOT_FOUND, above, self.index)
            end = path.find("/", end + 1)
        raise EtcdError(ErrorCode.KEY_NOT_FOUND, path, self.index)

    def values_in(self, path: str) -> list[bytes]:
        """The values of all files in a directory; none when there is no such directory."""
        directory = self.directories.get(path)
        if directory is None:
            return []
        found = [self.files.get(child) for child in directory.children]
        return [file.value or b"" for file in found if file is not None]

    def still_expires(self, entry: Expiry) -> bool:
        """Whether an entry of the queue is still what the tree says."""
        node = entry.node
        if isinstance(node, StoreNode):
            return self.files.get(node.key) is node
        # A directory's record may have been replaced by a copy since; when it was created says whether it is the same.
        directory = self.directories.get(node.key)
        return (
            directory is not None
            and directory.created_index == node.created_index
            and directory.expiration == entry.at
        )

    # Changing: each takes the next index

    def put_file(self, path: str, value: bytes, expiration: int | None) -> StoreNode:
        """A new file where there is none, with the directories above it, or in the place of another. Raises EtcdError
        104 when a file is where a directory must be."""
        if path not in self.files:
            self._make_parents(path)
        index = self.index = self.index + 1
        node = self.files[path] = StoreNode(path, value, index, index, expiration)
        if expiration is not None:
            self.expiries.add(node)
        return node

    def put_directory(self, path: str, expiration: int | None) -> Directory:
        """A new, empty directory where there is none, or in the place of a file. Raises EtcdError 104, as above."""
        if path not in self.files:
            self._make_parents(path)
        index = self.index = self.index + 1
        self.files.pop(path, None)
        directory = Directory(path, index, index, expiration)
        self._add_directory(directory)
        self.expiries.add(directory)
        return directory

    def rewrite(self, file: StoreNode, value: bytes, expiration: int | None) -> StoreNode:
        """Gives a file a new value and expiration; it stays created when it was."""
        index = self.index = self.index + 1
        node = self.files[file.key] = StoreNode(file.key, value, index, file.created_index, expiration)
        if expiration is not None:
            self.expiries.add(node)
        return node

    def keep_until(self, directory: Directory, expiration: int | None) -> Directory:
        """Gives a directory another expiration; its own indexes stay."""
        self.index += 1
        directory = self._changeable(directory)
        directory.expiration = expiration
        self.expiries.add(directory)
        return directory

    def remove(self, found: StoreNode | Directory) -> tuple[list[str], list[str], list[str]]:
        """Takes out a file, or a directory with all below it. The removed paths, children before parents; those of
        them that were files; those that were directories."""
        path = found.key
        self.index += 1
        gone = files = [path]
        directories: list[str] = []
        if isinstance(found, StoreNode):
            del self.files[path]
        else:
            gone, files = self._with_all_below(found), []
            for each in gone:
                if self.files.pop(each, None) is None:
                    del self.directories[each]
                    directories.append(each)
                else:
                    files.append(each)
        del self._changeable(self.directories[parent_of(path)]).children[path]
        return gone, files, directories

    # Frozen copies

    def freeze(self) -> tuple[dict[str, StoreNode], dict[str, Directory]]:
        """The files and directories as of now. Costs the copy of two dicts; directories are copied later, each at its
        first change."""
        self._age += 1
        return self.files.copy(), self.directories.copy()

    def become(self, files: dict[str, StoreNode], directories: dict[str, Directory], index: int) -> None:
        """Takes over what nobody else keeps."""
        self.files = files
        self.directories = directories
        self.index = index
        self.expiries = ExpiryQueue(self.still_expires)
        for directory in directories.values():
            self.expiries.add(directory)
        for file in files.values():
            self.expiries.add(file)

    # Inside

    def _make_parents(self, path: str) -> None:
        """Enter ``path`` as a child of its directory, made with the next index along with those above it."""
        missing = []
        while True:
            above = parent_of(path)
            directory = self.directories.get(above)
            missing.append(path)
            if directory is not None:
                break
            if above in self.files:
                raise EtcdError(ErrorCode.NOT_A_DIRECTORY, above, self.index)
            path = above
        directory = self._changeable(directory)
        index = self.index + 1
        for child in reversed(missing):
            directory.children[child] = None
            if child is not missing[0]:
                directory = self.directories[child] = Directory(child, index, index, age=self._age)

    def _add_directory(self, directory: Directory) -> None:
        directory.age = self._age
        self.directories[directory.key] = directory
        self._changeable(self.directories[parent_of(directory.key)]).children[directory.key] = None

    def _changeable(self, directory: Directory) -> Directory:
        """The directory itself, or when a frozen copy shares it, one that takes its place in the tree."""
        if directory.age == self._age:
            return directory
        copy = self.directories[directory.key] = directory.copy(self._age)
        return copy

    def _with_all_below(self, directory: Directory) -> list[str]:
        """The paths of a directory and all in it, children before parents."""
        paths = [directory.key]
        for path in paths:
            if (inner := self.directories.get(path)) is not None:
                paths.extend(inner.children)
        paths.reverse()
        return paths
