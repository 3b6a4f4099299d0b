"""``plan --gateway``: what becomes of nodes, what is asked of a person, and that nothing of a file runs."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from compat.etcd02 import main
from migrate02.cli.exits import DONE, RESIDUE
from migrate02.formats.reading import Runs
from migrate02.plan.markdown import as_markdown
from migrate02.plan.page import as_html
from migrate02.plan.planning import ClusterPlan, PlanOptions, make_plan
from migrate02.plan.runbook import runbook
from migrate02.plan.step import Step
from server.config.gateway import GatewaySettings
from tests.migrate02.plan.described import codes, node, only, three
from tests.migrate02.running import migrate02

FIXTURES = Path(__file__).parents[3] / "fixtures"
ENDPOINTS = ("https://10.9.0.1:2379", "https://10.9.0.2:2379")
THROUGH = GatewaySettings(ENDPOINTS, "ca.pem", "c.pem", "c.key", "user", "secret", "/old", "mine/")
URLS = ",".join(ENDPOINTS)


def planned(**options: object) -> ClusterPlan:
    return only(make_plan(three(), PlanOptions(gateway=THROUGH, **options)))  # type: ignore[arg-type]


def steps(plan: ClusterPlan) -> dict[str, Step]:
    return {step.title: step for step in runbook(plan)}


def test_standbys_become_gateways_like_the_others_but_have_no_data() -> None:
    plan = planned(standbys=("infra3",))
    assert [each.becomes for each in plan.nodes] == ["gateway"] * 3
    (line,) = steps(plan)["Bring the keys into the etcd 3"].run
    assert line.startswith("migrate02 data old-infra1/infra1 old-infra1/infra2 --gateway-cacert=ca.pem ")
    assert f"--gateway={URLS}" in line
    assert "# start etcd02 infra3" in "\n".join(steps(plan)["Start the gateways"].run)


def test_a_start_line_has_what_is_about_clients_and_no_member(capsys: pytest.CaptureFixture[str]) -> None:
    (first, *_) = planned().nodes
    words = first.command
    assert words[1:3] == ["--engine=gateway", f"--gateway-endpoints={URLS}"]
    assert {"--name=infra1", "--advertise-client-urls=http://10.7.0.11:4001", "--legacy-api=true"} <= set(
        words
    )
    assert not [word for word in words if "peer" in word or "cluster" in word or "data-dir" in word]
    assert main([*words, "--print-config"], {}, "") == 0
    assert json.loads(capsys.readouterr().out)["advertise-client-urls"] == ["http://10.7.0.11:4001"]


def test_nobody_reads_the_password_in_a_plan() -> None:
    plan = make_plan(three(), PlanOptions(gateway=THROUGH))
    for text in (as_markdown(plan), as_html(plan)):
        assert "secret" not in text
        assert "ETCD02_GATEWAY_USER=NAME:PASSWORD" in text


def test_what_is_said_of_members_alone_is_left_out() -> None:
    nodes = [*three()[:2], node("infra3", "10.7.0.13", peer_heartbeat_interval="9", peers="10.7.0.11:7001")]
    assert "mixed-timing" in codes(make_plan(nodes))
    assert codes(make_plan(nodes, PlanOptions(gateway=THROUGH))) == []


def test_two_nodes_at_one_address_are_refused_as_ever() -> None:
    nodes = [*three(), node("other", "10.7.0.11", peers="10.7.0.12:7001")]
    plan = only(make_plan(nodes, PlanOptions(gateway=THROUGH)))
    assert plan.is_refused
    assert runbook(plan) == []


def test_a_script_starts_etcd02_with_the_words_of_the_unit(tmp_path: Path) -> None:
    """In the place of a link, which stays what it was."""
    program, etcd02 = tmp_path / "etcd", tmp_path / "etcd02"
    (tmp_path / "real").write_text("of 0.4")
    program.symlink_to(tmp_path / "real")
    etcd02.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    etcd02.chmod(0o755)
    nodes = [node("a", "127.0.0.1", data_dir="/d")._replace(runs=Runs(program=str(program)))]
    step = steps(only(make_plan(nodes, PlanOptions(gateway=THROUGH))))["Put the gateway in the place of etcd"]
    for _ in range(2):
        subprocess.run(["sh", "-ec", step.run[0]], check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    said = subprocess.run([program, "-name", "a b"], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[:2] == ["--engine=gateway", f"--gateway-endpoints={URLS}"]
    assert said.splitlines()[-2:] == ["-name", "a b"]
    assert (tmp_path / "real").read_text() == "of 0.4"
    subprocess.run(["sh", "-ec", step.back[0]], check=True)
    assert program.read_text() == "of 0.4"


def test_a_picture_has_gateways_and_no_lines_between_them() -> None:
    after = as_html(make_plan(three(), PlanOptions(gateway=THROUGH))).partition(
        "gateways to an etcd 3</text>"
    )[2]
    assert after.partition("</svg>")[0].count('class="node new"') == 3
    assert 'class="peers"' not in after.partition("</svg>")[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--gateway", "http://a:1", FIXTURES / "fleet"], "--gateway is for one cluster"),
        (["--gateway", "http://a:1", "--ports", "move", FIXTURES / "demo"], "leave out --ports and --token"),
        (["--gateway-cacert", "ca.pem", FIXTURES / "demo"], "--gateway-cacert needs --gateway URL,..."),
        (["--gateway", "ftp://a:1", FIXTURES / "demo"], "write it like https://host:2379"),
        (["--gateway", "ftp://a:1", FIXTURES / "demo"], "migrate02 plan: --gateway: URL scheme"),
        (["--gateway", ",", FIXTURES / "demo"], "give --gateway https://host:2379"),
        (["--gateway-user", "a:b", FIXTURES / "demo"], "--gateway-user"),
    ],
)
def test_what_cannot_be_planned_is_told(words: list[str | Path], said: str) -> None:
    run = migrate02("plan", *words)
    assert run.status not in (DONE, RESIDUE)
    assert said in run.err
    assert run.out == ""


def test_prefixes_keep_clusters_apart() -> None:
    run = migrate02(
        "plan",
        "--gateway=http://a:1",
        "--gateway-data-prefix=/one",
        "--gateway-meta-prefix=one/",
        FIXTURES / "demo",
    )
    for line in re.findall("(?m)^(?:migrate02 data|etcd02) .*", run.out):
        if "gateway" in line:
            assert "--gateway-data-prefix=/one --gateway-meta-prefix=one/" in line
    assert "etcdctl --endpoints=http://a:1 del --prefix /one/\n" in run.out
