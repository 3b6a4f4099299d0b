"""Files that change underneath: between reading a file and putting the result in its place."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from migrate02.files import replacing
from tests.migrate02.files.planted import names
from tests.migrate02.running import convert


def add(path: Path) -> None:
    with path.open("a") as file:
        file.write("# mine\n")


def change_in_place(path: Path) -> None:
    """Of the same size, with the old times."""
    state = path.stat()
    path.write_bytes(path.read_bytes().replace(b"10.0.0", b"10.9.9"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def take_its_place(path: Path) -> None:
    other = path.with_name("written by an editor")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def close(path: Path) -> None:
    path.chmod(0o600)


def label(path: Path) -> None:
    try:
        os.setxattr(path, "user.note", b"1")
    except OSError:
        path.chmod(0o600)


def remove(path: Path) -> None:
    path.unlink()


def lead_elsewhere(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def become_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


CHANGES = (
    add,
    change_in_place,
    take_its_place,
    close,
    label,
    remove,
    lead_elsewhere,
    become_a_directory,
    become_a_pipe,
)


def described(path: Path) -> object:
    """What is there, links as links."""
    state = path.lstat() if os.path.lexists(path) else None
    text = path.read_bytes() if state is not None and stat.S_ISREG(state.st_mode) else b""
    return state and (state.st_ino, state.st_mode, text)


OF_THE_RIGHTS = (take_its_place, close, label)
"""With the same content: before anything is written they are no obstacle, and the result gets the new rights."""
STRIKES = [(change, "before it is swapped") for change in CHANGES] + [
    (change, "before it is written aside") for change in CHANGES if change not in OF_THE_RIGHTS
]


@pytest.mark.parametrize(("change", "when"), STRIKES)
@pytest.mark.parametrize("named", [True, False])
def test_what_was_changed_underneath_is_left_with_its_node_and_the_others_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], when: str, *, named: bool
) -> None:
    unit, defaults = tmp_path / "etcd.service", tmp_path / "etcd.default"
    other = tmp_path / "z.env"
    unit.write_text(
        f"[Service]\nEnvironmentFile={defaults}\nExecStart=/usr/bin/etcd -peer-addr 10.0.0.1:7001\n"
    )
    defaults.write_text("ETCD_NAME=m1\nETCD_ADDR=10.0.0.1:4001\n")
    other.write_text("ETCD_NAME=m9\nETCD_ADDR=10.0.0.9:4001\n")
    was = described(unit)
    seen: list[object] = []

    def strike() -> None:
        if not seen:
            change(defaults)
            seen.append(described(defaults))

    if when == "before it is swapped":
        real = os.link

        def link(name: str, *more: Any, **folders: Any) -> None:
            real(name, *more, **folders)
            if name == other.name:  # the last one: everything is written aside
                strike()

        monkeypatch.setattr(os, "link", link)
    else:
        run_all = replacing._Replacement.run

        def run_then(self: Any, check: Callable[[], None]) -> Any:
            strike()
            return run_all(self, check)

        monkeypatch.setattr(replacing._Replacement, "run", run_then)
    run = convert("--write", *([unit, defaults, other] if named else [tmp_path]))
    monkeypatch.undo()
    assert run.status == 3
    assert f"{defaults}: not written: " in run.err
    assert described(defaults) == seen[0]
    assert described(unit) == was
    assert "ETCD_ADVERTISE_CLIENT_URLS" in other.read_text()
    left = {name for name in names(tmp_path) if "migrate02-" in name or ".0.4" in name}
    assert left == ({"z.env.0.4"} if named else set())
