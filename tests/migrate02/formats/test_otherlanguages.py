"""What is not converted is reported well: languages that are not read, conflicts, templates, marks, files without settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.migrate02.running import convert

LANGUAGES: dict[str, tuple[str, list[int]]] = {
    "deploy.rb": (
        'task :etcd do\n  ip = "10.0.0.1"\n  run "nohup /opt/etcd/etcd -name infra0 -addr #{ip}:4001 "\n'
        '    "-peer-addr #{ip}:7001 -data-dir /d &"\nend\n',
        [3, 4],
    ),
    "script.rb": ('#!/usr/bin/env ruby\nexec "etcd -name a -peer-addr #{ARGV[0]}:7001"\n', [2]),
    "etcd.pp": (
        "exec { 'etcd':\n  command => \"/opt/etcd/etcd -name infra0 -peer-addr ${ip}:7001 -bind-addr 0.0.0.0 &\",\n}\n",
        [2],
    ),
    "runner.go": (
        'package runner\n\nfunc start(ip string) *exec.Cmd {\n\treturn exec.Command("etcd", "-name", "infra0",\n'
        '\t\t"-addr", ip+":4001", "-peer-addr", ip+":7001")\n}\n',
        [4, 5],
    ),
    "start.py": (
        'import subprocess\n\nargs = ["etcd", "-name", "a", "-peer-addr", ip]\nsubprocess.Popen(args)\n',
        [3],
    ),
    "Vagrantfile": (
        'Vagrant.configure("2") do |config|\n  config.vm.provision "shell",\n'
        '    inline: "/opt/etcd -name a -addr 10.0.0.1:4001 -peer-addr 10.0.0.1:7001 &"\nend\n',
        [3],
    ),
    "tasks.yml": (
        "---\n- hosts: all\n  tasks:\n    - name: start etcd\n"
        "      shell: nohup /opt/etcd/etcd -name a -addr {{ ip }}:4001 -peer-addr {{ ip }}:7001 &\n",
        [5],
    ),
    "state.sls": (
        "etcd:\n  cmd.run:\n    - name: /opt/etcd/etcd -name a -peer-addr 10.0.0.1:7001\n",
        [3],
    ),
    "group_vars.yml": (
        'etcd_user: etcd\netcd_opts: "-name {{ host }} -addr {{ ip }}:4001 -peer-addr {{ ip }}:7001"\n',
        [2],
    ),
    "Makefile": ("ETCD = ./etcd\nrun:\n\t$(ETCD) -name a -peer-addr 127.0.0.1:7001\n", [3]),
    "packer.json": (
        '{"provisioners": [\n  {"type": "shell", "inline": ["nohup /opt/etcd/etcd -peer-addr 10.0.0.1:7001 &"]}\n]}\n',
        [2],
    ),
    "Etcd.java": (
        "class Etcd {\n  Process run(String ip) throws Exception {\n"
        '    return new ProcessBuilder("etcd", "-peer-addr", ip + ":7001", "-cluster-active-size", "3").start();\n  }\n}\n',
        [3],
    ),
    "etcd.js": ("spawn('etcd', ['-name', 'a', '-peer-addr', ip + ':7001'])\n", [1]),
    "recipe.rb": (
        "execute 'etcd' do\n  environment 'ETCD_PEER_ADDR' => '10.0.0.1:7001', 'ETCD_NAME' => 'a'\n  command 'etcd'\nend\n",
        [2],
    ),
}


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_language_that_is_not_read_is_one_finding_with_its_lines(name: str, tmp_path: Path) -> None:
    """Alike for the file by itself and in a directory."""
    text, lines = LANGUAGES[name]
    path = tmp_path / name
    path.write_text(text)
    said = f"line {lines[0]}" if len(lines) == 1 else f"lines {', '.join(map(str, lines))}"
    for given in (path, tmp_path):
        run = convert("--check", given)
        assert (run.status, run.codes) == (2, ["not-converted"])
        assert run.err.startswith(f"review[not-converted] {path}:{lines[0]}: ")
        assert f"in {said} -> " in run.err
        assert "migrate02 convert -- etcd" in run.err
        assert "TOML" not in run.err


@pytest.mark.parametrize("name", LANGUAGES)
def test_it_is_never_changed(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(LANGUAGES[name][0])
    convert("--write", "--from", "0.4", tmp_path)
    assert path.read_text() == LANGUAGES[name][0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("client.go", 'package c\n\nvar flags = []string{"-addr", "-peers"}\n\n// a client of etcd\n'),
        ("notes.py", '"""Talks to etcd at -addr 10.0.0.1:4001."""\n'),
        ("README.md", "Start it:\n\n    $ etcd -name a -peer-addr 10.0.0.1:7001\n"),
    ],
)
def test_a_source_that_starts_no_etcd_is_not_reported_in_a_tree(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert convert(tmp_path) == (0, "", f"no etcd configuration found in {tmp_path}\n")


# Broken TOML is what was meant to be TOML.


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("etcd.conf", "name = \n"),
        ("m1.toml", "name = \n"),
        ("input", 'name = "m1"\naddr = \n'),
        ("input", 'addr = "10.0.0.1:4001"\n[peer\naddr = "10.0.0.1:7001"\n'),
    ],
)
def test_broken_toml_is_called_that(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    run = convert(path)
    assert run.status == 3
    assert "broken TOML" in run.err


NOTHING = {
    "empty": "",
    "blank": " \n\n",
    "comments": "# nothing\n",
    "other variables": "GOMAXPROCS=4\nFOO=bar baz\n",
    "another program's": "[server]\nport = 1\n",
    "prose": "hello world\n",
    "a class named etcd": "class etcd {\n  include stdlib\n}\n",
    "ruby": "#!/usr/bin/ruby\nputs 'etcd'\n",
    "other yaml": "hosts: etcd\nports: [1]\n",
    "cloud-config": "#cloud-config\nhostname: a\n",
}


@pytest.mark.parametrize("kind", NOTHING)
def test_a_file_without_settings_is_no_error(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "etcd-file"
    path.write_text(NOTHING[kind])
    run = convert(path)
    line = f"info[nothing-to-convert] {path}: No etcd setting in this file; nothing to convert.\n"
    assert run == (0, NOTHING[kind], line)
    (tmp_path / "m1.env").write_text("ETCD_NAME=m1\nETCD_LISTEN_CLIENT_URLS=http://10.0.0.9:2379\n")
    assert "nothing-to-convert" not in convert(tmp_path).codes  # nobody named it


def test_another_form_of_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_text("GOMAXPROCS=4\n")
    assert convert("--to", "flags", path).status == 3


# Environment files beside a unit.

UNIT = (
    "[Service]\nEnvironmentFile={}\n"
    "ExecStart=/usr/bin/etcd -name m{} -data-dir /d -addr 10.0.0.{}:4001 -peer-addr 10.0.0.{}:7001 -peers 10.0.0.1:7001\n"
)


def _fleet(root: Path, path: str, text: str | None) -> None:
    for number in (1, 2):
        unit = root / f"m{number}/etc/systemd/system/etcd.service"
        unit.parent.mkdir(parents=True)
        unit.write_text(UNIT.format(path, number, number, number))
        if text is not None:
            file = root / f"m{number}/etc/default/etcd"
            file.parent.mkdir(parents=True)
            file.write_text(text)


@pytest.mark.parametrize("text", ["GOMAXPROCS=4\n", "", "# nothing\n", "FOO=a b\nexport BAR\n"])
@pytest.mark.parametrize("path", ["/etc/default/etcd", "-/etc/default/etcd"])
def test_an_environment_file_without_settings_is_read(path: str, text: str, tmp_path: Path) -> None:
    _fleet(tmp_path, path, text)
    run = convert("--write", "-v", tmp_path)
    assert run.status == 0
    assert run.codes.count("members-from-files") == 2
    assert (tmp_path / "m1/etc/default/etcd").read_text() == text


def test_an_environment_file_that_systemd_may_miss_does_not_hide_the_cluster(tmp_path: Path) -> None:
    _fleet(tmp_path, "-/etc/default/etcd", None)
    run = convert("--write", tmp_path)
    assert run.status == 2
    assert set(run.codes) & {"members-from-files", "environment-elsewhere", "incomplete-cluster"} == {
        "members-from-files",
        "environment-elsewhere",
    }
    unit = (tmp_path / "m2/etc/systemd/system/etcd.service").read_text()
    assert "--initial-cluster m1=http://10.0.0.1:7001,m2=http://10.0.0.2:7001" in unit


def test_one_that_it_may_not_miss_does(tmp_path: Path) -> None:
    _fleet(tmp_path, "/etc/default/etcd", None)
    assert "members-from-files" not in convert(tmp_path).codes


# Merge conflicts, byte-order marks, templates.

SETTINGS = {
    "toml": 'addr = "10.0.0.9:4001"\nname = "m1"\n',
    "env": "ETCD_ADDR=10.0.0.9:4001\nETCD_NAME=m1\n",
    "script": "#!/bin/sh\nexec etcd -name m1 -addr 10.0.0.9:4001 -cluster-active-size 3\n",
    "unit": "[Service]\nExecStart=/usr/bin/etcd -name m1 -addr 10.0.0.9:4001\n",
    "cloud-config": "#cloud-config\ncoreos:\n  etcd:\n    addr: 10.0.0.9:4001\n",
    "command": "etcd -name m1 -addr 10.0.0.9:4001\n",
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_merge_conflict_is_refused_with_its_line(kind: str, tmp_path: Path) -> None:
    first, rest = SETTINGS[kind].split("\n", 1)
    path = tmp_path / "etcd-input"
    path.write_text(f"{first}\n<<<<<<< HEAD\n{rest}=======\n{rest}>>>>>>> other\n")
    for given in (path, tmp_path):
        run = convert(given)
        assert (run.status, run.codes) == (3, ["unusable-input"])
        assert f"{path}:2: a merge conflict" in run.err


def test_a_here_document_and_a_heading_are_no_conflict(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_text(SETTINGS["script"] + "# =======\ncat <<<text\n")
    assert convert("--check", path).status != 3


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_byte_order_mark_is_kept_and_hides_nothing(kind: str, tmp_path: Path) -> None:
    plain, marked = tmp_path / "plain", tmp_path / "etcd-marked"
    plain.write_text(SETTINGS[kind])
    expected = convert("--from", "0.4", plain)
    assert expected.out != SETTINGS[kind]
    plain.unlink()
    marked.write_text("\ufeff" + SETTINGS[kind])
    run = convert("--from", "0.4", marked)
    assert (run.status, run.codes) == (expected.status, expected.codes)
    assert run.out == "\ufeff" + expected.out
    assert convert("--from", "0.4", tmp_path).out == run.out
    convert("--write", "--from", "0.4", tmp_path)
    assert marked.read_text() == "\ufeff" + expected.out


STATEMENTS = [
    ('{{if eq .channel "stable"}}', "{{else}}", "{{end}}"),
    ("<% if stable %>", "<% else %>", "<% end %>"),
    ("{% if stable %}", "{% else %}", "{% endif %}"),
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_at_the_end_of_a_line_decides_as_one_on_its_own(
    statement: tuple[str, str, str], tmp_path: Path
) -> None:
    one, two, three = statement
    text = (
        f"#cloud-config\ncoreos: {one}\n  etcd:\n    name: infra0\n    addr: $private_ipv4:4001\n"
        f"    peer-addr: $private_ipv4:7001{two}\n  etcd2:\n    name: infra0\n{three}\n  units: []\n"
    )
    path = tmp_path / "input.tmpl"
    path.write_text(text)
    run = convert(path)
    assert (run.status, run.codes) == (2, ["not-converted"])
    assert run.err.startswith(f"review[not-converted] {path}:2: ")
    assert f"{one} decides which settings exist" in run.err
