"""``migrate02 data`` and ``import``: what is printed, and with which status. The work is done in ``datadir``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from migrate02.arguments import Misuse
from migrate02.data_arguments import DataArguments, read_data_arguments
from migrate02.datadir.conversion import (
    Request,
    Result,
    Written,
    convert_one,
    convert_together,
    standby_advice,
)
from migrate02.datadir.errors import DataError
from migrate02.datadir.listing import user_keys
from migrate02.exits import DONE, REFUSED, RESIDUE
from server.cluster.ids import id_text


def data(argv: list[str]) -> int:
    """``migrate02 data``; returns the exit status."""
    run = _WORDS.get(argv[0]) if argv else None
    try:
        return run(argv[1:]) if run is not None else _convert(read_data_arguments(argv))
    except (Misuse, DataError) as error:
        print(f"migrate02 data: {error}", file=sys.stderr)
        return REFUSED


def _convert(args: DataArguments) -> int:
    request = Request(args.name, args.initial_cluster, args.initial_cluster_token)
    paths = [Path(path) for path in args.paths]
    if args.out:
        result = convert_together(paths, Path(args.out), request, all_members=args.all_members)
    else:
        result = convert_one(paths[0], paths[-1], request, beside=args.beside)
    if args.json:
        print(json.dumps(_as_json(result)))
    else:
        _print(result)
    for warning in result.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return RESIDUE if result.warnings else DONE


def _print(result: Result) -> None:
    for reading in result.readings:
        source = reading.source
        taken = " <- taken for all" if reading is result.truth and len(result.readings) > 1 else ""
        print(
            f"{source.path}: member {reading.name or 'unknown'}, last entry {source.index} of term {source.term}, "
            f"{reading.keys} keys at index {source.store.index}, digest {reading.digest[:16]}{taken}"
        )
    for standby in result.standbys:
        print(f"{standby.path}: {standby_advice(standby)}")
    overdue = _overdue(result)
    if overdue:
        print(
            f"{overdue} keys are past their TTL; the server removes them, as 0.4 would, when it has started"
        )
    for written in result.written:
        print(
            f"{written.path}: written, {result.image.keys} keys at index {result.truth.source.store.index}, member "
            f"{id_text(written.member.id)} of cluster {id_text(result.cluster.id)}"
        )
        print(f"  start it with: {start_line(written, result)}")


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


def _overdue(result: Result) -> int:
    now = time.time_ns()
    return sum(
        key.expiration is not None and key.expiration <= now for key in user_keys(result.truth.source.store)
    )


def _as_json(result: Result) -> dict[str, object]:
    return {
        "index": result.truth.source.store.index,
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


_WORDS: dict[str, Callable[[list[str]], int]] = {}
