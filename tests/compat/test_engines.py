"""Real etcds to hand over to, played by shell scripts that answer --version."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from compat.engines import Engine, EngineError, ask_version, find_on_path, prepare
from server.config import BY_NAME, load
from tests.compat.helpers import codes, translated

ANSWER_23 = "etcd Version: 2.3.8\nGit SHA: 7e4fc7e\nGo Version: go1.7.5\n"


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def answering(path: Path, answer: str) -> Path:
    return script(path, f"printf '%s' '{answer}'")


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        (ANSWER_23, "2.3.8"),
        ("etcd Version: 3.4.23\nGit SHA: GitNotFound\n", "3.4.23"),
        ("etcd Version: 3.6.0-rc.1\n", "3.6.0rc1"),
        ("etcd version 2.0.0\n", "2.0.0"),
        ("WARNING: noise\netcd Version: 3.5.1\n", "3.5.1"),
    ],
)
def test_the_version_is_read_from_the_answer(answer: str, version: str, tmp_path: Path) -> None:
    path = answering(tmp_path / "etcd", answer)
    assert ask_version(str(path), {}) == Engine(str(path), Version(version))


def test_an_answer_on_standard_error_counts(tmp_path: Path) -> None:
    assert ask_version(str(script(tmp_path / "etcd", "echo etcd Version: 2.3.8 >&2")), {}).version == Version(
        "2.3.8"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo etcd version 0.4.9", "2.0 or later is needed"),
        ("echo hello", "does not answer as etcd does"),
        ("exit 1", "does not answer as etcd does"),
        (r"printf '\377\376'", "does not answer as etcd does"),
        ("echo etcd Version: next", "is of version next, which is none"),
        ("sleep 100", "no answer in 0.2 s"),
    ],
)
def test_what_is_no_etcd_of_use_is_refused(body: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=message) as refused:
        ask_version(
            str(script(tmp_path / "etcd", f"exec {body}" if body.startswith("sleep") else body)),
            {},
            patience=0.2 if "sleep" in body else 60,
        )
    assert refused.value.remedy


def test_what_cannot_be_run_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("x")
    with pytest.raises(EngineError, match="no such file"):
        ask_version(str(tmp_path / "gone"), {})
    with pytest.raises(EngineError, match="not executable"):
        ask_version(str(plain), {})
    plain.chmod(0o755)
    with pytest.raises(EngineError, match="Exec format error"):
        ask_version(str(plain), {})


def test_the_environment_does_not_reach_the_question_but_for_the_architecture(tmp_path: Path) -> None:
    path = script(tmp_path / "etcd", '[ -z "$ETCD_ADDR" ] && echo "etcd Version: 2.3.$ETCD_UNSUPPORTED_ARCH"')
    assert ask_version(str(path), {"ETCD_ADDR": "x", "ETCD_UNSUPPORTED_ARCH": "7"}).version == Version(
        "2.3.7"
    )


@pytest.mark.parametrize(
    ("version", "reads"), [("2.0.13", True), ("2.1.3", True), ("2.2.0", False), ("3.4.23", False)]
)
def test_which_releases_read_0_4s_data(version: str, reads: bool) -> None:
    assert Engine("etcd", Version(version)).reads_data_of_04 is reads


# auto


def test_auto_takes_the_first_etcd_on_the_path(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    (folders[0] / "etcd").mkdir()
    (folders[1] / "etcd").write_text("not executable")
    real = answering(folders[2] / "etcd", ANSWER_23)
    assert find_on_path(os.pathsep.join(map(str, folders)), "/usr/bin/etcd02") == str(real)
    assert find_on_path(str(folders[1]), "/usr/bin/etcd02") == ""


def test_auto_skips_a_link_to_ourselves(tmp_path: Path) -> None:
    ours, link = tmp_path / "etcd02", tmp_path / "bin" / "etcd"
    link.parent.mkdir()
    script(ours, "exit 1")
    link.symlink_to(ours)
    search = f"{link.parent}{os.pathsep}{tmp_path / 'real'}"
    assert find_on_path(search, str(link)) == ""
    (tmp_path / "real").mkdir()
    real = answering(tmp_path / "real" / "etcd", ANSWER_23)
    assert find_on_path(search, str(link)) == find_on_path(search, str(ours)) == str(real)


def test_an_empty_part_of_the_path_is_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answering(tmp_path / "etcd", ANSWER_23)
    assert find_on_path("", "/usr/bin/etcd02") == "./etcd"


# What is exec'ed.


def started(
    version: str, line: str, environ: dict[str, str] | None = None
) -> tuple[list[str], dict[str, str], set[str]]:
    made = translated(line, environ)
    known = {name: value for name, value in made.config.items() if name in BY_NAME}
    config = load(known, listen_client_from_bind_addr="-listen-client-urls" not in line)
    start = prepare(Engine("/e", Version(version)), made.config, config, environ or {})
    return start.argv, start.environ, codes(start.findings)


def test_every_setting_goes_on_the_command_line() -> None:
    argv, _, _ = started("2.3.8", "-name m -addr 127.0.0.1:1 -peer-addr 127.0.0.1:2 -data-dir d -v")
    assert argv[0] == "/e"
    assert "--debug=true" in argv
    for name, value in (
        ("name", "m"),
        ("data-dir", "d"),
        ("advertise-client-urls", "http://127.0.0.1:1"),
        ("listen-client-urls", "http://[::]:1"),
        ("initial-cluster", "m=http://127.0.0.1:2"),
    ):
        assert argv[argv.index(f"--{name}") + 1] == value


def test_3_x_is_told_the_ports_of_2_3() -> None:
    argv, _, _ = started("3.4.23", "-name m -debug")
    assert argv[argv.index("--listen-client-urls") + 1] == "http://localhost:2379,http://localhost:4001"
    assert argv[argv.index("--snapshot-count") + 1] == "10000"  # 3.2 to 3.5 would take 100000
    assert argv[argv.index("--initial-cluster") + 1] == "m=http://localhost:2380,m=http://localhost:7001"
    assert "--enable-v2=true" in argv
    assert "--log-level" in argv


def test_a_listening_address_from_bind_addr_brings_the_advertised_one() -> None:
    """2.x asks for it beside --listen-client-urls, though not beside -bind-addr."""
    argv, _, _ = started("2.3.8", "-bind-addr 127.0.0.1:1 -debug")
    assert argv[argv.index("--advertise-client-urls") + 1] == "http://localhost:2379,http://localhost:4001"


def test_discovery_is_not_put_beside_an_initial_cluster() -> None:
    argv, _, _ = started("3.4.23", "-debug -discovery http://d/t")
    assert "--initial-cluster" not in argv
    argv, _, _ = started("3.4.23", "-debug -discovery=")
    assert "--discovery" not in argv
    assert "--initial-cluster" in argv


def test_variables_that_were_translated_do_not_reach_it_again() -> None:
    environ = {
        "ETCD_ADDR": "127.0.0.1:1",
        "ETCD_SNAPSHOTCOUNT": "5",
        "ETCD_VERSION": "2",
        "ETCD_ENABLE_V2": "true",
        "ETCD02_ENGINE": "/e",
        "ETCD_UNSUPPORTED_ARCH": "arm64",
        "ETCDCTL_API": "2",
        "PATH": "/bin",
    }
    argv, kept, _ = started("3.4.23", "", environ)
    assert kept == {"ETCD_UNSUPPORTED_ARCH": "arm64", "ETCDCTL_API": "2", "PATH": "/bin"}
    assert "--enable-v2=true" in argv


def test_what_it_lacks_is_told() -> None:
    _, _, told = started("3.6.0", "-addr 127.0.0.1:1 -proxy on")
    assert told == {"target-lacks", "v2-api"}


def test_becoming_it_keeps_the_pid_and_passes_words_as_they_are(tmp_path: Path) -> None:
    path = script(tmp_path / "etcd", 'echo $$; for word; do echo "[$word]"; done; exit 7')
    code = f"from compat.engines import Start, become; become(Start([{str(path)!r}, 'a b', ''], {{}}, []))"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    out, _ = child.communicate()
    assert (child.returncode, out) == (7, f"{child.pid}\n[a b]\n[]\n")


def test_it_does_not_inherit_that_python_ignores_signals(tmp_path: Path) -> None:
    path = script(tmp_path / "etcd", "grep SigIgn /proc/self/status")
    code = f"from compat.engines import Start, become; become(Start([{str(path)!r}], {{'PATH': '/usr/bin:/bin'}}, []))"
    plain = subprocess.run([path], stdout=subprocess.PIPE, check=True)
    child = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    assert child.stdout == plain.stdout
