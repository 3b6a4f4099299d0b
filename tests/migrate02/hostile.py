"""Inputs that grow, one sort for everything that may be repeated, nested or left open in a file of each kind.

A case makes a text of ``size`` repetitions; the work for it has to grow no faster than that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

Grow = Callable[[int], str]


class Case(NamedTuple):
    """``kind`` is the format as ``migrate02.formats`` names it, ``what`` what grows in it."""

    kind: str
    what: str
    text: Grow

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


def _run(head: str, unit: str, tail: str = "") -> Grow:
    """``{i}`` in a unit is its number."""
    return lambda size: head + "".join(unit.replace("{i}", str(at)) for at in range(size)) + tail


START = "/usr/bin/etcd -name m1 -addr 10.0.0.9:4001 -peer-addr 10.0.0.9:7001"
OPENRC = "#!/sbin/openrc-run\ncommand=/usr/bin/etcd\n"
SERVICE = "[Service]\n"
COMPOSE = "services:\n"
POD = "kind: Pod\nmetadata:\n  name: etcd\nspec:\n  containers:\n"
CONTAINER = "    image: quay.io/coreos/etcd:v0.4.9\n"

REPEATED: dict[str, dict[str, Grow]] = {
    "toml": {
        "keys": _run('name = "m1"\naddr = "10.0.0.9:4001"\n', 'key{i} = "value"\n'),
        "tables": _run('addr = "10.0.0.9:4001"\n', '[table{i}]\nname = "a"\n'),
        "items": _run('addr = "10.0.0.9:4001"\npeers = [', '"10.0.0.{i}:7001",\n', "]\n"),
        "comments": _run('addr = "10.0.0.9:4001"\n', "# a comment {i}\n"),
        "lines of a text": _run('addr = "10.0.0.9:4001"\nname = """', "line {i}\n", '"""\n'),
        "arrays of tables": _run('addr = "10.0.0.9:4001"\n', "[[peer]]\naddr = 1\n"),
        "parts of a key": _run('addr = "10.0.0.9:4001"\na', ".a", " = 1\n"),
        "dotted keys": _run('addr = "10.0.0.9:4001"\n', "a{i}.b.c = 1\n"),
    },
    "env": {
        "one variable": _run("", "ETCD_ADDR=10.0.0.9:4001\n"),
        "other variables": _run("ETCD_ADDR=10.0.0.9:4001\n", "ETCD_KEY_{i}=value\n"),
        "exports": _run("ETCD_ADDR=10.0.0.9:4001\n", "export ETCD_ADDR ETCD_NAME\n"),
        "exports of many": _run("ETCD_ADDR=10.0.0.9:4001\nexport", " ETCD_ADDR ETCD_N{i}", "\n"),
        "options": _run("ETCD_ADDR=10.0.0.9:4001\n", 'OPTS{i}="-peer-addr 10.0.0.9:7001"\n'),
        "flags in options": _run("ETCD_ADDR=10.0.0.9:4001\nOPTS='", "-peer-addr 10.0.0.9:7001 ", "'\n"),
        "continued": _run("ETCD_ADDR=10.0.0.9:4001\nOTHER=a", "\\\n b{i}", "\n"),
        "parts": _run("ETCD_ADDR=10.0.0.9:4001\nETCD_NAME=", "a'b'\"c\"\\d", "\n"),
        "addresses": _run("ETCD_ADDR=10.0.0.9:4001\nETCD_CORS=", "http://a{i},", "\n"),
        "peers": _run("ETCD_ADDR=10.0.0.9:4001\nETCD_PEERS=", "10.0.0.1:{i},", "\n"),
        "blocks": _run("ETCD_ADDR=10.0.0.9:4001\n", "{% if a %}\nETCD_NAME=a{i}\n{% endif %}\n"),
    },
    "command": {
        "flags": _run("etcd -name m1", " -addr 10.0.0.9:4001", "\n"),
        "lines": _run("etcd -name m1", " \\\n  -addr=10.0.0.9:4001", "\n"),
        "variables": _run("", "ETCD_ADDR=10.0.0.9:4001 ", "etcd -name m1\n"),
        "expansions": _run("etcd -name m1", " $MORE_{i}", " -addr 10.0.0.9:4001\n"),
        "stray words": _run("etcd -peer-addr 10.0.0.9:7001 -v", " word{i}", "\n"),
        "comments": _run("", "# comment {i}\n", "etcd -addr 10.0.0.9:4001\n"),
        "booleans": _run("etcd -addr 10.0.0.9:4001", " -v", "\n"),
    },
    "args-json": {
        "flags": lambda size: json.dumps(["etcd", *["-addr=10.0.0.9:4001"] * size]),
        "nesting": lambda size: "[" * size + '"etcd"' + "]" * size,
    },
    "yaml": {
        "keys": _run("name: m1\nlisten-client-urls: http://a:1\n", "key{i}: value\n"),
        "again": _run("name: m1\n", "name: m{i}\n"),
        "items": _run("name: m1\nlisten-client-urls: http://a:1\nother:\n", "- item {i}\n"),
        "lines of a value": _run("name: m1\ncors: |\n", "  line {i}\n"),
        "comments": _run("name: m1\nlisten-client-urls: http://a:1\n", "# comment {i}\n"),
        "aliases": lambda size: (
            "name: m1\nx0: &x0 [a, b]\n"
            + "".join(f"x{at + 1}: &x{at + 1} [*x{at}, *x{at}]\n" for at in range(size))
            + f"cors: *x{size}\n"
        ),
        "merges": lambda size: (
            "name: m1\nx0: &x0 {a: b}\n"
            + "".join(f"x{at + 1}: &x{at + 1} {{<<: [*x{at}, *x{at}]}}\n" for at in range(size))
        ),
        "anchors": _run("name: m1\nlisten-client-urls: http://a:1\n", "a{i}: &a{i} x\n"),
        "deeper": lambda size: (
            "name: m1\nlisten-client-urls: http://a:1\n" + "".join(" " * at + "a:\n" for at in range(size))
        ),
    },
    "cloud-config": {
        "keys": _run("#cloud-config\ncoreos:\n  etcd:\n    addr: 10.0.0.9:4001\n", "    key{i}: value\n"),
        "one key": _run("#cloud-config\ncoreos:\n  etcd:\n    name: m1\n", "    addr: 10.0.0.9:4001\n"),
        "units": _run(
            "#cloud-config\ncoreos:\n  etcd:\n    addr: 10.0.0.9:4001\n  units:\n",
            "    - name: u{i}.service\n      content: |\n        [Unit]\n        After=etcd.service\n",
        ),
        "units of etcd": _run(
            "#cloud-config\ncoreos:\n  units:\n",
            f"    - name: u{{i}}.service\n      content: |\n        [Service]\n        ExecStart={START}\n",
        ),
        "lines of a unit": _run(
            "#cloud-config\ncoreos:\n  etcd:\n    addr: 10.0.0.9:4001\n  units:\n    - name: a.service\n      content: |\n",
            "        After=etcd.service\n",
        ),
        "files": _run(
            "#cloud-config\nwrite_files:\n",
            "  - path: /etc/default/etcd{i}\n    content: |\n      ETCD_ADDR=10.0.0.9:4001\n",
        ),
        "lines of a file": _run(
            "#cloud-config\nwrite_files:\n  - path: /etc/default/etcd\n    content: |\n",
            "      ETCD_ADDR=10.0.0.9:4001\n",
        ),
        "drop-ins": _run(
            "#cloud-config\ncoreos:\n  units:\n  - name: etcd.service\n    drop-ins:\n",
            "    - name: d{i}.conf\n      content: |\n        [Service]\n        Environment=ETCD_ADDR=10.0.0.9:4001\n",
        ),
        "documents": _run("", "#cloud-config\ncoreos:\n  etcd:\n    addr: 10.0.0.9:4001\n---\n"),
        "flow": _run("#cloud-config\ncoreos:\n  etcd: {", "addr: 10.0.0.9:4001, ", "name: a}\n"),
    },
    "systemd": {
        "variables": _run(SERVICE, "Environment=ETCD_ADDR=10.0.0.9:4001\n", f"ExecStart={START}\n"),
        "other variables": _run(SERVICE, "Environment=ETCD_K{i}=a\n", f"ExecStart={START}\n"),
        "variables of a line": _run(
            SERVICE + "Environment=", "ETCD_ADDR=10.0.0.9:4001 ", f"\nExecStart={START}\n"
        ),
        "only variables": _run(SERVICE, "Environment=ETCD_ADDR=10.0.0.9:4001\n"),
        "starts": _run(SERVICE, f"ExecStart={START}\n"),
        "shells": _run(SERVICE, f"ExecStart=/bin/sh -c 'exec {START}'\n"),
        "containers": _run(SERVICE, "ExecStart=/usr/bin/docker run etcd:0.4.9 -addr 10.0.0.9:4001\n"),
        "options of docker": _run(
            SERVICE + "ExecStart=/usr/bin/docker run", " -e A{i}=b", " etcd:0.4.9 -addr 10.0.0.9:4001\n"
        ),
        "flags": _run(SERVICE + "ExecStart=/usr/bin/etcd", " -addr 10.0.0.9:4001", "\n"),
        "lines of flags": _run(SERVICE + "ExecStart=/usr/bin/etcd", " \\\n  -addr 10.0.0.9:4001", "\n"),
        "comments in flags": _run(
            SERVICE + "ExecStart=/usr/bin/etcd", " \\\n# c\n  -addr 10.0.0.9:4001", "\n"
        ),
        "files": _run(SERVICE, "EnvironmentFile=/etc/default/etcd{i}\n", f"ExecStart={START}\n"),
        "one file": _run(SERVICE, "EnvironmentFile=/etc/default/etcd\n", f"ExecStart={START}\n"),
        "other lines": _run(SERVICE, "After=a{i}\n", f"ExecStart={START}\n"),
        "continued": _run(SERVICE + "After=a", " \\\n b{i}", f"\nExecStart={START}\n"),
    },
    "openrc": {
        "arguments": _run(OPENRC + 'command_args="-name m1', " -addr 10.0.0.9:4001", '"\n'),
        "additions": _run(OPENRC + 'command_args="-name m1"\n', 'command_args="$command_args -v"\n'),
        "settings": _run(OPENRC, "command_args=-v\n"),
        "functions": _run(OPENRC + 'command_args="-name m1"\n', "f{i}() {\n  true\n}\n"),
    },
    "shell": {
        "exports": _run("#!/bin/sh\n", "export ETCD_ADDR=10.0.0.9:4001\n", f"exec {START}\n"),
        "other exports": _run("#!/bin/sh\n", "export ETCD_K{i}=a\n", f"exec {START}\n"),
        "exports by name": _run("#!/bin/sh\n", "ETCD_K{i}=a\nexport ETCD_K{i}\n", f"exec {START}\n"),
        "starts": _run("#!/bin/sh\n", f"{START}\n"),
        "starts with variables": _run("#!/bin/sh\nexport ETCD_ADDR=10.0.0.9:4001\n", "etcd -name m{i}\n"),
        "exports and starts": _run("#!/bin/sh\n", "export ETCD_ADDR=10.0.0.9:4001\netcd -name m{i}\n"),
        "variables before": _run("#!/bin/sh\n", "ETCD_ADDR=10.0.0.9:4001 ", f"{START}\n"),
        "additions": _run('#!/bin/sh\nO="-name a"\n', 'O="$O -addr 10.0.0.9:4001"\n', "etcd $O\n"),
        "additions and starts": _run('#!/bin/sh\nO="-name a"\n', 'O="$O -v"\netcd $O\n'),
        "additions at times": _run('#!/bin/sh\nO="-name a"\n', '[ $a ] && O="$O -v"\n', "etcd $O\n"),
        "chain": lambda size: (
            '#!/bin/sh\nO0="-name a"\n'
            + "".join(f'O{at + 1}="-v $O{at}"\n' for at in range(size))
            + f"etcd $O{size}\n"
        ),
        "doubling": lambda size: (
            '#!/bin/sh\nO0="-v"\n'
            + "".join(f'O{at + 1}="$O{at} $O{at}"\n' for at in range(size))
            + f"etcd $O{size}\n"
        ),
        "doubling names": lambda size: (
            "#!/bin/sh\nO0=a\n"
            + "".join(f"O{at + 1}=$O{at}$O{at}\n" for at in range(size))
            + f"$O{size}/etcd -name $O{size}\n"
        ),
        "expansions": _run("#!/bin/sh\netcd -name m1", " $O{i}", "\n"),
        "arrays": _run("#!/bin/sh\nO=(", "-addr 10.0.0.9:4001 ", ')\netcd "${O[@]}"\n'),
        "wrappers": _run("#!/bin/sh\n", "exec ", f"{START}\n"),
        "wrapper's words": _run("#!/bin/sh\nsudo", " word{i}", f" {START}\n"),
        "docker": _run("#!/bin/sh\ndocker run", " -e ETCD_ADDR=10.0.0.9:4001", " etcd:0.4.9 -name m1\n"),
        "docker's dockers": _run("#!/bin/sh\n", "sudo docker ", "run etcd -name m1\n"),
        "commands": _run("#!/bin/sh\n", "echo {i}\n", f"{START}\n"),
        "commands of a line": _run("#!/bin/sh\n", "echo {i}; ", f"{START}\n"),
        "conditions": _run("#!/bin/sh\n", "if true; then\n", f"{START}\n"),
        "here-documents": _run("#!/bin/sh\n", "cat > /etc/default/etcd <<E\nETCD_ADDR=10.0.0.9:4001\nE\n"),
        "heads of here-documents": _run("#!/bin/sh\netcd -name m1", " <<E{i}", "\n"),
        "lines of a here-document": _run(
            "#!/bin/sh\ncat > /etc/default/etcd <<E\n", "ETCD_ADDR=10.0.0.9:4001\n", "E\n"
        ),
        "filled in here-document": _run(
            "#!/bin/sh\ncat > /etc/default/etcd <<E\nETCD_ADDR=10.0.0.9:4001\n", "A=\\$b\\`c\\`\n", "E\n"
        ),
        "sources": _run("#!/bin/sh\n", ". /etc/default/etcd{i}\n", f"{START}\n"),
        "one source": _run("#!/bin/sh\n", ". /etc/default/etcd\n", f"{START}\n"),
        "shells": _run("#!/bin/sh\n", f"su -c '{START}'\n"),
        "double shells": _run("#!/bin/sh\n", f'su -c "{START}"\n'),
        "shells in shells": lambda size: "#!/bin/sh\n" + "sh -c '" * size + START + "'" * size + "\n",
        "words of a shell": _run("#!/bin/sh\neval", " '$a b{i}'", "\netcd -name m1\n"),
        "functions": _run("#!/bin/sh\n", "f{i}() {\n  true\n}\n", f"{START}\n"),
        "quoted pieces": _run("#!/bin/sh\netcd -name ", "a'b'\"c\"", " -addr 10.0.0.9:4001\n"),
        "values of flags": _run("#!/bin/sh\netcd -peers ", "10.0.0.1:{i},", " -addr 10.0.0.9:4001\n"),
        "detached": _run(
            "#!/bin/sh\nstart-stop-daemon --start", " --exec /usr/bin/etcd", " -- -addr 10.0.0.9:4001\n"
        ),
    },
    "upstart": {
        "variables": _run("start on x\n", "env ETCD_ADDR=10.0.0.9:4001\n", f"exec {START}\n"),
        "starts": _run("start on x\nenv ETCD_NAME=a\n", f"exec {START}\n"),
        "variables and starts": _run("start on x\n", f"env ETCD_NAME=a\nexec {START}\n"),
        "scripts": _run("start on x\n", f"script\n  {START}\nend script\n"),
        "scripts left open": _run("start on x\n", f"script\n  {START}\n"),
        "other scripts": _run("start on x\n", "pre-start script\n  true\nend script\n", f"exec {START}\n"),
        "other scripts left open": _run("start on x\n", "pre-start script\n  true\n", f"exec {START}\n"),
    },
    "supervisor": {
        "programs": _run("", f"[program:etcd{{i}}]\ncommand={START}\n"),
        "variables": _run(
            f"[program:etcd]\ncommand={START}\nenvironment=", 'ETCD_ADDR="10.0.0.9:4001",', "A=b\n"
        ),
        "lines of a command": _run("[program:etcd]\ncommand=/usr/bin/etcd", "\n  -addr 10.0.0.9:4001", "\n"),
        "keys": _run("[program:etcd]\n", f"command={START}\n"),
        "other keys": _run(f"[program:etcd]\ncommand={START}\n", "key{i}=value\n"),
        "other sections": _run(f"[program:etcd]\ncommand={START}\n", "[section{i}]\na=b\n"),
        "other programs": _run(f"[program:etcd]\ncommand={START}\n", "[program:p{i}]\n"),
    },
    "dockerfile": {
        "variables": _run("FROM etcd:0.4.9\n", "ENV ETCD_ADDR 10.0.0.9:4001\n", f"CMD {START}\n"),
        "only variables": _run("FROM etcd:0.4.9\n", "ENV ETCD_ADDR 10.0.0.9:4001\n"),
        "only other variables": _run("FROM etcd:0.4.9\n", "ENV ETCD_K{i}=a\n"),
        "variables of a line": _run("FROM etcd:0.4.9\nENV", " ETCD_ADDR=10.0.0.9:4001", f"\nCMD {START}\n"),
        "variables of lines": _run(
            "FROM etcd:0.4.9\nENV", " \\\n ETCD_ADDR=10.0.0.9:4001", f"\nCMD {START}\n"
        ),
        "comments of lines": _run("FROM etcd:0.4.9\nENV A=b", " \\\n # c\n  C=d", f"\nCMD {START}\n"),
        "lists": lambda size: (
            "FROM etcd:0.4.9\nCMD " + json.dumps(["etcd", *["-addr=10.0.0.9:4001"] * size]) + "\n"
        ),
        "lists of lines": _run('FROM etcd:0.4.9\nCMD ["etcd"', ', \\\n "-addr=10.0.0.9:4001"', "]\n"),
        "nested lists": lambda size: "FROM etcd:0.4.9\nCMD " + "[" * size + "]" * size + "\n",
        "starts": _run("FROM etcd:0.4.9\n", f"CMD {START}\n"),
        "releases": _run(f"FROM etcd:0.4.9\nCMD {START}\n", "RUN curl etcd-v0.4.{i}\n"),
        "other lines": _run(f"FROM etcd:0.4.9\nCMD {START}\n", "RUN true {i}\n"),
    },
    "cloud-templates": {
        "texts": _run("", 'a{i} = "#cloud-config\\ncoreos:\\n  etcd:\\n    addr: 10.0.0.9:4001\\n"\n'),
        "one text": _run('a = "#cloud-config\\ncoreos:\\n  etcd:\\n', "    addr: 10.0.0.9:4001\\n", '"\n'),
        "here-documents": _run("a {\n", f"u = <<E\n#!/bin/sh\n{START}\nE\n"),
        "here-documents left open": _run("etcd = {\n", "u = <<E{i}\n#!/bin/sh\n"),
        "documents in YAML": _run("a:\n", f"- |\n  #!/bin/sh\n  {START}\n"),
        "heads": _run("etcd = {\n", "<<E "),
    },
    "containers": {
        "services": _run(COMPOSE, f"  etcd{{i}}:\n{CONTAINER}    command: -addr 10.0.0.9:4001\n"),
        "other services": _run(
            f"{COMPOSE}  etcd:\n{CONTAINER}    command: -addr 10.0.0.9:4001\n", "  s{i}:\n    image: a\n"
        ),
        "variables": _run(
            f"{COMPOSE}  etcd:\n{CONTAINER}    environment:\n", "    - ETCD_ADDR=10.0.0.9:4001\n"
        ),
        "mapped variables": _run(f"{COMPOSE}  etcd:\n{CONTAINER}    environment:\n", "      ETCD_K{i}: a\n"),
        "one variable": _run(
            f"{COMPOSE}  etcd:\n{CONTAINER}    environment:\n", "      ETCD_ADDR: 10.0.0.9:4001\n"
        ),
        "flags": _run(f"{COMPOSE}  etcd:\n{CONTAINER}    command:\n", "    - -addr=10.0.0.9:4001\n"),
        "flags in two": _run(
            f"{COMPOSE}  etcd:\n{CONTAINER}    command:\n", "    - -addr\n    - 10.0.0.9:4001\n"
        ),
        "flags of a flow": _run(
            f"{COMPOSE}  etcd:\n{CONTAINER}    command: [", "-addr, 10.0.0.9:4001, ", "-v]\n"
        ),
        "flags of a text": _run(f"{COMPOSE}  etcd:\n{CONTAINER}    command:", " -addr 10.0.0.9:4001", "\n"),
        "flags of lines": _run(
            f"{COMPOSE}  etcd:\n{CONTAINER}    command: >\n", "      -addr 10.0.0.9:4001\n"
        ),
        "flags of plain lines": _run(
            f"{COMPOSE}  etcd:\n{CONTAINER}    command: -v\n", "      -addr 10.0.0.9:4001\n"
        ),
        "flags in quotes": _run(
            f'{COMPOSE}  etcd:\n{CONTAINER}    command: "', "-addr 10.0.0.9:4001 \\\n ", '"\n'
        ),
        "escapes": _run(f'{COMPOSE}  etcd:\n{CONTAINER}    command: "-name ', "\\x41", '"\n'),
        "env files": _run(
            f"{COMPOSE}  etcd:\n{CONTAINER}    env_file:\n", "    - etcd{i}.env\n", "    command: -v\n"
        ),
        "documents": _run(
            "", f"---\nkind: Pod\ncontainers:\n- {CONTAINER.strip()}\n  args: [-addr=10.0.0.9:4001]\n"
        ),
        "pods": _run(POD, f"  - name: etcd{{i}}\n{CONTAINER}    args:\n    - -addr=10.0.0.9:4001\n"),
        "pod's variables": _run(
            f"{POD}  - name: etcd\n{CONTAINER}    env:\n",
            "    - name: ETCD_ADDR\n      value: 10.0.0.9:4001\n",
        ),
        "pod's flags": _run(f"{POD}  - name: etcd\n{CONTAINER}    args:\n", "    - -addr=10.0.0.9:4001\n"),
        "aliases": lambda size: (
            f"{COMPOSE}  etcd:\n{CONTAINER}    command: -addr 10.0.0.9:4001\n"
            + "x0: &x0 [a, b]\n"
            + "".join(f"x{at + 1}: &x{at + 1} [*x{at}, *x{at}]\n" for at in range(size))
        ),
        "aliases of containers": lambda size: (
            "kind: List\nimage: etcd\nx0: &x0\n  containers:\n  - image: etcd\n"
            + "".join(f"x{at + 1}: &x{at + 1} {{a: *x{at}, b: *x{at}}}\n" for at in range(size))
        ),
        "one alias": _run(
            f"x: &x\n{CONTAINER[2:]}  command: -addr 10.0.0.9:4001\n{COMPOSE}", "  etcd{i}: *x\n"
        ),
        "aliases of flags": _run(
            f"x: &x -addr=10.0.0.9:4001\n{COMPOSE}  etcd:\n{CONTAINER}    command:\n", "    - *x\n"
        ),
        "nesting": lambda size: f"{COMPOSE}  etcd:\n{CONTAINER}    a: " + "[" * size + "]" * size + "\n",
        "braces": lambda size: f"{COMPOSE}  etcd:\n{CONTAINER}    a: " + "{a: " * size + "}" * size + "\n",
        "dashes": lambda size: f"{COMPOSE}  etcd:\n{CONTAINER}    a:\n    " + "- " * size + "a\n",
        "questions": lambda size: f"{COMPOSE}  etcd:\n{CONTAINER}    a:\n    " + "? " * size + "a\n",
        "deeper": lambda size: (
            f"{COMPOSE}  etcd:\n{CONTAINER}" + "".join(" " * (4 + at) + "a:\n" for at in range(size))
        ),
        "placeholders": _run(
            f"{COMPOSE}  etcd:\n{CONTAINER}    command: -addr 10.0.0.9:4001\n", "    a{i}: {{ b }}\n"
        ),
    },
    "procfile": {
        "lines": _run("", "etcd{i}: etcd -addr 10.0.0.9:4001\n"),
        "flags": _run("etcd: etcd", " -addr 10.0.0.9:4001", "\n"),
        "other lines": _run("etcd: etcd -addr 10.0.0.9:4001\n", "web{i}: serve\n"),
    },
    "shell, no first line": {
        "starts": _run("set -e\n", f"{START}\n"),
        "commands": _run("set -e\n", "echo {i}\n", f"{START}\n"),
    },
}
"""What is repeated in a file of each kind. A format that is not in here fails a test."""

PRODUCTS = frozenset(
    (
        "aliases of flags",
        "exports and starts",
        "additions and starts",
        "doubling",
        "doubling names",
        "one alias",
        "variables and starts",
    )
)
"""What is said once and counts for many. So much of that is taken as a small file may need, and then in proportion."""

SAMPLES: dict[str, str] = {
    "toml": 'name = "m1"\naddr = "10.0.0.9:4001"\n@@\n',
    "env": "ETCD_ADDR=10.0.0.9:4001\nETCD_NAME=a@@\n",
    "command": "etcd -addr 10.0.0.9:4001 -name a@@\n",
    "args-json": '["etcd", "-addr", "10.0.0.9:4001", "-name", "a@@"]\n',
    "yaml": "name: m1\nlisten-client-urls: http://a:1\ncors: a@@\n",
    "cloud-config": "#cloud-config\ncoreos:\n  etcd:\n    addr: 10.0.0.9:4001\n    name: a@@\n",
    "systemd": f"{SERVICE}ExecStart={START} -discovery a@@\n",
    "openrc": f'{OPENRC}command_args="-addr 10.0.0.9:4001 -name a@@"\n',
    "shell": f"#!/bin/sh\nexec {START} -discovery a@@\n",
    "upstart": f"start on x\nexec {START} -discovery a@@\n",
    "supervisor": f"[program:etcd]\ncommand={START} -discovery a@@\n",
    "dockerfile": f"FROM etcd:0.4.9\nENV ETCD_NAME=a@@\nCMD {START}\n",
    "cloud-templates": 'a = "#cloud-config\\ncoreos:\\n  etcd:\\n    addr: 10.0.0.9:4001\\n"\nb = a@@\n',
    "containers": f"{COMPOSE}  etcd:\n{CONTAINER}    command: -addr 10.0.0.9:4001 -name a@@\n",
    "procfile": "etcd: etcd -addr 10.0.0.9:4001 -name a@@\n",
    "shell, no first line": f"set -e\n{START} -discovery a@@\n",
}
"""A small file of each kind; what grows is put in the place of ``@@``."""

PUMPS = (
    *(
        " ",
        "\t",
        "\n",
        "\r",
        "\r\n",
        " \n",
        "a",
        "a ",
        "-",
        "--",
        "-a ",
        "#",
        " #",
        "#\n",
        "=",
        "a=",
        "a=b ",
        "A=b\n",
    ),
    *(
        "'",
        '"',
        "''",
        '""',
        "' ",
        '" ',
        "\\",
        "\\\n",
        "\\\\",
        "\\a",
        "`",
        "$",
        "$$",
        "$a",
        "${",
        "${a}",
        "$(",
        "$((",
        "$(a)",
    ),
    *(
        "`a`",
        "$(a) ",
        '"$(a)',
        "((",
        "()",
        "{",
        "{{",
        "{{a",
        "{{ ",
        "{{a}}",
        "{%",
        "{% if a %}",
        "{%if",
        "<%",
        "<%a",
        "<%= a %>",
    ),
    *(
        "%(",
        "%(a",
        "%(a)s",
        "@",
        "@a",
        "@a@",
        "#{",
        "#{a}",
        "%",
        "%a",
        "<",
        "<<",
        "<<A\n",
        "<<A",
        "<<'",
        "<",
        ">",
        "&",
        "|",
    ),
    *(
        ";",
        "; ",
        "&&",
        "[",
        "[]",
        "[a]\n",
        "(",
        ")",
        ":",
        ": ",
        ":a",
        "- ",
        "? ",
        "! ",
        "*a ",
        "&a ",
        ",",
        ", ",
        "a,",
        "/",
        "a/",
    ),
    *(
        ".",
        "a.",
        "..",
        "etcd ",
        "etcd",
        "/etcd",
        "etcd:",
        "etcd-v0.",
        "etcd:0.4",
        "ETCD_",
        "ETCD_A=",
        "-peer-addr ",
        "env ",
        "exec ",
    ),
    *(
        "script\n",
        "end script\n",
        "ENV ",
        "ENV a \\\n",
        "[Service]\n",
        "ExecStart=",
        "[program:a]\n",
        "command=",
        '"#!',
        "<<A\n#!/bin/sh\n",
    ),
    *(
        "sudo docker run ",
        "x:\n",
        "- a: b\n",
        "{a: ",
        "[a, ",
        '"\\u0041',
        "\x85",
        "\u2028",
        "\ufeff",
        "\udcff",
        "é",
        "0",
        "1e",
        "1_",
    ),
    *(
        "{{#if a}}",
        "{{/if}}",
        "{{else}}",
        "<% do |a| %>",
        "http://",
        "http://a,",
        "[::",
        "::",
        "a:1,",
        "10.0.0.1:1,",
        "${a:-",
        "\\$a",
        "\\`",
    ),
)
"""What somebody might repeat."""


def cases() -> Iterator[Case]:
    for kind, grown in REPEATED.items():
        for what, text in grown.items():
            yield Case(kind, what, text)


def pumped() -> Iterator[Case]:
    for kind, sample in SAMPLES.items():
        before, _, after = sample.partition("@@")
        for pump in PUMPS:
            for how, lead in (("", ""), (" behind a quote", ' "'), (" in a line of its own", "\n")):
                yield Case(kind, f"{pump!r}{how}", _pump(before + lead, pump, after))


def _pump(before: str, unit: str, after: str) -> Grow:
    return lambda size: before + unit * size + after
