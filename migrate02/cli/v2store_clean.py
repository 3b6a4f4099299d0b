"""``migrate02 v2store clean``: its arguments, what is printed, and the exit status."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from migrate02.cli.exits import DONE, RESIDUE, WOULD_CHANGE
from migrate02.cli.options import add_wal_dir
from migrate02.cli.output import emit, tell, warn
from migrate02.cli.v2store_inputs import directories_given
from migrate02.cli.v2store_words import described
from migrate02.datadir.errors import DataError
from migrate02.datadir.member3x import Member3x, read_member
from migrate02.files.stopping import Stopped, held
from migrate02.v2store.cleaning import Cleaning, plan_cleaning
from migrate02.v2store.cluster import differing_clusters, standing
from migrate02.v2store.writing import EXPORT, Done, Locked, backup_folder, clean, locked
from server.cluster.ids import id_text
from server.printable import shown

REFUSALS = (DataError,)

EPILOG = """\
exit status:
  0  nothing to do, or done
  1  there is something to do (without --write)
  2  done, but something needs your attention (see the warnings)
  3  refused; nothing was written"""


class CleanArguments(argparse.Namespace):
    inputs: list[str]
    write: bool
    backup: str
    wal_dir: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [options] DIR..."
    parser.description = """\
Remove what v2 left in the data directories of stopped members of etcd 3.5 or 3.6, so that 3.6 and 3.7 start. Keys,
leases, users and revisions of v3 do not change: the database is not written. Without --write, print what would be
done. With it, first copy the files that change, and write the v2 keys beside the copies."""
    parser.epilog = EPILOG
    parser.add_argument(
        "inputs", nargs="*", metavar="DIR", help="a data directory; give all those of one cluster"
    )
    parser.add_argument(
        "--write", action="store_true", help="remove it; without this option, only print a plan"
    )
    parser.add_argument(
        "--backup",
        metavar="DIR",
        default="",
        help="write the copies there (default: DIR.v2store-backup, beside DIR)",
    )
    add_wal_dir(parser)


def run(args: CleanArguments) -> int:
    paths, wal_dir = directories_given(args.inputs, args.wal_dir, "clean")
    wanted = Path(args.backup) if args.backup else None
    if not args.write:
        plans = _planned([read_member(path, wal_dir) for path in paths])
        for plan in plans:
            _print(_plan(plan, wanted))
        if not any(plan.snapshot for plan in plans):
            return DONE
        _print(["Nothing was written. To do it: stop the members, and give the same command with --write"])
        return WOULD_CHANGE
    with ExitStack() as stack:
        targets = [stack.enter_context(locked(path, wal_dir)) for path in paths]
        plans = _planned([target.member for target in targets])
        try:
            _clean(targets, plans, wanted)
        except Stopped as stopped:
            tell([f"migrate02 v2store clean: {stopped}"])
            return stopped.status
    left = _report_standing(plans)
    return RESIDUE if left else DONE


def _planned(members: Sequence[Member3x]) -> list[Cleaning]:
    """Raises DataError if one must not be touched, or if they do not belong together."""
    plans = [plan_cleaning(member) for member in members]
    doubts = differing_clusters(members)
    if doubts:
        raise DataError("; ".join(doubts) + ". Nothing was written")
    return plans


def _clean(targets: Sequence[Locked], plans: Sequence[Cleaning], wanted: Path | None) -> None:
    """One after the other; a signal waits for the end of the one it comes in. Raises DataError, Stopped."""
    done = 0
    try:
        with held() as check:
            for target, plan in zip(targets, plans, strict=True):
                check()
                folder = backup_folder(target.member.path, wanted, target.member)
                _print(_done(clean(target, plan, folder)))
                done += 1
    except Stopped as stopped:
        stopped.done = f"{done} of {len(targets)} directories are clean"
        raise
    except DataError as error:
        error.remedy = error.remedy or f"{done} of {len(targets)} directories are clean"
        raise


def _report_standing(plans: Sequence[Cleaning]) -> bool:
    """Whether something is left to do."""
    where = standing(plans)
    _print(where.lines)
    warn(where.left)
    return bool(where.left)


def _print(lines: Iterable[str]) -> None:
    emit("".join(f"{shown(line)}\n" for line in lines))


def _plan(plan: Cleaning, wanted: Path | None) -> Iterator[str]:
    member = plan.member
    yield f"{member.path}: {_what_goes(plan)}"
    if plan.snapshot is None:
        return
    state = plan.snapshot.conf_state
    yield f"  would write a snapshot without v2 at index {plan.index}, term {plan.term}: {plan.file_name}"
    yield f"    voters {' '.join(map(id_text, state.voters))}" + (
        f", learners {' '.join(map(id_text, state.learners))}" if state.learners else ""
    )
    yield f"  would add {len(plan.records)} bytes to {member.log.end.segment.path.name}"
    if plan.blanked:
        yield (
            f"  would add {len(plan.again)} entries from {plan.again[0].index} on again, without the data of the "
            f"{len(plan.blanked)} that are requests of v2"
        )
    folder = backup_folder(member.path, wanted, member)
    more = f", and the v2 keys in {EXPORT}" if plan.has_keys else ""
    yield f"  copies of the files that change go to {folder}{more}"


def _what_goes(plan: Cleaning) -> str:
    if plan.snapshot is None:
        return "nothing of v2 is left; nothing to do"
    return ", ".join([*described(plan.dropped), "requests of v2 in the log"]) + " go"


def _done(done: Done) -> Iterator[str]:
    plan = done.plan
    path = plan.member.path
    if done.snapshot is None:
        yield f"{path}: {_what_goes(plan)}"
        return
    yield f"{path}: clean; read again and compared. Snapshot at index {plan.index}: {done.snapshot.name}"
    yield f"  {_what_goes(plan).removesuffix(' go')}: gone"
    yield f"  copies of the files as they were: {done.backup}"
    if plan.has_keys:
        yield f"  the v2 keys: {done.backup}/{EXPORT}"
    segment = plan.member.log.end.segment.path
    yield "  the way back, until this member is started again:"
    yield f"    cp {shlex.quote(str(done.backup))}/{segment.name} {shlex.quote(str(segment))}"
    yield (
        f"    rm {shlex.quote(str(done.snapshot))}"
        if not _is_replaced(done)
        else (
            f"    cp {shlex.quote(str(done.backup))}/{done.snapshot.name} {shlex.quote(str(done.snapshot))}"
        )
    )
    yield "  once it has run, never put them back: it would have forgotten what it had acknowledged"


def _is_replaced(done: Done) -> bool:
    return done.backup is not None and (done.backup / done.plan.file_name).exists()
