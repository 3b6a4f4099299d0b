"""The log of 0.4: read up to a torn tail, refused with the place where anything else is wrong, never read wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate02.datadir.errors import DataError
from migrate02.datadir.log04 import Entry, Log, Torn
from tests.support.datadirs04 import FIRST, encode_entry, encode_log, set_to, unpack

COMMANDS = (*FIRST, *(set_to(f"/k{n}", "v" * n) for n in range(20)))


def read(path: Path, data: bytes) -> tuple[list[Entry], Torn | None]:
    path.write_bytes(data)
    log = Log(path)
    return list(log), log.torn


def test_entries_are_read_as_0_4_writes_them(tmp_path: Path) -> None:
    data = encode_log(COMMANDS, first=130, term=300)
    entries, torn = read(tmp_path / "log", data)
    assert [(entry.index, entry.term, entry.name) for entry in entries] == [
        (130 + n, 300, name) for n, (name, _) in enumerate(COMMANDS)
    ]
    assert [entry.command for entry in entries] == [command or {} for _, command in COMMANDS]
    assert [data[entry.offset + 8] for entry in entries] == [10] * len(COMMANDS)
    assert torn is None


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert list(Log(tmp_path / "log")) == []


def test_a_log_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        list(Log(tmp_path / "log"))


def test_cut_at_every_byte_it_is_read_up_to_the_last_whole_entry(tmp_path: Path) -> None:
    data = (unpack("s-noconf", tmp_path) / "noconf" / "log").read_bytes()
    whole, _ = read(tmp_path / "log", data)
    ends = [entry.offset for entry in whole[1:]] + [len(data)]
    for size in range(len(data)):
        entries, torn = read(tmp_path / "log", data[:size])
        count = sum(end <= size for end in ends)
        assert entries == whole[:count], size
        begins = ends[count - 1] if count else 0
        assert torn == (None if size == begins else Torn(begins, size - begins)), size


@pytest.mark.parametrize("tail", [bytes(512), b"\n", b"       e\n", b"       5\nhello", b"garbage" * 100])
def test_a_tail_that_is_no_entry_is_torn(tmp_path: Path, tail: bytes) -> None:
    data = encode_log(COMMANDS)
    entries, torn = read(tmp_path / "log", data + tail)
    assert len(entries) == len(COMMANDS)
    assert torn == Torn(len(data), len(tail))


def test_damage_with_an_entry_behind_it_is_refused_with_both_places(tmp_path: Path) -> None:
    data = bytearray(encode_log(COMMANDS))
    entries, _ = read(tmp_path / "log", bytes(data))
    at, after = entries[5].offset, entries[6].offset
    data[at + 12 : at + 20] = bytes(8)
    with pytest.raises(DataError) as refused:
        read(tmp_path / "log", bytes(data))
    assert refused.value.offset == at
    assert f"after entry 5 there is no whole entry, and yet at byte {after} the log goes on" in str(
        refused.value
    )
    assert "another member" in refused.value.remedy


@pytest.mark.parametrize(
    ("second", "says"),
    [
        ((3, 0), "entry 3 follows entry 1"),
        ((1, 0), "entry 1 follows entry 1"),
        ((2, 4), "entry 2 has term 4, after one of term 5"),
    ],
)
def test_indexes_and_terms_out_of_order_are_damage(
    tmp_path: Path, second: tuple[int, int], says: str
) -> None:
    data = encode_entry(1, 5, *set_to("/a", "1"))
    with pytest.raises(DataError) as refused:
        read(tmp_path / "log", data + encode_entry(*second, *set_to("/b", "2")))
    assert says in refused.value.message
    assert refused.value.offset == len(data)


WHOLE = encode_log(COMMANDS)


@pytest.fixture(scope="module")
def log_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "log"


@settings(max_examples=400)
@given(
    at=st.integers(0, len(WHOLE) - 1),
    cut=st.integers(0, 30),
    put=st.binary(max_size=30),
)
def test_whatever_is_changed_at_most_the_changed_entry_reads_otherwise(
    log_path: Path, at: int, cut: int, put: bytes
) -> None:
    """There is no checksum, so a change that keeps the form cannot be seen. But nothing else may come of it."""
    whole, _ = read(log_path, WHOLE)
    damaged = WHOLE[:at] + put + WHOLE[at + cut :]
    refused = None
    try:
        entries, torn = read(log_path, damaged)
    except DataError as error:
        refused = error
    first = max(n for n, entry in enumerate(whole) if entry.offset <= at)
    if refused is not None:
        ends = [entry.offset for entry in whole[1:]] + [len(WHOLE)]
        assert refused.offset is not None
        assert whole[first].offset <= refused.offset <= ends[first] + len(put)
        return
    assert entries[:first] == whole[:first]
    if torn is None and len(entries) == len(whole):
        last = max(n for n, entry in enumerate(whole) if entry.offset < max(at + cut, at + 1))
        shift = len(damaged) - len(WHOLE)
        moved = [
            Entry(entry.index, entry.term, entry.name, entry.command, entry.offset + shift)
            for entry in whole[last + 1 :]
        ]
        assert entries[last + 1 :] == moved
    assert [entry.index for entry in entries] == list(range(1, len(entries) + 1))


@settings(max_examples=200)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_entries_or_torn_or_refused(log_path: Path, data: bytes) -> None:
    try:
        entries, torn = read(log_path, data)
    except DataError:
        return
    assert (torn is None) == (not data or bool(entries))
