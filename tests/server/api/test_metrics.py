"""/metrics: families, types, labels and buckets of etcd 2.3.8; what is counted, and when."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.metrics import Histogram
from tests.support.served import FORM, Served, serve

PROCESS = {
    "process_cpu_seconds_total": "counter",
    "process_max_fds": "gauge",
    "process_open_fds": "gauge",
    "process_resident_memory_bytes": "gauge",
    "process_start_time_seconds": "gauge",
    "process_virtual_memory_bytes": "gauge",
}
ALWAYS = PROCESS | {
    "etcd_server_file_descriptors_used_total": "gauge",
    "etcd_server_pending_proposal_total": "gauge",
    "etcd_server_proposal_durations_seconds": "histogram",
    "etcd_server_proposal_failed_total": "counter",
    "etcd_snapshot_save_marshalling_durations_seconds": "histogram",
    "etcd_snapshot_save_total_durations_seconds": "histogram",
    "etcd_store_expires_total": "counter",
    "etcd_store_reads_total": "counter",
    "etcd_store_watch_requests_total": "counter",
    "etcd_store_watchers": "gauge",
    "etcd_store_writes_total": "counter",
    "etcd_wal_fsync_durations_seconds": "histogram",
    "etcd_wal_last_index_saved": "gauge",
}
ONCE_USED = {
    "etcd_http_received_total": "counter",
    "etcd_http_failed_total": "counter",
    "etcd_http_successful_duration_second": "histogram",
}
MILLISECONDS = "0.001 0.002 0.004 0.008 0.016 0.032 0.064 0.128 0.256 0.512 1.024 2.048 4.096 8.192 +Inf"
HALF_MILLISECONDS = "0.0005 0.001 0.002 0.004 0.008 0.016 0.032 0.064 0.128 0.256 0.512 1.024 2.048 +Inf"


@dataclass(slots=True, frozen=True)
class Scrape:
    types: dict[str, str]
    samples: dict[str, float]
    """By ``name{label=value,...}``."""
    bounds: dict[str, list[str]]
    """The buckets of a histogram, by its name."""

    def __getitem__(self, sample: str) -> float:
        return self.samples[sample]


async def scrape(served: Served, method: str = "GET") -> Scrape:
    got = await served.ask(method, "/metrics")
    length = ("Content-Length", str(len(got.body)))
    assert (got.status, got.headers) == (200, (length, ("Content-Type", "text/plain; version=0.0.4")))
    text = got.body.decode()
    types = dict(line.split()[2:4] for line in text.splitlines() if line.startswith("# TYPE "))
    samples: dict[str, float] = {}
    bounds: dict[str, list[str]] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for name, labels, value, *_ in family.samples:
            if name.endswith("_bucket"):
                bounds.setdefault(family.name, []).append(labels["le"])
            shown = ",".join(f"{label}={labels[label]}" for label in sorted(labels))
            samples[f"{name}{{{shown}}}" if shown else name] = value
    return Scrape(types, samples, bounds)


def test_families_and_types_of_an_idle_member(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        assert (await scrape(served)).types == ALWAYS
        assert (await scrape(served, "POST")).types == ALWAYS

    serve(tmp_path / "d", test)


def test_messages_that_the_peer_port_refused_are_counted_by_reason(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        for reason in ("term", "term", "sender"):
            served.node.peers.refused(reason)
        got = await scrape(served)
        assert got.types == ALWAYS | {"etcd_server_peer_messages_refused_total": "counter"}
        assert got["etcd_server_peer_messages_refused_total{reason=term}"] == 2
        assert got["etcd_server_peer_messages_refused_total{reason=sender}"] == 1

    serve(tmp_path / "d", test)


def test_buckets(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        await served.ask("GET", "/v2/keys/")
        got = await scrape(served)
        assert got.bounds == {
            "etcd_http_successful_duration_second": HALF_MILLISECONDS.split(),
            "etcd_server_proposal_durations_seconds": MILLISECONDS.split(),
            "etcd_snapshot_save_marshalling_durations_seconds": MILLISECONDS.split(),
            "etcd_snapshot_save_total_durations_seconds": MILLISECONDS.split(),
            "etcd_wal_fsync_durations_seconds": MILLISECONDS.split(),
        }

    serve(tmp_path / "d", test)


def test_requests_are_counted_by_method_and_failures_by_status_too(tmp_path: Path) -> None:
    requests: Sequence[tuple[str, ...]] = (
        ("PUT", "/a", "value=1"),
        ("PUT", "/a", "value=2&prevExist=true"),
        ("PUT", "/a/b", "value=1"),
        ("PUT", "/a", "value=1&prevValue=9"),
        ("GET", "/a"),
        ("GET", "/a?quorum=true"),
        ("GET", "/b?quorum=true"),
        ("HEAD", "/a"),
        ("GET", "/b"),
        ("POST", "/d", "value=1"),
        ("DELETE", "/a"),
        ("GET", "/d?wait=true"),
        ("GET", "/d?wait=maybe"),  # not understood, so not received
        ("PATCH", "/d"),
    )

    async def test(served: Served) -> None:
        for method, key, *body in requests:
            await served.ask(method, f"/v2/keys{key}", "".join(body), FORM)
        got = await scrape(served)
        assert got.types == ALWAYS | ONCE_USED
        counted = {name: int(count) for name, count in got.samples.items() if name.startswith("etcd_http")}
        assert {
            name: count for name, count in counted.items() if "_bucket" not in name and "_sum" not in name
        } == {
            "etcd_http_received_total{method=DELETE}": 1,
            "etcd_http_received_total{method=GET}": 2,
            "etcd_http_received_total{method=HEAD}": 1,
            "etcd_http_received_total{method=POST}": 1,
            "etcd_http_received_total{method=PUT}": 4,
            "etcd_http_received_total{method=QGET}": 2,
            "etcd_http_failed_total{code=400,method=PUT}": 1,
            "etcd_http_failed_total{code=404,method=GET}": 1,
            "etcd_http_failed_total{code=404,method=QGET}": 1,
            "etcd_http_failed_total{code=412,method=PUT}": 1,
            "etcd_http_successful_duration_second_count{method=DELETE}": 1,
            "etcd_http_successful_duration_second_count{method=GET}": 1,
            "etcd_http_successful_duration_second_count{method=HEAD}": 1,
            "etcd_http_successful_duration_second_count{method=POST}": 1,
            "etcd_http_successful_duration_second_count{method=PUT}": 2,
            "etcd_http_successful_duration_second_count{method=QGET}": 1,
        }
        assert got["etcd_http_successful_duration_second_bucket{le=+Inf,method=PUT}"] == 2
        assert got["etcd_http_successful_duration_second_sum{method=PUT}"] > 0

    serve(tmp_path / "d", test)


def test_the_store_the_log_and_the_watches_are_counted(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        before = await scrape(served)
        for method, target, body in (
            ("PUT", "/a", "value=1"),
            ("PUT", "/a", "value=2&prevValue=1"),
            ("PUT", "/a", "value=2&prevValue=1"),
            ("DELETE", "/a?prevValue=9", ""),
            ("PUT", "/t", "value=1&ttl=0"),
            ("GET", "/?recursive=true", ""),
            ("GET", "/a?recursive=true", ""),
            ("GET", "/a?wait=true", ""),
            ("GET", "/a?wait=true&waitIndex=1", ""),
        ):
            await served.ask(method, f"/v2/keys{target}", body, FORM)
        while (after := await scrape(served))["etcd_store_expires_total"] < 1:
            await asyncio.sleep(0.02)
        grown = {name: value - before.samples.get(name, 0) for name, value in after.samples.items()}
        assert grown["etcd_store_writes_total{action=set}"] == 2
        assert grown["etcd_store_writes_total{action=compareAndSwap}"] == 2
        assert grown["etcd_store_writes_total{action=compareAndDelete}"] == 1
        assert grown["etcd_store_reads_total{action=getRecursive}"] == 2
        assert (after["etcd_store_watch_requests_total"], after["etcd_store_watchers"]) == (2, 1)
        assert grown["etcd_server_proposal_durations_seconds_count"] == 5
        assert grown["etcd_wal_fsync_durations_seconds_count"] >= 5
        assert after["etcd_wal_last_index_saved"] == served.node.raft.log.last_index
        assert after["etcd_server_pending_proposal_total"] == 0
        assert after["etcd_server_file_descriptors_used_total"] > 3

    serve(tmp_path / "d", test)


def test_counters_begin_anew_with_the_process_though_a_snapshot_brings_the_stores_along(
    tmp_path: Path,
) -> None:
    async def write(served: Served) -> None:
        for n in range(60):
            await served.ask("PUT", f"/v2/keys/{n}", "value=1", FORM)
        while (got := await scrape(served))["etcd_snapshot_save_total_durations_seconds_count"] < 1:
            await asyncio.sleep(0.02)
        assert got["etcd_snapshot_save_marshalling_durations_seconds_count"] >= 1

    async def again(served: Served) -> None:
        got = await scrape(served)
        assert got["etcd_store_writes_total{action=set}"] < 60
        assert served.node.store.stats.sets_success > 60

    serve(tmp_path / "d", write, snapshot_count=50)
    serve(tmp_path / "d", again)


def test_a_proposal_that_is_never_agreed_on_fails_and_waits_until_then(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        body = '{"peerURLs":["http://127.0.0.1:7"]}'
        assert (await served.ask("POST", "/v2/members", body, "application/json")).status == 201
        write = asyncio.ensure_future(served.ask("PUT", "/v2/keys/a", "value=1", FORM))
        await asyncio.sleep(0.01)
        assert (await scrape(served))["etcd_server_pending_proposal_total"] == 1
        assert (await write).status == 500
        got = await scrape(served)
        assert got["etcd_server_proposal_failed_total"] == 1
        assert got["etcd_http_failed_total{code=500,method=PUT}"] == 1

    serve(tmp_path / "d", test, request_timeout=0.2)


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.0, 0), (0.001, 0), (0.0011, 1), (0.002, 1), (8.192, 13), (8.2, 14), (100, 14)]
)
def test_a_duration_is_in_the_first_bucket_that_it_does_not_exceed(seconds: float, bucket: int) -> None:
    histogram = Histogram(0.001, 14)
    histogram.observe(seconds)
    assert histogram.counts.index(1) == bucket
    assert histogram.total == seconds
