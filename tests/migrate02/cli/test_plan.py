"""``migrate02 plan`` as a person sees it: files in, exit status, what is printed where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrate02.cli.exits import DONE, REFUSED, RESIDUE
from migrate02.convert.conversion import Options
from migrate02.convert.deployment import Deployment
from tests.migrate02.running import migrate02

FLEET = Path(__file__).parents[3] / "fixtures" / "fleet"


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def conf(name: str, host: str, more: str = "") -> str:
    return f'name = "{name}"\naddr = "{host}:4001"\n{more}[peer]\naddr = "{host}:7001"\n'


PEERS = 'peers = ["10.0.0.1:7001", "10.0.0.2:7001"]\n'


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return write(tmp_path, a_conf=conf("a", "10.0.0.1", PEERS), b_conf=conf("b", "10.0.0.2", PEERS))


def clusters(*words: str | Path) -> dict[str, list[str]]:
    run = migrate02("plan", "--json", *words)
    return {
        cluster["name"]: [node["name"] for node in cluster["nodes"]]
        for cluster in json.loads(run.out)["clusters"]
    }


def test_the_plan_is_markdown_unless_asked(two: Path) -> None:
    run = migrate02("plan", two)
    assert run.status == DONE
    assert run.out.startswith("# From etcd 0.4 to 2.x: 1 cluster\n")
    assert run.err == ""
    assert migrate02("plan", "--html", two).out.startswith("<!DOCTYPE html>")
    assert json.loads(migrate02("plan", "--json", two).out)["clusters"][0]["initialCluster"] == (
        "a=http://10.0.0.1:7001,b=http://10.0.0.2:7001"
    )


def test_the_order_of_the_files_makes_no_difference(two: Path) -> None:
    assert (
        migrate02("plan", two / "a.conf", two / "b.conf").out
        == migrate02("plan", two / "b.conf", two / "a.conf").out
    )


def test_a_fleet_of_mixed_formats_falls_into_its_clusters() -> None:
    assert clusters(FLEET) == {
        "box1": ["box1"],
        "box2": ["box2"],
        "core1": ["core1", "core2", "core3"],
        "dev1": ["dev1"],
        "infra1": ["infra1", "infra2", "infra3"],
        "kube1": ["kube1"],
        "run1": ["run1"],
        "sup1": ["sup1"],
        "unit1": ["unit1"],
        "up1": ["up1"],
    }


FILLED_IN = "#!/bin/sh\nexec etcd -name n{0} -addr $IP:4001 -peer-addr $IP:7001 -data-dir /d\n"


def test_what_is_the_same_of_many_nodes_is_told_once_with_its_places(tmp_path: Path) -> None:
    write(tmp_path, **{f"n{number}__start-etcd": FILLED_IN.format(number) for number in range(1, 13)})
    run = migrate02("plan", tmp_path)
    (said, more) = run.err.splitlines()
    assert said.startswith(f"review[filled-in-later] 12 files: {tmp_path}/{{n1,n2,n3,...}}/start-etcd")
    assert more.startswith("every finding in full: -v")
    in_full = migrate02("plan", "-v", tmp_path)
    assert len(in_full.err.splitlines()) == 12
    assert run.out == in_full.out
    assert run.out.count("`filled-in-later`") == 12


def test_less_is_told_where_that_is_asked_for_and_the_plan_is_the_same(tmp_path: Path) -> None:
    write(tmp_path, **{f"n{number}__start-etcd": FILLED_IN.format(number) for number in range(1, 4)})
    full, quiet = migrate02("plan", tmp_path), migrate02("plan", "-q", tmp_path)
    assert (quiet.status, quiet.out, quiet.err) == (RESIDUE, full.out, "")
    assert migrate02("plan", "--severity", "error", tmp_path).err == ""


def test_what_is_of_2x_already_is_left_out_and_told() -> None:
    run = migrate02("plan", FLEET / "new1", FLEET / "run1")
    assert run.codes == ["already-2x"]
    assert run.status == DONE


@pytest.mark.parametrize(("value", "codes"), [("true", ["already-2x", "v2-data"]), ("false", ["already-2x"])])
def test_a_node_that_serves_v2_is_told_of_what_3_6_refuses(
    value: str, codes: list[str], tmp_path: Path
) -> None:
    (tmp_path / "etcd.env").write_text(f"ETCD_NAME=m1\nETCD_DATA_DIR=/var/lib/etcd\nETCD_ENABLE_V2={value}\n")
    run = migrate02("plan", FLEET / "run1", tmp_path)
    assert run.codes == codes
    assert run.status == DONE
    assert ("etcd.env:3: --enable-v2 is on" in run.err) == (value == "true")
    assert ("migrate02 v2store check /var/lib/etcd (see docs/v2-leftovers.md)" in run.err) == (
        value == "true"
    )


def test_an_image_of_2x_is_set_up_for_2x_by_whatever_flags(tmp_path: Path) -> None:
    (tmp_path / "run").write_text(
        "#!/bin/sh\ndocker run coreos/etcd:v2.0.8 -name m1 -addr 10.0.0.1:4001 -peer-addr 10.0.0.1:7001\n"
    )
    run = migrate02("plan", tmp_path)
    assert run.codes == ["already-2x"]


def test_a_unit_and_its_environment_file_are_one_node() -> None:
    run = migrate02(
        "plan", "--json", FLEET / "infra1", "--gone", "10.7.0.12:7001", "--gone", "10.7.0.13:7001"
    )
    (node,) = json.loads(run.out)["clusters"][0]["nodes"]
    assert [Path(file).name for file in node["files"]] == ["etcd.service", "etcd"]
    assert node["settings"]["heartbeat-interval"] == "200"
    assert node["settings"]["listen-client-urls"] == "http://0.0.0.0:4001"


def test_a_refused_cluster_ends_with_three_and_the_others_are_planned(two: Path) -> None:
    write(two, c_conf=conf("c", "10.0.0.3", 'peers = ["10.0.0.9:7001"]\n'))
    run = migrate02("plan", "--json", two)
    assert run.status == REFUSED
    assert run.codes == ["unknown-peer"]
    assert [(cluster["name"], cluster["refused"]) for cluster in json.loads(run.out)["clusters"]] == [
        ("a", False),
        ("c", True),
    ]
    assert [node["command"] for node in json.loads(run.out)["clusters"][1]["nodes"]] == [[]]


def test_a_question_ends_with_two(two: Path) -> None:
    write(
        two,
        c_conf=conf("c", "10.0.0.3", PEERS + "[cluster]\nactive_size = 2\n"),
        d_conf=conf("d", "10.0.0.4", PEERS),
    )
    run = migrate02("plan", two)
    assert run.codes == ["standby-unknown"]
    assert run.status == RESIDUE
    assert migrate02("plan", "--standby", "d", two).status == DONE


def test_a_peers_file_is_followed(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_conf=conf("a", "10.0.0.1"),
        b_conf=conf("b", "10.0.0.2", 'peers_file = "/etc/etcd/peers"\n'),
    )
    alone = migrate02("plan", tmp_path)
    assert alone.codes == ["environment-elsewhere"]
    assert "--together" in alone.err
    write(tmp_path, etc__etcd__peers="10.0.0.1:7001\n")
    assert clusters(tmp_path, tmp_path / "etc" / "etcd" / "peers") == {"a": ["a", "b"]}


def test_a_file_that_is_not_at_hand_is_told(tmp_path: Path) -> None:
    unit = (
        "[Service]\nEnvironmentFile=/etc/default/etcd\nExecStart=/usr/bin/etcd -name a -addr 10.0.0.1:4001\n"
    )
    run = migrate02("plan", write(tmp_path, etcd_service=unit))
    assert run.codes == ["environment-elsewhere"]
    assert "The start also reads /etc/default/etcd, which was not given." in run.err


def test_a_name_of_the_host_alone_is_asked_for(tmp_path: Path) -> None:
    run = migrate02(
        "plan", write(tmp_path, etcd_service="[Service]\nExecStart=/usr/bin/etcd -addr 10.0.0.1:4001\n")
    )
    assert "name-unknown" in run.codes
    assert run.status == REFUSED


def test_a_file_that_cannot_be_read_is_told(two: Path) -> None:
    run = migrate02("plan", two, two / "missing.conf")
    assert run.codes == ["unusable-input"]
    assert run.status == REFUSED
    assert "Cluster a: 2 members" in run.out


def test_nothing_found_is_said(tmp_path: Path) -> None:
    run = migrate02("plan", tmp_path)
    assert (run.status, run.out) == (REFUSED, "")
    assert "no node of etcd 0.4 was found" in run.err


def test_directories_can_be_narrowed(two: Path) -> None:
    run = migrate02("plan", "--json", "--exclude", "b.conf", "--gone", "10.0.0.2:7001", two)
    assert json.loads(run.out)["clusters"][0]["initialCluster"] == "a=http://10.0.0.1:7001"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to plan"),
        (["--html", "--json", "x"], "argument --json: not allowed with argument --html"),
        (["--ports", "swap", "x"], "argument --ports: invalid choice: 'swap'"),
        (["--member", "a", "x"], '"a" has no NAME=URL form'),
        (["--member", "a=10.0.0.1:7001", "x"], "--member: "),
        (["--wrong", "x"], "unrecognized arguments: --wrong (see migrate02 plan --help)"),
    ],
)
def test_options_that_cannot_be_used_are_refused(words: list[str], said: str) -> None:
    run = migrate02("plan", *words)
    assert (run.status, run.out) == (REFUSED, "")
    assert said in run.err


def test_help_is_there() -> None:
    run = migrate02("plan", "--help")
    assert run.status == DONE
    assert "--standby NAME" in run.out


def test_two_runs_say_the_same(two: Path) -> None:
    assert migrate02("plan", "--html", FLEET).out == migrate02("plan", "--html", FLEET).out


def test_what_coreos_keeps_elsewhere_in_2x_stays_where_it_is() -> None:
    run = migrate02("plan", "--json", *(FLEET / f"core{at}" for at in (1, 2, 3)))
    (cluster,) = json.loads(run.out)["clusters"]
    assert {node["settings"]["data-dir"] for node in cluster["nodes"]} == {"/var/lib/etcd2"}
    steps = {step["title"]: step for step in cluster["steps"]}
    assert (
        "rsync -a 10.7.1.11:/var/lib/etcd/ old-core1/core1/"
        in steps["Bring the data of all members together"]["run"]
    )
    place = steps["Put the new directories in their place"]
    assert place["run"][0] == "rsync -a new-core1/core1/ 10.7.1.11:/var/lib/etcd2/"
    assert not [line for line in place["run"] + place["back"] if "/var/lib/etcd." in line]


def test_plan_and_convert_agree_on_the_members() -> None:
    texts = {str(path): path.read_text() for path in sorted(FLEET.rglob("*")) if path.is_file()}
    deployment = Deployment(texts, (), Options())
    deployment.read()
    written = {frozenset(one.initial_cluster.split(",")) for one in deployment.clusters().values()}
    run = migrate02("plan", "--json", FLEET)
    planned = {frozenset(cluster["initialCluster"].split(",")) for cluster in json.loads(run.out)["clusters"]}
    assert len(written) == 2
    assert written <= planned
