"""What a file holds as text is converted as by itself, in whatever it stands: each kind of text in each layer.

The texts are put into the layers, and read out of what comes of them, by a shell, by PyYAML, by ``json`` and by small
readers made for this; not by the project's own layers.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.migrate02.running import convert

UNIT = """\
[Service]
EnvironmentFile=/etc/environment
ExecStart=/usr/bin/etcd -name infra0 -addr ${PRIVATE}:4001 -peer-addr ${PRIVATE}:7001 -data-dir /var/lib/etcd
"""
DROP_IN = """\
[Service]
Environment="ETCD_ADDR=${PRIVATE}:4001" "ETCD_PEER_ADDR=${PRIVATE}:7001" ETCD_NAME=%m
"""
SCRIPT = """\
#!/bin/sh
# it's `mine`, at 5$
IP=$(hostname -i)
exec etcd -name "infra0" -addr $IP:4001 -peer-addr "$IP:7001" -data-dir '/var/lib/etcd' \\
  -cpuprofile "/tmp/a b\\"c" -peer-bind-addr 0.0.0.0
"""
CLOUD_CONFIG = """\
#cloud-config
coreos:
  etcd:
    name: infra0
    addr: $private_ipv4:4001
    peer-addr: "$private_ipv4:7001"
  units:
    - name: etcd.service
      command: start
    - name: setup.service
      content: |
        [Service]
        ExecStart=/bin/sh -c 'echo "a" > /tmp/$$x'
"""
SUPERVISOR = """\
[program:etcd]
command=/usr/bin/etcd -name infra0 -addr "%(ENV_IP)s:4001" -peer-addr 10.0.0.1:7001
"""
ENV = """\
# it's one
ETCD_NAME=infra0
ETCD_ADDR="${PRIVATE}:4001"
ETCD_PEER_ADDR=10.0.0.1:7001
"""
TEXTS = {
    "unit": UNIT,
    "drop-in": DROP_IN,
    "script": SCRIPT,
    "cloud-config": CLOUD_CONFIG,
    "supervisor": SUPERVISOR,
    "env": ENV,
}


class Around(NamedTuple):
    """How a text is put into another one, and read out of it again."""

    put: Callable[[str], str]
    read: Callable[[str], str]


def _escaped_for_here(text: str) -> str:
    return re.sub(r"[\\$`]", lambda found: "\\" + found[0], text)


def _by_a_shell(script: str) -> str:
    """What a here-document writes: with no variable set."""
    run = script.replace("cat > /etc/inner", "cat")
    return subprocess.run(["/bin/sh"], input=run, capture_output=True, text=True, check=True, env={}).stdout


def _in_here(operator: str, *, quoted: bool, indent: str = "") -> Around:
    def put(text: str) -> str:
        body = text if quoted else _escaped_for_here(text)
        body = textwrap.indent(body, indent)
        delimiter = "'EOF'" if quoted else "EOF"
        return f"#!/bin/sh\nset -e\ncat > /etc/inner {operator}{delimiter}\n{body}{indent}EOF\n"

    return Around(put, _by_a_shell)


def _content_of(text: str) -> str:
    return str(yaml.safe_load(text)["write_files"][0]["content"])


def _in_yaml(write: Callable[[str], str]) -> Around:
    def put(text: str) -> str:
        return f"#cloud-config\nwrite_files:\n  - path: /etc/inner\n    content: {write(text)}\n"

    return Around(put, _content_of)


def _literal(text: str) -> str:
    return "|\n" + textwrap.indent(text, "      ").rstrip("\n")


def _folded(text: str) -> str:
    lines = text.rstrip("\n").split("\n")
    return ">\n" + "\n\n".join("      " + line for line in lines)


def _single(text: str) -> str:
    return "'" + text.replace("'", "''").replace("\n", "\n\n      ") + "'"


def _terraform(text: str) -> str:
    body = re.sub(r"([$%])\{", r"\1\1{", text)
    return f'resource "aws_instance" "a" {{\n  user_data = <<DATA\n{body}DATA\n}}\n'


def _of_terraform(text: str) -> str:
    body = text.partition("<<DATA\n")[2].partition("DATA\n}")[0]
    return re.sub(r"([$%])\1\{", r"\1{", body)


def _terraform_quoted(text: str) -> str:
    return f'resource "aws_instance" "a" {{\n  user_data = {json.dumps(_template(text))}\n}}\n'


def _template(text: str) -> str:
    return re.sub(r"([$%])\{", r"\1\1{", text)


def _of_terraform_quoted(text: str) -> str:
    found = re.search(r'"(?:[^"\\]|\\.)*"(?=\n\})', text)
    assert found is not None
    return re.sub(r"([$%])\1\{", r"\1{", json.loads(found[0]))


def _user_data(text: str) -> str:
    return json.dumps({"Resources": {"UserData": {"Fn::Base64": text}}}, indent=1)


def _fn_sub(text: str) -> str:
    return json.dumps({"Resources": {"UserData": {"Fn::Sub": text.replace("${", "${!")}}}, indent=1)


AROUND = {
    "here-document": _in_here("<<", quoted=False),
    "quoted here-document": _in_here("<<", quoted=True),
    "here-document behind tabs": _in_here("<<-", quoted=False, indent="\t"),
    "quoted here-document behind tabs": _in_here("<<-", quoted=True, indent="\t"),
    "YAML literal": _in_yaml(_literal),
    "YAML double quotes": _in_yaml(json.dumps),
    "YAML single quotes": _in_yaml(_single),
}
FOR_FILES_WITH_A_SIGN = {
    "JSON": Around(_user_data, lambda text: str(json.loads(text)["Resources"]["UserData"]["Fn::Base64"])),
    "Fn::Sub": Around(
        _fn_sub, lambda text: str(json.loads(text)["Resources"]["UserData"]["Fn::Sub"]).replace("${!", "${")
    ),
    "Terraform here-document": Around(_terraform, _of_terraform),
    "Terraform quotes": Around(_terraform_quoted, _of_terraform_quoted),
}


def _by_itself(text: str, tmp_path: Path) -> tuple[str, list[str]]:
    file = tmp_path / "inner"
    file.write_text(text)
    done = convert(file)
    return done.out, sorted(set(done.codes))


def _inside(text: str, around: Around, tmp_path: Path) -> tuple[str, list[str]]:
    file = tmp_path / "outer"
    file.write_text(around.put(text))
    assert around.read(file.read_text()) == text, "the test's own writer is wrong"
    done = convert(file)
    return around.read(done.out), sorted(set(done.codes))


FOLDED_AWAY = {("script", "YAML single quotes"), ("cloud-config", "YAML single quotes")}
"""They have lines with an indentation, for which that style has no way."""


@pytest.mark.parametrize(
    ("kind", "layer"),
    [(kind, layer) for kind in TEXTS for layer in AROUND if (kind, layer) not in FOLDED_AWAY],
)
def test_a_file_in_a_file_is_converted_as_by_itself(kind: str, layer: str, tmp_path: Path) -> None:
    text, codes = _by_itself(TEXTS[kind], tmp_path)
    assert text != TEXTS[kind]
    assert _inside(TEXTS[kind], AROUND[layer], tmp_path) == (text, codes)


@pytest.mark.parametrize("layer", FOR_FILES_WITH_A_SIGN)
@pytest.mark.parametrize("kind", ["script", "cloud-config"])
def test_user_data_is_converted_as_by_itself(kind: str, layer: str, tmp_path: Path) -> None:
    text, codes = _by_itself(TEXTS[kind], tmp_path)
    assert _inside(TEXTS[kind], FOR_FILES_WITH_A_SIGN[layer], tmp_path) == (text, codes)


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("outer", FOR_FILES_WITH_A_SIGN)
@pytest.mark.parametrize("inner", ["here-document", "YAML literal", "YAML double quotes"])
def test_files_stand_in_files_in_files(kind: str, inner: str, outer: str, tmp_path: Path) -> None:
    text, codes = _by_itself(TEXTS[kind], tmp_path)
    first, second = AROUND[inner], FOR_FILES_WITH_A_SIGN[outer]
    stack = Around(lambda text: second.put(first.put(text)), lambda text: first.read(second.read(text)))
    assert _inside(TEXTS[kind], stack, tmp_path) == (text, codes)


COMMAND = "exec etcd -name infra0 -addr $IP:4001 -peer-addr \"$IP:7001\" -data-dir '/var/lib/x y'"
QUOTED: dict[str, Callable[[str], str]] = {
    "single quotes": shlex.quote,
    "double quotes": lambda text: '"' + re.sub(r'[\\$`"]', lambda found: "\\" + found[0], text) + '"',
    "$'...'": lambda text: "$'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'",
}


@pytest.mark.parametrize("quotes", QUOTED)
@pytest.mark.parametrize("lead", ["sh -c ", "exec su -s /bin/sh etcd -c ", "sudo bash -c "])
def test_a_command_in_a_word_is_converted_as_by_itself(lead: str, quotes: str, tmp_path: Path) -> None:
    alone, _ = _by_itself(f"#!/bin/sh\n{COMMAND}\n", tmp_path)
    (tmp_path / "outer").write_text(f"#!/bin/bash\n{lead}{QUOTED[quotes](COMMAND)}\n")
    word = convert(tmp_path / "outer").out.splitlines()[1].removeprefix(lead)
    done = subprocess.run(
        ["/bin/bash", "-c", f"printf %s {word}"], capture_output=True, text=True, check=True, env={}
    )
    assert done.stdout == alone.splitlines()[1]


@pytest.mark.parametrize(
    ("lead", "raw"), [("", "$IP"), ("", "${IP}"), ("", "$(hostname -i)"), ("IP=10.0.0.1\n", "$IP")]
)
@pytest.mark.parametrize("layer", ["here-document", "double quotes"])
def test_what_the_outer_shell_fills_in_stays_its_own(lead: str, raw: str, layer: str, tmp_path: Path) -> None:
    command = f"exec etcd -name infra0 -addr {raw}:4001 -peer-addr {raw}:7001"
    if layer == "double quotes":
        text = f'#!/bin/sh\n{lead}sh -c "{command}"\n'
    else:
        text = f"#!/bin/sh\n{lead}cat > /run/it <<EOF\n#!/bin/sh\n{command}\nEOF\n"
    (tmp_path / "outer").write_text(text)
    out = convert(tmp_path / "outer").out
    assert f"--advertise-client-urls http://{raw}:4001 " in out
    assert f"--initial-cluster infra0=http://{raw}:7001" in out
    assert "\\$" not in out


@pytest.mark.parametrize("raw", ["${var.ip}", '${lookup(var.ips, "a")}', "${aws_instance.x.0.private_ip}"])
def test_what_terraform_fills_in_stays_as_it_is(raw: str, tmp_path: Path) -> None:
    text = TEXTS["cloud-config"].replace("$private_ipv4", raw)
    (tmp_path / "input.tf").write_text(f'resource "x" "y" {{\n  user_data = <<EOF\n{text}EOF\n}}\n')
    out = convert(tmp_path / "input.tf").out
    assert f"advertise-client-urls: http://{raw}:4001" in out or f'"http://{raw}:4001"' in out
    assert "$${" not in out


def test_findings_name_the_lines_of_the_file(tmp_path: Path) -> None:
    script = AROUND["here-document"].put(UNIT)
    (tmp_path / "outer").write_text(script)
    line = script.splitlines().index("EnvironmentFile=/etc/environment") + 2
    assert f"outer:{line}: " in convert(tmp_path / "outer").err


def test_what_cannot_be_held_is_reported_and_not_changed(tmp_path: Path) -> None:
    """In ``$'...'`` nothing is filled in, and the cluster has the name of the variable."""
    text = "#!/bin/bash\nexport ETCD_NAME=$N\nbash -c $'exec etcd -peer-addr 10.0.0.1:7001'\n"
    (tmp_path / "outer").write_text(text)
    done = convert(tmp_path / "outer", "--write")
    assert (tmp_path / "outer").read_text() == text
    assert "not-converted" in done.codes
    assert "$'...' cannot hold" in done.err


def test_a_variable_of_the_outer_script_is_known_inside_double_quotes(tmp_path: Path) -> None:
    text = '#!/bin/sh\nADDR=10.0.1.10:4001\nsh -c "exec etcd -name a -peer-addr 10.0.1.10:7001 -addr $ADDR"\n'
    (tmp_path / "outer").write_text(text)
    done = convert(tmp_path / "outer")
    assert "--advertise-client-urls http://$ADDR " in done.out
    assert "--listen-client-urls 'http://[::]:4001'" in done.out
