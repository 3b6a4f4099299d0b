"""The dashboard of docs/grafana: its queries name metrics and labels that members and proxies have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.metrics import Histogram
from server.proxy.metrics import Dropped, ProxyMetrics, serve_metrics
from tests.support.served import FORM, Served, serve

FILE = Path(__file__).parents[1] / "docs" / "grafana" / "etcd02.json"
DASHBOARD: dict[str, Any] = json.loads(FILE.read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES: list[str] = [target["expr"] for panel in PANELS for target in panel["targets"]]

OF_PROMETHEUS = {"up": {"job", "instance"}}
"""What Prometheus adds by itself."""

_METRIC = re.compile(r"\b([a-z_][a-z0-9_]*)\b(?=\{)")
_MATCHERS = re.compile(r"\{([^}]*)\}")
_GROUPED = re.compile(r"\bby \(([^)]*)\)")


def metrics_of(query: str) -> list[str]:
    return _METRIC.findall(query)


def labels_of(query: str) -> set[str]:
    matched = re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", " ".join(_MATCHERS.findall(query)))
    return {label.strip() for group in _GROUPED.findall(query) for label in group.split(",")} | set(matched)


def _labels(text: str) -> dict[str, set[str]]:
    """The labels of every metric in a text of ``/metrics``, and the two that Prometheus adds to each."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for name, labels, *_ in family.samples:
            found.setdefault(name, {"job", "instance"}).update(labels)
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """By name, the labels of all that a member and a proxy serve once everything has happened to them."""
    found: dict[str, set[str]] = dict(OF_PROMETHEUS)

    async def of_a_member(served: Served) -> None:
        await served.ask("PUT", "/v2/keys/a", "value=1", FORM)
        await served.ask("GET", "/v2/keys/a")
        await served.ask("GET", "/v2/keys/nothing")
        served.node.peers.refused("term")
        found.update(_labels((await served.ask("GET", "/metrics")).body.decode()))

    serve(tmp_path_factory.mktemp("member") / "d", of_a_member)
    proxy = ProxyMetrics()
    proxy.handled["GET", 200] += 1
    proxy.dropped["GET", Dropped.ZERO_ENDPOINTS] += 1
    proxy.durations["GET"] = Histogram(0.0005, 13)
    body = serve_metrics(proxy).body
    return found | _labels(body.decode())


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_names_metrics_and_labels_that_there_are(query: str, served: dict[str, set[str]]) -> None:
    names = metrics_of(query)
    assert names
    for name in names:
        assert name in served
        assert labels_of(query) <= served[name]


def test_everything_that_is_served_is_shown(served: dict[str, set[str]]) -> None:
    """But for what another one says better."""
    shown = {_family(name) for query in QUERIES for name in metrics_of(query)}
    left_out = {
        "etcd_server_file_descriptors_used_total", "process_start_time_seconds", "process_virtual_memory_bytes",
    }  # fmt: skip
    assert {_family(name) for name in served} - shown == left_out


def _family(name: str) -> str:
    return re.sub(r"_(bucket|sum|count|created)$", "", name)


def _of_variables() -> Iterator[str]:
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]


@pytest.mark.parametrize("query", _of_variables())
def test_variables_are_filled_from_metrics_that_there_are(query: str, served: dict[str, set[str]]) -> None:
    (name, matchers, label) = re.findall(r"label_values\((\w+)(\{.*\})?, (\w+)\)", query)[0]
    assert {label, *labels_of(matchers)} <= served[name]


def test_every_variable_of_a_query_is_one_of_the_dashboards() -> None:
    names = {variable["name"] for variable in DASHBOARD["templating"]["list"]} | {"__rate_interval"}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD))) <= names


def test_panels_lie_side_by_side_and_have_numbers_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells
        assert place["x"] + place["w"] <= 24
        taken |= cells
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
