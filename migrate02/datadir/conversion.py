"""From directories of 0.4 to directories of 2.x: which of them holds the truth, whose they are, and where they go."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from migrate02.datadir.errors import DataError, NotAMember
from migrate02.datadir.listing import Counted, Key, digest, user_keys
from migrate02.datadir.members import DEFAULT_TOKEN, Cluster, cluster_of
from migrate02.datadir.source04 import Source, entry_at, in_use, read_source
from migrate02.datadir.writer import STAGE, Image, check_member, image_of, staging, write_member
from server.cluster.members import Member


@dataclass(slots=True, frozen=True)
class Request:
    """What the caller says of the members. ``names`` belong to the directories in order; an empty one, or none at all,
    leaves it to the directories."""

    names: Sequence[str] = ()
    initial_cluster: str = ""
    token: str = DEFAULT_TOKEN


@dataclass(slots=True)
class ReadDirectory:
    """A directory that was read, and what is to be said of its keys, which are taken out of ``source`` in time.

    ``etcd_index`` is that of the keys; ``digest`` is of all of them, equal for directories that hold the same;
    ``expirations`` are those of the keys that have a TTL, Unix nanoseconds.
    """

    source: Source
    name: str
    etcd_index: int
    digest: str
    keys: int
    expirations: list[int]

    @property
    def progress(self) -> tuple[int, int]:
        """By what the next leader would be chosen."""
        return (self.source.term, self.source.index)


@dataclass(slots=True)
class Written:
    member: Member
    path: Path


@dataclass(slots=True)
class Result:
    """What was done. ``standbys`` were members no more, and have nothing to convert."""

    cluster: Cluster
    image: Image
    readings: list[ReadDirectory]
    truth: ReadDirectory
    written: list[Written] = field(default_factory=list)
    standbys: list[Source] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def convert_one(source: Path, target: Path, request: Request, *, beside: bool = False) -> Result:
    """One directory, of a single member or of one of several. With ``beside`` the target may be the source itself, and
    its files stay next to the new ones. Raises DataError, and then nothing was written."""
    if not beside:
        _check_empty(target)
    reading = _read(source, request.names[0] if request.names else "")
    if reading.source.is_standby:
        raise NotAMember(standby_advice(reading.source), source)
    result = _prepared(reading, [reading], request)
    members = result.cluster.members
    name = _checked_name(reading, members)
    _write(result, [Written(members[name], target)])
    if len(members) > 1:
        others = ", ".join(other for other in members if other != name)
        result.warnings.append(
            f"{name} is one of {len(members)} members: before any is started, those of {others} must have been "
            "converted too and have shown the same digest; if one differs, convert all together (migrate02 data "
            "DIR DIR ... --out OUT), or they will not go on with each other"
        )
    return result


def convert_together(
    sources: Sequence[Path], out: Path, request: Request, *, all_members: bool = False
) -> Result:
    """All directories of a cluster, to ``OUT/NAME`` for each member: the one whose log goes furthest, as in the next
    election, is the truth for all. With ``all_members`` also for those of whom there is no directory.

    Raises DataError, and then nothing was written.
    """
    names = list(request.names) or [""] * len(sources)
    if len(names) != len(sources):
        raise DataError(f"{len(names)} names are given for {len(sources)} directories")
    readings: list[ReadDirectory] = []
    standbys: list[Source] = []
    truth: ReadDirectory | None = None
    for path, name in zip(sources, names, strict=True):
        reading = _read(path, name)
        if reading.source.is_standby:
            standbys.append(reading.source)
            reading.source.take_keys()
            continue
        readings.append(reading)
        if truth is None or reading.progress > truth.progress:
            truth, reading = reading, truth or reading
        if reading is not truth:
            reading.source.take_keys()
    if truth is None:
        raise NotAMember("none of the directories is of a member: all were standbys, or removed")
    result = _prepared(truth, readings, request)
    result.standbys = standbys
    members = result.cluster.members
    owners: dict[str, ReadDirectory] = {}
    for reading in readings:
        name = _checked_name(reading, members)
        if name in owners:
            raise DataError(f"is of member {name}, as {owners[name].source.path} is", reading.source.path)
        owners[name] = reading
        _compare(reading, truth, result.warnings)
    absent = [name for name in members if name not in owners]
    if len(owners) <= len(members) // 2:
        result.warnings.append(
            f"of {len(members)} members only {len(owners)} are here: a write that was acknowledged may be with the "
            f"others alone ({', '.join(absent)})"
        )
    if absent and not all_members:
        result.warnings.append(
            f"no directory is given of {', '.join(absent)}: with --all-members they get one too, with the same keys; "
            "without, the cluster waits for them"
        )
    chosen = list(members) if all_members else list(owners)
    for name in chosen:
        if not name or Path(name).name != name or name == ".." or "\0" in name:
            raise DataError(
                f"the name {name!r} cannot be that of a directory", remedy="convert one at a time"
            )
        if (out / name).is_symlink():
            raise DataError(
                "is a link, and where it leads nobody has said",
                out / name,
                remedy="remove it, or give another --out",
            )
        _check_empty(out / name)
    _write(result, [Written(members[name], out / name) for name in chosen])
    return result


def standby_advice(source: Source) -> str:
    """What becomes of a node that is no member."""
    known = source.standby.members if source.standby is not None else {}
    flags = ",".join(f"{name}={url}" for name, url in known.items()) or "NAME=URL,..."
    return (
        "was a standby of its cluster when it was stopped, or had been removed, so its keys are outdated and there is "
        f"nothing to convert: start 2.x with an empty directory and --proxy on --initial-cluster {flags}"
    )


def _read(path: Path, name: str) -> ReadDirectory:
    if in_use(path):
        raise DataError(
            "a process still writes here: stop etcd 0.4 first", path / "log", remedy="then convert again"
        )
    source = read_source(path)
    expirations: list[int] = []
    keys = Counted(_noting(user_keys(source.store), expirations))
    total = digest(keys, source.store.index)
    return ReadDirectory(source, name or source.name, source.store.index, total, keys.count, expirations)


def _noting(keys: Iterable[Key], expirations: list[int]) -> Iterator[Key]:
    for key in keys:
        if key.expiration is not None:
            expirations.append(key.expiration)
        yield key


def _prepared(truth: ReadDirectory, readings: list[ReadDirectory], request: Request) -> Result:
    registered = truth.source.members
    cluster = cluster_of(registered, request.initial_cluster, request.token)
    warnings = [warning for reading in readings for warning in reading.source.warnings]
    image = image_of(truth.source.take_keys(), cluster, registered)
    return Result(cluster, image, readings, truth, warnings=warnings)


def _checked_name(reading: ReadDirectory, members: Mapping[str, Member]) -> str:
    names = ", ".join(members)
    if not reading.name:
        raise DataError(
            f"nothing here tells which member's this is: {names}",
            reading.source.path,
            remedy="give --name NAME (in 0.4 it came from -name or ETCD_NAME, else the host name)",
        )
    if reading.name not in members:
        raise NotAMember(
            f"{reading.name} is no member of the cluster; the members are {names}", reading.source.path
        )
    return reading.name


def _compare(reading: ReadDirectory, truth: ReadDirectory, warnings: list[str]) -> None:
    """Whether a directory's log is the beginning of the truth's, as it is when both are of one cluster."""
    source = reading.source
    if reading is truth or source.index == 0:
        return
    mine, theirs = entry_at(source, source.index), entry_at(truth.source, source.index)
    if mine is None or theirs is None:
        return  # a snapshot has taken its place
    if mine.term != theirs.term:
        warnings.append(
            f"{source.path / 'log'}, byte {mine.offset}: the last entries were never agreed on, and are not in "
            f"{truth.source.path}; they are left out"
        )
    elif (mine.name, mine.command) != (theirs.name, theirs.command):
        raise DataError(
            f"entry {mine.index} is another one than in {truth.source.path}: they are not of the same cluster",
            source.path / "log",
            mine.offset,
        )


def _check_empty(target: Path) -> None:
    try:
        found = sorted(path.name for path in target.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise DataError(f"cannot be used: {error.strerror}", target) from error
    left = next((name for name in found if STAGE.match(name)), "")
    if left:
        raise DataError(
            "was left by a run that was cut short",
            target / left,
            remedy="remove it, unless that run is still at work",
        )
    if found:
        raise DataError(
            f"is not empty ({', '.join(found[:3])}{', ...' if len(found) > 3 else ''}): give a new directory",
            target,
        )


def _write(result: Result, wanted: list[Written]) -> None:
    with staging([one.path for one in wanted], result.truth.source.path) as stages:
        for one, stage in zip(wanted, stages, strict=True):
            write_member(stage, result.image, one.member, result.cluster)
        result.image = result.image.without_pieces()
        gc.collect()  # a key space refers to itself, and nobody else collects garbage in a short life
        for one, stage in zip(wanted, stages, strict=True):
            check_member(stage, result.image, one.member, result.cluster)
    result.written = wanted
