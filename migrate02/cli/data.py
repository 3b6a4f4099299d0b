"""``migrate02 data`` and ``import``: what is printed, and with which status. The work is done in ``datadir``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from migrate02.cli.arguments import Misuse
from migrate02.cli.data_arguments import (
    DataArguments,
    OtherArguments,
    read_data_arguments,
    read_other_arguments,
)
from migrate02.cli.exits import DONE, REFUSED, RESIDUE, WOULD_CHANGE
from migrate02.cli.progress import on_terminal
from migrate02.datadir.carry import carry
from migrate02.datadir.comparison import differences
from migrate02.datadir.conversion import (
    Request,
    Result,
    Written,
    convert_one,
    convert_together,
    standby_advice,
)
from migrate02.datadir.errors import DataError
from migrate02.datadir.inspection import inspect
from migrate02.datadir.listing import row
from migrate02.datadir.live import Tls
from migrate02.datadir.requests import curl_config
from migrate02.datadir.sides import Side, hidden_roots, is_url, read_side, without_overdue
from migrate02.files.stopping import Stopped, stoppable
from server.cluster.ids import id_text
from server.config import redacted
from server.printable import shown


def data(argv: list[str]) -> int:
    """``migrate02 data``; returns the exit status."""
    run = _WORDS.get(argv[0]) if argv else None
    try:
        return run(argv[1:]) if run is not None else _convert(read_data_arguments(argv))
    except (Misuse, DataError) as error:
        print(shown(f"migrate02 data: {error}"), file=sys.stderr)
        return REFUSED


def _convert(args: DataArguments) -> int:
    request = Request(args.name, args.initial_cluster, args.initial_cluster_token)
    paths = [Path(path) for path in args.paths]
    try:
        with stoppable():
            if args.out:
                result = convert_together(paths, Path(args.out), request, all_members=args.all_members)
            else:
                result = convert_one(paths[0], paths[-1], request, beside=args.beside)
    except Stopped as stopped:
        print(f"migrate02 data: {stopped}", file=sys.stderr)
        return stopped.status
    if args.json:
        print(redacted(json.dumps(_as_json(result))))
    else:
        _print(result)
    _warn(result.warnings)
    return RESIDUE if result.warnings else DONE


def _print(result: Result) -> None:
    for reading in result.readings:
        source = reading.source
        taken = " <- taken for all" if reading is result.truth and len(result.readings) > 1 else ""
        said = (
            f"{source.path}: member {reading.name or 'unknown'}, last entry {source.index} of term {source.term}, "
            f"{reading.keys} keys at index {reading.etcd_index}, digest {reading.digest[:16]}{taken}"
        )
        print(shown(said))
    for standby in result.standbys:
        print(shown(f"{standby.path}: {standby_advice(standby)}"))
    now = time.time_ns()
    overdue = sum(expiration <= now for expiration in result.truth.expirations)
    if overdue:
        print(
            f"{overdue} keys are past their TTL; the server removes them, as 0.4 would, when it has started"
        )
    for written in result.written:
        said = (
            f"{written.path}: written, {result.image.keys} keys at index {result.truth.etcd_index}, member "
            f"{id_text(written.member.id)} of cluster {id_text(result.cluster.id)}"
        )
        print(shown(said))
        print(shown(f"  start it with: {start_line(written, result)}"))


def start_line(written: Written, result: Result) -> str:
    """How 2.x is started on a directory that was written here."""
    member = written.member
    peer, client = ",".join(member.peer_urls), ",".join(member.client_urls)
    flags = [
        f"--name {member.name}",
        f"--data-dir {written.path}",
        f"--initial-advertise-peer-urls {peer}",
        f"--listen-peer-urls {peer}",
        f"--initial-cluster {result.cluster.initial_cluster}",
    ]
    if client:
        flags += [f"--advertise-client-urls {client}", f"--listen-client-urls {client}"]
    return " ".join(["etcd02", *flags])


def _as_json(result: Result) -> dict[str, object]:
    return {
        "index": result.truth.etcd_index,
        "keys": result.image.keys,
        "digest": result.image.digest,
        "clusterId": id_text(result.cluster.id),
        "initialCluster": result.cluster.initial_cluster,
        "read": [
            {
                "path": str(reading.source.path),
                "name": reading.name,
                "lastIndex": reading.source.index,
                "lastTerm": reading.source.term,
                "keys": reading.keys,
                "digest": reading.digest,
                "taken": reading is result.truth,
            }
            for reading in result.readings
        ],
        "standbys": [str(source.path) for source in result.standbys],
        "written": [
            {
                "path": str(written.path),
                "name": written.member.name,
                "memberId": id_text(written.member.id),
                "start": start_line(written, result),
            }
            for written in result.written
        ],
        "warnings": result.warnings,
    }


def _inspect(argv: list[str]) -> int:
    args = read_other_arguments("inspect", argv)
    found = inspect(Path(args.dir))
    rows = {
        name: [str(each) for each in value] if isinstance(value, list) else value
        for name, value in asdict(found).items()
    }
    rows["path"] = str(found.path)
    if args.json:
        print(redacted(json.dumps(rows)))
    else:
        rows["members"] = [f"{name}={','.join(urls)}" for name, urls in found.members.items()]
        for name, value in rows.items():
            for line in value if isinstance(value, list) else [value] if value not in ("", None) else []:
                print(shown(f"{name.replace('_', ' '):16}{line}"))
    return RESIDUE if found.damage else DONE


def _export(argv: list[str]) -> int:
    args = read_other_arguments("export", argv)
    side = read_side(args.dir, args.hidden, _tls(args))
    _warn(side.warnings)
    left_out: list[str] = []
    if args.requests:
        lines = curl_config(side.keys, args.to, time.time_ns(), left_out, overwrite=args.overwrite)
    else:
        lines = (row(key) + "\n" for key in side.keys)
    for line in lines:
        sys.stdout.buffer.write(line.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()
    _warn(f"{path}: too long for curl, left out; migrate02 import takes it" for path in left_out)
    return RESIDUE if side.warnings or left_out else DONE


def _verify(argv: list[str]) -> int:
    args = read_other_arguments("verify", argv)
    tls, hidden = _tls(args), list(args.hidden)
    sides: dict[str, Side] = {}
    for where in sorted((args.a, args.b), key=is_url):  # what tells of hidden keys first
        sides[where] = read_side(where, hidden, tls)
        hidden += hidden_roots(sides[where].keys)
    a, b = sides[args.a], sides[args.b]
    now = time.time_ns()
    found = list(
        differences(
            without_overdue(a.keys, now),
            without_overdue(b.keys, now),
            indexes=args.indexes,
            seconds=args.within,
        )
    )
    if args.json:
        sizes = {"keysInA": len(a.keys), "keysInB": len(b.keys), "indexInA": a.index, "indexInB": b.index}
        print(json.dumps({**sizes, "differences": [one._asdict() for one in found]}))
    else:
        for one in found:
            print(shown(str(one)))
        print(f"A: {a.what}, {len(a.keys)} keys; B: {b.what}, {len(b.keys)} keys; {len(found)} differences")
    _warn([*a.warnings, *b.warnings])
    if a.hides and b.hides:
        _warn(["both are running clusters, which do not list hidden keys; name those with --hidden"])
    return WOULD_CHANGE if found else DONE


def import_(argv: list[str]) -> int:
    """``migrate02 import``; returns the exit status."""
    try:
        args = read_other_arguments("import", argv)
        side = read_side(args.live or args.snapshot, args.hidden, _tls(args))
        _warn(side.warnings)
        if side.hides and not args.hidden:
            _warn([f"{args.live} does not list hidden keys; name those to carry with --hidden"])
        progress = partial(on_terminal(sys.stderr), "carrying keys:") if sys.stderr.isatty() else None
        carried = carry(
            side.keys,
            args.to,
            connections=args.connections,
            overwrite=args.overwrite,
            tls=_tls(args),
            progress=progress,
        )
    except (Misuse, DataError) as error:
        print(shown(f"migrate02 import: {error}"), file=sys.stderr)
        return REFUSED
    _warn(carried.troubles)
    print(
        f"{carried.made} keys made, {carried.there} were there already, {carried.overdue} are past their TTL, "
        f"{len(carried.troubles)} left alone or refused"
    )
    return RESIDUE if carried.troubles or side.warnings else DONE


def _tls(args: OtherArguments) -> Tls:
    return Tls(args.ca_file, args.cert_file, args.key_file)


def _warn(lines: Iterable[str]) -> None:
    for line in lines:
        print(shown(f"warning: {line}"), file=sys.stderr)


_WORDS: dict[str, Callable[[list[str]], int]] = {"inspect": _inspect, "export": _export, "verify": _verify}
