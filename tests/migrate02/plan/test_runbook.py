"""The steps, in order, each with its check and the way back."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from migrate02.plan.markdown import as_markdown
from migrate02.plan.planning import PlanOptions, make_plan
from migrate02.plan.runbook import runbook
from migrate02.plan.step import Step
from tests.migrate02.plan.described import node, only, three

LOCAL = [
    node(
        f"m{at}",
        addr=f"127.0.0.1:400{at}",
        peer_addr=f"127.0.0.1:700{at}",
        peers="127.0.0.1:7001",
        data_dir=f"d{at}",
    )
    for at in (1, 2, 3)
]


def steps(*args: object, **options: object) -> dict[str, Step]:
    (nodes,) = args or (three(),)
    plan = only(make_plan(nodes, PlanOptions(**options)))  # type: ignore[arg-type]
    return {step.title: step for step in runbook(plan)}


def test_the_data_is_converted_while_the_cluster_is_stopped_and_the_configuration_after_it() -> None:
    order = list(steps())
    stop, data, place, files, start = (
        next(at for at, title in enumerate(order) if title.startswith(words))
        for words in ("Stop the", "Convert the data", "Put the new", "Convert the conf", "Start all")
    )
    assert stop < data < place < files < start


def test_all_directories_are_converted_together() -> None:
    (line,) = steps()["Convert the data"].run
    assert line.startswith(
        "migrate02 data old-infra1/infra1 old-infra1/infra2 old-infra1/infra3 --out new-infra1 --initial-cluster infra1=http://"
    )
    assert line.endswith("--initial-cluster-token etcd-cluster-infra1")


def test_what_changes_a_machine_has_a_way_back() -> None:
    for title, step in steps(standbys=("infra3",)).items():
        changes = any(
            word in line for line in step.run for word in ("mv ", "rsync", "--write", "--out", "stop etcd")
        )
        assert not changes or step.back, title


def test_nothing_is_deleted_before_the_last_step_that_does_something() -> None:
    *before, last = (step for step in steps(standbys=("infra3",), ports="both").values() if step.run)
    assert not [line for step in before for line in step.run if "rm " in line]
    assert [line for line in last.run if "rm -r /var/lib/etcd.0.4" in line]


def test_the_way_on_to_3x_is_told_last_and_needs_nothing_now() -> None:
    *_, (title, last) = steps().items()
    assert title == "Before you go on to etcd 3.x"
    assert not last.run
    for words in (
        "all members to 3.4",
        "--snapshot-count=1",
        "etcdserver: not capable",
        "migrate02 v2store check DIR",
    ):
        assert words in last.why


def test_one_machine_needs_no_ssh() -> None:
    text = as_markdown(make_plan(LOCAL))
    assert "ssh" not in text
    assert "cp -a d1 old-m1/m1\n" in text


@pytest.mark.parametrize(
    ("file", "stop", "start"),
    [
        (
            "n/etc/systemd/system/etcd.service",
            "systemctl stop etcd.service",
            "systemctl daemon-reload && systemctl start etcd.service",
        ),
        (
            "n/etc/systemd/system/e.service.d/a.conf",
            "systemctl stop e.service",
            "systemctl daemon-reload && systemctl start e.service",
        ),
        ("n/etc/init/etcd.conf", "initctl stop etcd", "initctl start etcd"),
        ("n/etc/init.d/etcd", "service etcd stop", "service etcd start"),
        ("n/etc/sv/etcd/run", "sv stop etcd", "sv start etcd"),
        ("n/etc/supervisor/conf.d/etcd.conf", "supervisorctl stop etcd", "supervisorctl start etcd"),
        (
            "n/user-data",
            "systemctl stop etcd.service",
            "systemctl daemon-reload && systemctl start etcd2.service",
        ),
    ],
)
def test_a_node_is_stopped_and_started_by_what_runs_it(file: str, stop: str, start: str) -> None:
    nodes = [node("a", "10.0.0.1")._replace(files=(file,))]
    found = steps(nodes)
    assert found["Stop the writers, then every node"].run == (f"ssh 10.0.0.1 '{stop}'",)
    assert found["Start the member"].run == (f"ssh 10.0.0.1 '{start}'",)


def test_without_a_known_way_it_is_a_persons_work() -> None:
    (line,) = steps([node("a", "10.0.0.1")])["Start the member"].run
    assert line == "# start etcd02 a, as a.conf does on 10.0.0.1"


def test_settings_that_no_conversion_writes_are_told() -> None:
    told = dict(steps(ports="move")["Convert the configuration"].sets)
    assert "ETCD_ADVERTISE_CLIENT_URLS=http://10.7.0.11:2379" in told["infra1"]
    assert dict(steps()["Convert the configuration"].sets) == {}


def test_the_old_port_is_closed_in_the_end() -> None:
    found = steps(ports="both")
    assert dict(found["Close the old client ports"].sets)["infra1"] == (
        "ETCD_LISTEN_CLIENT_URLS=http://[::]:2379",
    )
    assert "Close the old client ports" not in steps(ports="move")


def test_a_refused_plan_has_no_steps() -> None:
    assert steps(three()[:2]) == {}
    assert "no runbook" in as_markdown(make_plan(three()[:2]))


def test_a_variable_in_an_address_stays_one() -> None:
    plan = make_plan([node("a", "${HOST IP}", data_dir="/var/lib/my etcd")])
    text = as_markdown(plan)
    assert '"a=http://${HOST IP}:7001"' in text
    assert "'/var/lib/my etcd'" in text


@pytest.mark.parametrize("ports", ["keep", "move", "both"])
def test_every_line_is_one_that_a_shell_takes(ports: str) -> None:
    odd = [node("it's", "10.0.0.1", data_dir="/var/lib/a b"), node("x y", "10.0.0.2", peers="10.0.0.1:7001")]
    bash = shutil.which("bash")
    assert bash is not None
    for nodes in (three(), LOCAL, odd):
        for step in steps(nodes, ports=ports, standbys=(nodes[-1].name,)).values():
            script = "\n".join((*step.run, *step.check, *step.back))
            run = subprocess.run([bash, "-n"], input=script, text=True, capture_output=True)
            assert run.returncode == 0, run.stderr


def test_with_tls_the_tools_are_told_whom_to_trust() -> None:
    with_tls = steps(three(cert_file="/c", key_file="/k"))["See that the old cluster is well"]
    assert "--cacert" in with_tls.why
    assert "curl -s https://10.7.0.11:4001/v2/stats/self; echo" in with_tls.run
    assert "--cacert" not in steps()["See that the old cluster is well"].why


def test_containers_and_relative_directories_are_pointed_out() -> None:
    nodes = [node("a", "10.0.0.1", data_dir="rel")._replace(files=("box/docker-compose.yml",))]
    why = steps(nodes)["Bring the data of all members together"].why
    assert "In a container the directory is a volume's" in why
    assert "without a leading /" in why
    plain = steps()["Bring the data of all members together"].why
    assert "container" not in plain
    assert "leading" not in plain
