"""What to do next about what is left of v2, as commands. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from migrate02.v2store.report import Report
from migrate02.v2store.traffic import Kind


def next_steps(reports: Sequence[Report], release: str) -> Iterator[str]:
    """Lines for a person; commands are indented."""
    if not reports:
        return
    directories = " ".join(shlex.quote(str(report.path)) for report in reports)
    if not any(report.stops(release) for report in reports):
        yield from _when_clean(reports, release, directories)
        return
    yield "What to do:"
    for number, (text, command) in enumerate(_steps(reports, release, directories), start=1):
        yield f"  {number}. {text}"
        if command:
            yield f"       {command}"


def _when_clean(reports: Sequence[Report], release: str, directories: str) -> Iterator[str]:
    yield f"Nothing of v2 keeps etcd {release} from starting here."
    if release == "3.6" and any(report.stops("3.7") for report in reports):
        yield "Before 3.7 comes, check again, when 3.6 has run for a while:"
        yield f"       migrate02 v2store check --for 3.7 {directories}"


def _steps(reports: Sequence[Report], release: str, directories: str) -> Iterator[tuple[str, str]]:
    if release == "3.7" and not all(report.facts.is_of_36 for report in reports):
        yield (
            "Bring the cluster to 3.6 first; 3.7 comes after it:",
            f"migrate02 v2store check --for 3.6 {directories}",
        )
        return
    if any(report.has(Kind.HEALTH, Kind.READ, Kind.KEY) for report in reports):
        yield (
            "Take --enable-v2 (ETCD_ENABLE_V2) away from every member of 3.5 that has it, and restart each: with it, "
            "each probe of /health writes to the log again.",
            "",
        )
    if any(report.content.keys or report.content.hidden or report.has(Kind.KEY) for report in reports):
        yield "Keep the v2 keys, if anybody still wants them:", _export(reports)
    if any(report.content.with_ttl or report.has(Kind.SYNC) for report in reports):
        yield (
            "A v2 key has a TTL, so members write to each other's logs all the time: stop all members, and clean all "
            "their directories before one starts again:",
            f"migrate02 v2store clean --write {directories}",
        )
    else:
        yield (
            "Stop a member, clean its directory, start it as the new release; then the next member:",
            f"migrate02 v2store clean --write {shlex.quote(str(reports[0].path))}",
        )
    yield "See the whole way for this cluster:", f"migrate02 v2store plan {directories}"


def _export(reports: Sequence[Report]) -> str:
    return f"migrate02 v2store export {shlex.quote(str(reports[0].path))} > v2-keys.jsonl"
