"""What ``undo`` believes of a manifest: only what we write ourselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.migrate02.files.planted import NAMES, OLD, World, put, sha


def entry(backup: object, data: bytes = OLD.encode()) -> dict[str, Any]:
    return {
        "backup": backup,
        "size": len(data),
        "written": sha(b"precious\n"),
        "original": sha(data),
        "node": 7,
    }


ELSEWHERE = [
    "victim",
    "../new",
    "../../../outside/victim",
    "files",
    "files/",
    "files/../../../outside/victim",
    "files/a/../../new",
    "files//etc/passwd",
    "files/./a/x",
    "files/a/",
    "files/.migrate02/0001/files/a/etcd.env",
    "files/a/.migrate02/x",
    "other/a/etcd.env",
    "/etc/passwd",
    "",
    "files/a\0b",
    "files/\ud800",
]


@pytest.mark.parametrize("backup", ELSEWHERE)
def test_a_path_that_leads_elsewhere_refuses_the_whole_manifest(world: World, backup: str) -> None:
    found = world.manifest
    found["files"].append(entry(backup))
    world.say(found)
    world.refused("manifest.json: entry 3", repr(backup).encode("utf-8", "backslashreplace").decode())


@pytest.mark.parametrize("backup", ELSEWHERE)
def test_so_it_does_in_a_manifest_of_version_1(world: World, backup: str) -> None:
    files = [{"backup": f"files/{NAMES[0]}", "size": len(OLD), "written": sha(world.new.encode())}]
    files.append({"backup": backup, "size": len(OLD), "written": sha(b"precious\n")})
    world.say({"version": 1, "files": files})
    world.refused("manifest.json: entry 2")


BAD_ENTRIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a path that is a number": lambda one: one.update(backup=5),
    "a path that is a list": lambda one: one.update(backup=["files", "a"]),
    "no path": lambda one: one.pop("backup"),
    "a size in words": lambda one: one.update(size="5"),
    "a size that is true": lambda one: one.update(size=True),
    "a size with a fraction": lambda one: one.update(size=5.0),
    "a negative size": lambda one: one.update(size=-1),
    "no digest": lambda one: one.update(written=""),
    "a digest of another kind": lambda one: one.update(original="0" * 40),
    "no digest of the original": lambda one: one.pop("original"),
    "a digest that is none": lambda one: one.update(written=None),
    "a node in words": lambda one: one.update(node="1"),
    "one thing more": lambda one: one.update(command="rm"),
}


@pytest.mark.parametrize("what", BAD_ENTRIES)
def test_an_entry_that_is_not_as_we_write_it_refuses_the_whole_manifest(world: World, what: str) -> None:
    found = world.manifest
    BAD_ENTRIES[what](found["files"][1])
    world.say(found)
    world.refused("manifest.json: entry 2")


def test_a_file_that_is_listed_twice_refuses_the_whole_manifest(world: World) -> None:
    found = world.manifest
    found["files"].append(found["files"][0])
    world.say(found)
    world.refused("entry 3", "files/a/etcd.env", "listed twice")


@pytest.mark.parametrize("version", [3, 99, 0, -1, "2", True, None, 2.0, [2]])
def test_a_manifest_of_a_version_that_is_not_known_is_refused(world: World, version: object) -> None:
    world.say(world.manifest | {"version": version})
    world.refused("manifest.json: of version")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", "null", "[" * 100_000, '{"a":' * 100_000, "\xff", "NaN"]
)
def test_a_manifest_that_is_none_is_refused(world: World, text: str) -> None:
    (world.folder / "manifest.json").write_bytes(text.encode("latin-1"))
    world.refused("manifest.json")


@pytest.mark.parametrize("files", [None, {}, "files", 5, [None], [[]], [5]])
def test_a_list_of_files_that_is_none_is_refused(world: World, files: object) -> None:
    world.say(world.manifest | {"files": files})
    world.refused("manifest.json")


@pytest.mark.parametrize("kind", ["fifo", "link", "directory"])
def test_a_manifest_that_is_no_file_is_refused_and_not_waited_for(world: World, kind: str) -> None:
    path = world.folder / "manifest.json"
    path.rename(world.outside / "manifest.json")
    put(path, kind, world.outside / "manifest.json")
    world.refused("manifest.json")
