"""The steps, in order, each with its check and the way back."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from migrate02.formats.reading import Runs
from migrate02.plan.markdown import as_markdown
from migrate02.plan.planning import PlanOptions, make_plan
from migrate02.plan.program_steps import IMAGE, USER_IN_IMAGE
from migrate02.plan.runbook import runbook
from migrate02.plan.step import Step
from server.config.gateway import GatewaySettings
from tests.migrate02.plan.described import node, only, three
from tests.migrate02.running import migrate02

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
    told = dict(steps(ports="move")["Write down what is not converted"].sets)
    assert "ETCD_ADVERTISE_CLIENT_URLS=http://10.7.0.11:2379" in told["infra1"]
    assert "Write down what is not converted" not in steps()


def test_what_is_written_by_hand_stands_before_the_lines_that_need_it() -> None:
    """It is shown above a step's lines, so it must not need any of them; what reads it comes after."""
    nodes = [each._replace(files=(f"{each.name}/etc/default/etcd",)) for each in three()]
    found = steps(nodes, ports="both", standbys=("infra3",))
    order = list(found)
    assert order.index("Convert the configuration") < order.index("Write down what is not converted")
    assert order.index("Write down what is not converted") < order.index(
        "Bring the configuration to its machines"
    )
    assert not found["Write down what is not converted"].run
    for title, step in found.items():
        assert not step.sets or not any("convert" in line for line in step.run), title


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
    in_a_box = [node("a", "10.0.0.1", data_dir="/data")._replace(files=("box/docker-compose.yml",))]
    step = steps(in_a_box)["Bring the data of all members together"]
    assert "In a container the directory is a volume: find its folder on the host." in step.why
    assert "rsync -a 10.0.0.1:/DATA-DIR-OF-a/ old-a/a/" in step.run
    relative = steps([node("a", "10.0.0.1", data_dir="rel")])["Bring the data of all members together"].why
    assert "without a leading /" in relative
    plain = steps()["Bring the data of all members together"].why
    assert "container" not in plain
    assert "leading" not in plain


COMPOSE = """\
etcd:
  image: coreos/etcd:v0.4.6
  command: -name a -addr 10.0.0.1:4001 -peer-addr 10.0.0.1:7001 -data-dir /data/etcd
  volumes:
    - /srv/volume:/data
"""
DOCKER_RUN = """\
#!/bin/sh
docker run -v /srv/volume/:/data coreos/etcd -name a -addr 10.0.0.1:4001 -peer-addr 10.0.0.1:7001 -data-dir /data/etcd
"""
POD = """\
apiVersion: v1
kind: Pod
spec:
  containers:
  - name: etcd
    image: coreos/etcd:v0.4.6
    command: [/etcd, -name, a, -addr, "10.0.0.1:4001", -peer-addr, "10.0.0.1:7001", -data-dir, /data/etcd]
    volumeMounts:
    - {name: other, mountPath: /}
    - {name: data, mountPath: /data}
  volumes:
  - name: other
    emptyDir: {}
  - name: data
    hostPath: {path: /srv/volume}
"""


def of_files(folder: Path, **texts: str) -> dict[str, Any]:
    """The steps of the only cluster in files, whose names have ``__`` for a slash and ``_`` for a dot."""
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run = migrate02("plan", "--json", ".", cwd=folder)
    (cluster,) = json.loads(run.out)["clusters"]
    return {step["title"]: step for step in cluster["steps"]}


@pytest.mark.parametrize(
    ("name", "text", "written"),
    [
        ("docker-compose_yml", COMPOSE, [f"image: {IMAGE}", "entrypoint: [etcd02]"]),
        ("start", DOCKER_RUN, [f"--entrypoint etcd02 {IMAGE}"]),
        ("pod_yaml", POD, [f"image: {IMAGE}", "# in the place of /etcd: etcd02"]),
    ],
)
def test_a_container_of_04_gets_an_image_that_is_built_before_it_is_used(
    name: str, text: str, written: list[str], tmp_path: Path
) -> None:
    found = of_files(tmp_path, **{name: text})
    order = list(found)
    assert order.index("Build the image of etcd02") < order.index("Start the member")
    build, load = found["Build the image of etcd02"]["run"]
    assert build == f'docker build -t {IMAGE} "${{MIGRATE02:?}}"'
    assert load == f"docker save {IMAGE} | ssh 10.0.0.1 'docker load'"
    assert found["Write down what is not converted"]["sets"] == {"a": written}
    assert "Put etcd02 in the place of etcd" not in found


@pytest.mark.parametrize(
    ("name", "text"), [("docker-compose_yml", COMPOSE), ("start", DOCKER_RUN), ("pod_yaml", POD)]
)
def test_the_data_of_a_container_is_where_its_host_has_it(name: str, text: str, tmp_path: Path) -> None:
    found = of_files(tmp_path, **{name: text})
    assert (
        "rsync -a 10.0.0.1:/srv/volume/etcd/ old-a/a/"
        in found["Bring the data of all members together"]["run"]
    )
    assert found["Put the new directories in their place"]["run"] == [
        "ssh 10.0.0.1 'mv /srv/volume/etcd /srv/volume/etcd.0.4'",
        "rsync -a new-a/a/ 10.0.0.1:/srv/volume/etcd/",
        "ssh 10.0.0.1 'chown -R 10001:10001 /srv/volume/etcd'",
    ]


def test_the_user_of_the_image_is_that_of_the_container_file() -> None:
    (user,) = re.findall(r"(?m)^USER (.*)$", (Path(__file__).parents[3] / "Dockerfile").read_text())
    assert user == USER_IN_IMAGE


INIT_SCRIPT = """\
#!/bin/sh
DAEMON=/usr/local/sbin/etcd
OPTS="-config /etc/etcd/etcd.conf"
case "$1" in
  start) start-stop-daemon --start --exec $DAEMON -- $OPTS ;;
esac
"""
CONF = """\
name = "a"
addr = "10.0.0.1:4001"
data_dir = "/d"
[peer]
addr = "10.0.0.1:7001"
"""


def test_a_file_that_nothing_reads_any_more_goes_aside_before_the_check(tmp_path: Path) -> None:
    """Its settings are in the script then; the check found them in it again, as four of 0.4's."""
    found = of_files(tmp_path, m__etc__init_d__etcd=INIT_SCRIPT, m__etc__etcd__etcd_conf=CONF)
    convert = found["Convert the configuration"]
    for line in (*convert["run"], *convert["check"]):
        program, *words = shlex.split(line)
        done = migrate02(*words, cwd=tmp_path) if program == "migrate02" else None
        if done is None:
            os.replace(tmp_path / words[0], tmp_path / words[1])
        else:
            assert (done.status, "error[" in done.err) == (0, False), done.err
    assert not (tmp_path / "m/etc/etcd/etcd.conf").exists()
    bring = found["Bring the configuration to its machines"]["run"]
    assert bring[-1] == (
        "ssh 10.0.0.1 '[ ! -e /etc/etcd/etcd.conf.0.4 ] && mv /etc/etcd/etcd.conf /etc/etcd/etcd.conf.0.4'"
    )
    assert found["Put etcd02 in the place of etcd"]["run"] == [
        "ssh 10.0.0.1 'new=$(command -v etcd02) && { [ -e /usr/local/sbin/etcd.0.4 ] || mv /usr/local/sbin/etcd "
        '/usr/local/sbin/etcd.0.4; } && ln -sf "$new" /usr/local/sbin/etcd\''
    ]


def test_a_program_that_no_path_names_is_the_one_that_the_machine_finds(tmp_path: Path) -> None:
    procfile = "etcd: etcd -name a -addr 10.0.0.1:4001 -peer-addr 10.0.0.1:7001 -data-dir /d\n"
    (line,) = of_files(tmp_path, Procfile=procfile)["Put etcd02 in the place of etcd"]["run"]
    assert "old=$(command -v etcd) &&" in line


def test_a_file_goes_back_where_it_came_from_and_one_that_is_there_stays() -> None:
    nodes = [node("a", "10.0.0.1")._replace(files=("fleet/a/etc/default/etcd", "/etc/etcd/peers"))]
    assert steps(nodes)["Bring the configuration to its machines"].run == (
        "ssh 10.0.0.1 '[ ! -e /etc/default/etcd.0.4 ] && cp -p /etc/default/etcd /etc/default/etcd.0.4'",
        "rsync -a --no-owner --no-group fleet/a/etc/default/etcd 10.0.0.1:/etc/default/etcd",
    )


def test_the_kubelet_does_not_start_what_is_kept_beside_a_manifest() -> None:
    nodes = [node("a", "10.0.0.1")._replace(files=("a/etc/kubernetes/manifests/etcd.yaml",))]
    keep, _ = steps(nodes)["Bring the configuration to its machines"].run
    assert keep.endswith(" /etc/kubernetes/manifests/.etcd.yaml.0.4'")


def test_a_cloud_config_is_applied_before_the_start() -> None:
    nodes = [node("a", "10.0.0.1")._replace(files=("a/user-data",))]
    assert steps(nodes)["Bring the configuration to its machines"].run[:2] == (
        "rsync -a --no-owner --no-group a/user-data 10.0.0.1:/var/tmp/user-data",
        "ssh 10.0.0.1 'coreos-cloudinit --from-file=/var/tmp/user-data'",
    )


def test_the_new_directory_belongs_to_whom_the_old_one_belonged() -> None:
    *_, last = steps()["Put the new directories in their place"].run
    assert last == "ssh 10.7.0.13 'chown -R --reference=/var/lib/etcd.0.4 /var/lib/etcd'"


def test_a_file_that_is_brought_by_a_person_has_no_check() -> None:
    step = steps([node("a", "10.0.0.1")])["Bring the configuration to its machines"]
    assert step.run == ("# bring a.conf to where it came from on 10.0.0.1",)
    assert (step.check, step.see) == ((), "")


@pytest.mark.parametrize("program", ["etcd", "{root}/sbin/etcd"])
def test_the_program_of_two_clusters_on_a_machine_is_kept_once(program: str, tmp_path: Path) -> None:
    """The second time it is etcd02 already, which must not take the place of what was kept."""
    programs = tmp_path / "sbin"
    programs.mkdir()
    for name in ("etcd", "etcd02"):
        (programs / name).write_text(f"#!/bin/sh\n: {name}\n")
        (programs / name).chmod(0o755)
    procfile = f"etcd: {program.format(root=tmp_path)} -name a -addr 127.0.0.1:4001 -data-dir /d\n"
    step = of_files(tmp_path / "files", Procfile=procfile)["Put etcd02 in the place of etcd"]

    def run(lines: list[str]) -> None:
        for line in lines:
            path = f"{programs}:{os.environ['PATH']}"
            subprocess.run(["sh", "-c", line], env={"PATH": path}, check=True)

    for _ in range(2):
        run(step["run"])
        assert (programs / "etcd").readlink() == programs / "etcd02"
        assert (programs / "etcd.0.4").read_text().endswith(": etcd\n")
    for _ in range(2):
        run(step["back"])
        assert (programs / "etcd").read_text().endswith(": etcd\n")


def test_nothing_is_let_go_of_that_no_step_has_kept() -> None:
    """Each ``rm`` of a file on a machine is of one that an earlier step put aside there."""
    files = ("a/etc/default/etcd", "a/usr/share/oem/cloud-config.yml", "a.conf", "/etc/etcd/peers")
    found = steps([node("a", "10.0.0.1", data_dir="/d")._replace(files=files)])
    removed = [line.split()[-1].rstrip("'") for line in found["Let go of the old files"].run[:-1]]
    kept = " ".join(line for step in found.values() for line in step.run if " rm " not in line)
    assert removed == ["/d.0.4", "/etc/default/etcd.0.4"]
    assert all(path in kept for path in removed)


def test_a_standby_in_a_container_gets_the_image_too() -> None:
    nodes = [each._replace(runs=Runs(image="coreos/etcd"), files=("run",)) for each in three()]
    found = steps(nodes, standbys=("infra3",))
    assert f"--entrypoint etcd02 {IMAGE}" in dict(found["Start the standbys as proxies"].sets)["infra3"]


@pytest.mark.parametrize(
    "file",
    [
        "docker1/etc/systemd/system/etcd.service",
        "m1/usr/share/oem/cloud-config.yml",
        "composer/etc/default/etcd",
        "manifests/m1/etc/default/etcd",
    ],
)
def test_what_only_sounds_like_a_container_is_none(file: str) -> None:
    found = steps([node("a", "10.0.0.1", data_dir="/d")._replace(files=(file,))])
    assert "Build the image of etcd02" not in found
    assert "rsync -a 10.0.0.1:/d/ old-a/a/" in found["Bring the data of all members together"].run


@pytest.mark.parametrize(
    "odd", ["$(touch pwned)`touch pwned`;touch pwned;", "'\"\n touch pwned\n", "a; touch pwned #"]
)
@pytest.mark.parametrize("gateway", [None, GatewaySettings(("http://a:1",))], ids=["2.x", "gateway"])
def test_paths_programs_and_volumes_of_files_run_nothing(
    odd: str, gateway: GatewaySettings | None, tmp_path: Path
) -> None:
    """They come from files that nobody vouches for. A line is run with programs that do nothing, on other machines, too."""
    runs = [Runs(program=f"/usr/{odd}/etcd"), Runs(image=odd, volumes=((f"/{odd}", "/d"),)), Runs(odd, odd)]
    for at, each in enumerate(runs):
        files = (f"m/etc/{odd}", odd, f"m/{odd}/user-data", "docker-compose.yml")
        found = steps(
            [node("a", "10.0.0.1", data_dir="/d")._replace(files=files, runs=each, left_over=(odd,))],
            gateway=gateway,
        )
        for step in found.values():
            for line in (*step.run, *step.check, *step.back):
                assert "\n" not in line
                said = subprocess.run(
                    [str(shutil.which("bash")), "-c", line],
                    env={"PATH": str(_silent(tmp_path / f"bin{at}"))},
                    cwd=tmp_path,
                    capture_output=True,
                )
                assert not (tmp_path / "pwned").exists(), (line, said)


def _silent(folder: Path) -> Path:
    """Programs that do nothing, but for ``touch``, and ``ssh``, which has its last word run."""
    if not folder.exists():
        folder.mkdir()
        for name in (
            "ssh",
            "rsync",
            "docker",
            "migrate02",
            "etcdctl02",
            "curl",
            "grep",
            "diff",
            "mv",
            "rm",
            "mkdir",
        ):
            (folder / name).write_text("#!/bin/sh\n")
            (folder / name).chmod(0o755)
        (folder / "ssh").write_text('#!/bin/sh\nfor last; do :; done\nexec /bin/sh -c "$last"\n')
        touch = shutil.which("touch")
        assert touch is not None
        (folder / "touch").symlink_to(touch)
    return folder
