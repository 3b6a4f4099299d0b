"""Stand-ins for what a runbook calls on machines, in one: ``on_machine NAME WORDS...``, in the place of the program NAME.

Which machine it is on is in $MACHINE, and what there is in the file $WORLD (``tests.runbooks.world``). They start and stop
etcd as the real ones would, from the machine's own files. A process on a machine has a root and a network of its own: here
its absolute paths are below a folder, and what it would hear everywhere it hears at the machine's address.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

from tests.runbooks.roots import rooted

_EVERYWHERE = re.compile(r"(?:0\.0\.0\.0|\[::\])(?=:\d|\Z)")
_LOOPBACK = re.compile(r"\b(?:127\.0\.0\.1|localhost)(?=:\d)")
_USER_IN_IMAGE = "10001:10001"


class Here:
    """The machine that a stand-in runs on."""

    def __init__(self, address: str) -> None:
        world = json.loads(Path(os.environ["WORLD"]).read_text())
        machine = world["machines"][address]
        self.folder = Path(world["folder"])
        self.address = address
        self.root = Path(machine["root"])
        self.cwd = machine["cwd"]
        self.files: list[str] = machine["files"]

    def path(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def environment(self) -> dict[str, str]:
        places = ("usr/local/bin", "usr/bin", "opt/bin")
        path = ":".join([f"{self.folder}/bin/machine", *(str(self.root / place) for place in places)])
        return {**os.environ, "PATH": path, "MACHINE": self.address}

    def shell(self, command: str) -> int:
        command = rooted(command, self.root)
        return subprocess.run(
            ["sh", "-c", command], env=self.environment(), cwd=self.cwd, check=False
        ).returncode

    def start(self, name: str, words: Sequence[str], variables: Mapping[str, str]) -> int:
        """A process that stays; what runs under the name is left alone."""
        if self._running(name):
            return 0
        with open(self.root / "run" / f"{name}.log", "a") as log:
            process = subprocess.Popen(
                list(words),
                env=self.environment() | dict(variables),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (self.root / "run" / f"{name}.pid").write_text(str(process.pid))
        return 0

    def _running(self, name: str) -> int:
        pid = self.root / "run" / f"{name}.pid"
        state = Path(f"/proc/{pid.read_text()}/stat") if pid.exists() else pid
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return 0
        return int(pid.read_text())

    def stop(self, name: str) -> int:
        number = self._running(name)
        if number:
            os.kill(number, signal.SIGTERM)
            while self._running(name):
                time.sleep(0.02)
        return 0


def _here() -> Here:
    return Here(os.environ["MACHINE"])


# From one machine to another


def ssh(words: Sequence[str]) -> int:
    here, command = there(words)
    return here.shell(command)


def there(words: Sequence[str]) -> tuple[Here, str]:
    """The machine that is meant, and what its shell is to run."""
    host, command = (word for word in words if word != "--")
    return Here(_address(host)), command


def rsync(words: Sequence[str]) -> int:
    """Of options those that a runbook has, and of places one on another machine."""
    assert set(words[:-2]) <= {"-a", "--no-owner", "--no-group", "--"}, words
    source, target = (_place(word) for word in words[-2:])
    content = words[-2].endswith("/")
    if content:
        target.mkdir(exist_ok=True)
    return subprocess.run(["cp", "-a", f"{source}/." if content else source, target], check=False).returncode


def _place(word: str) -> Path:
    host, colon, path = word.rpartition(":")
    return Here(_address(host.strip("[]"))).path(path) if colon else Path(word)


def _address(host: str) -> str:
    machines: dict[str, dict[str, str]] = json.loads(Path(os.environ["WORLD"]).read_text())["machines"]
    return next(address for address, one in machines.items() if host in (address, one["host"]))


def chown(words: Sequence[str]) -> int:
    """Nobody needs to be root here: who is to own a folder is noted, for whoever starts on it."""
    recursive, owner, directory = words
    assert recursive == "-R", words
    assert Path(directory, "member").exists(), words
    if owner.startswith("--reference="):
        old = Path(owner.partition("=")[2])
        assert (old / "log").exists(), words
    (_here().root / "run" / "owners").open("a").write(f"{directory} {owner}\n")
    return 0


# What starts etcd


def systemctl(words: Sequence[str]) -> int:
    here = _here()
    if list(words) == ["daemon-reload"]:
        return 0
    verb, unit = words
    if verb in ("stop", "restart"):
        here.stop(unit)
    if verb in ("start", "restart"):
        command, variables = _unit(here, unit)
        ours = command.replace(f"{here.folder}/bin/machine/", "")
        return here.start(unit, shlex.split(rooted(ours, here.root)), variables)
    return 0


_OF_COREOS = {
    unit: f"[Service]\nEnvironment=ETCD_DATA_DIR=/var/lib/{name}\nExecStart=/usr/bin/{name}\n"
    for unit, name in (("etcd.service", "etcd"), ("etcd2.service", "etcd2"))
}
"""What CoreOS brings along."""


def _unit(here: Here, unit: str) -> tuple[str, dict[str, str]]:
    """Its command and variables, by the unit and its drop-ins as they are now."""
    found = [file for file in here.files if file.endswith(f"/{unit}")]
    texts = [here.path(file).read_text() for file in found] or [_OF_COREOS[unit]]
    texts += [here.path(file).read_text() for file in here.files if f"/{unit}.d/" in file]
    for place in ("/run", "/etc"):  # written there by a step
        texts += [
            path.read_text() for path in here.path(f"{place}/systemd/system/{unit}.d").glob("[23]0-*.conf")
        ]
    variables: dict[str, str] = {}
    command = ""
    for line in "\n".join(texts).replace("\\\n", " ").splitlines():
        key, _, value = line.partition("=")
        if key == "ExecStart":
            command = value
        elif key == "Environment":
            variables |= dict(word.split("=", 1) for word in shlex.split(value))
        elif key == "EnvironmentFile":
            file = here.path(value.lstrip("-"))
            if file.exists() or not value.startswith("-"):
                variables |= assignments(file.read_text())
    return re.sub(r"\$\{?(\w+)\}?", lambda name: variables.get(name[1], ""), command), variables


def assignments(text: str) -> dict[str, str]:
    """Of a file of variables."""
    lines = (line.strip().removeprefix("export ") for line in text.splitlines())
    return dict(shlex.split(line)[0].split("=", 1) for line in lines if re.match(r"\w+=", line))


def coreos_cloudinit(words: Sequence[str]) -> int:
    """A section for etcd becomes a drop-in of its unit; units that say so are started."""
    import yaml

    (option,) = words
    here = _here()
    given = yaml.safe_load(Path(option.removeprefix("--from-file=")).read_text())["coreos"]
    for section in ("etcd", "etcd2"):
        folder = here.path(f"/run/systemd/system/{section}.service.d")
        if section in given:
            folder.mkdir(parents=True, exist_ok=True)
            lines = [
                f'Environment="ETCD_{key.upper().replace("-", "_")}={value}"'
                for key, value in given[section].items()
            ]
            (folder / "20-cloudinit.conf").write_text("\n".join(["[Service]", *lines, ""]))
    for unit in given["units"]:
        if unit["name"] in _OF_COREOS and unit.get("command") == "start":
            systemctl(["start", unit["name"]])
    return 0


def initctl(words: Sequence[str]) -> int:
    here = _here()
    verb, job = words
    if verb == "stop":
        return here.stop(job)
    text = here.path(f"/etc/init/{job}.conf").read_text()
    settings = "".join(f"export {found}\n" for found in re.findall(r"(?m)^env\s+(.*)$", text))
    script = re.search(r"(?ms)^script\s*$(.*?)^end script", text)
    assert script is not None
    return here.start(job, copy_of_script(here, job, f"{settings}{script[1]}"), {})


def service(words: Sequence[str]) -> int:
    here = _here()
    name, verb = words
    script = copy_of_script(here, name, here.path(f"/etc/init.d/{name}").read_text())
    return subprocess.run([*script, verb], env=here.environment(), check=False).returncode


def sv(words: Sequence[str]) -> int:
    here = _here()
    verb, name = words
    if verb == "stop":
        return here.stop(name)
    return here.start(name, copy_of_script(here, name, here.path(f"/etc/sv/{name}/run").read_text()), {})


def copy_of_script(here: Here, name: str, text: str) -> list[str]:
    """The shell and the script, with paths below the root."""
    script = here.root / "run" / f"{name}.sh"
    script.write_text("\n".join(rooted(line, here.root) for line in text.splitlines() if line[:2] != "#!"))
    return ["bash" if "bash" in text.partition("\n")[0] else "sh", str(script)]


def supervisorctl(words: Sequence[str]) -> int:
    here = _here()
    verb, name = words
    if verb == "stop":
        return here.stop(name)
    parser = RawConfigParser()
    for file in here.files:
        parser.read_string(here.path(file).read_text())
    program = parser[f"program:{name}"]
    given = shlex.shlex(program.get("environment", ""), posix=True)
    given.whitespace, given.whitespace_split = ",", True
    variables = dict(one.strip().split("=", 1) for one in given)
    return here.start(name, shlex.split(rooted(program["command"], here.root)), variables)


# Containers


def docker(words: Sequence[str]) -> int:
    here = _here()
    verb, *rest = words
    if verb == "build":
        tag, image, sources = rest
        assert tag == "-t"
        assert Path(sources, "Dockerfile").exists(), sources
        _add_image(here, image)
    elif verb == "save":
        print(json.dumps({image: _images(here)[image] for image in rest}))
    elif verb == "load":
        for image in json.load(sys.stdin):
            _add_image(here, image)
    elif verb == "rmi":
        _add_image(here, *rest, there=False)
    elif verb == "rm":
        here.stop("container")
    elif verb == "run":
        return _run(here, rest)
    else:
        raise AssertionError(words)
    return 0


def _images(here: Here) -> dict[str, str]:
    """What each is of. An image of 0.4 has etcd as its entrypoint, that of etcd02 has none."""
    file = here.root / "run" / "images.json"
    pulled = {
        "coreos/etcd": "0.4",
        "quay.io/coreos/etcd:v0.4.6": "0.4",
        "gcr.io/google_containers/etcd:0.4.6": "0.4",
    }
    return pulled | (json.loads(file.read_text()) if file.exists() else {})


def _add_image(here: Here, image: str, *, there: bool = True) -> None:
    built = {name: kind for name, kind in _images(here).items() if kind == "2.x" and name != image}
    (here.root / "run" / "images.json").write_text(json.dumps(built | ({image: "2.x"} if there else {})))


def _run(here: Here, words: list[str]) -> int:
    if words[0] == "--rm":
        assert words[1] in _images(here), f"no image {words[1]} on {here.address}"
        return subprocess.run(words[2:], env=here.environment(), check=False).returncode
    words = [word.replace(f"{here.root}/", "/") for word in words]
    options: dict[str, list[str]] = {}
    while words[0].startswith("-"):
        option, equals, value = words.pop(0).partition("=")
        if not equals and option != "-d":
            value = words.pop(0)
        options.setdefault(option, []).append(value)
    image, *rest = words
    entry = options.get("--entrypoint", [])
    variables = dict(one.split("=", 1) for one in options.get("-e", []))
    return container(here, image, [*entry, *rest], variables, options["-v"], options["-p"])


def container(
    here: Here,
    image: str,
    words: Sequence[str],
    variables: Mapping[str, str],
    volumes: Sequence[str],
    ports: Sequence[str] = (),
) -> int:
    """Starts it; ``volumes`` and ``ports`` are HOST:CONTAINER."""
    kind = _images(here).get(image)
    if kind is None:
        print(f"no image {image} on {here.address}", file=sys.stderr)
        return 1
    if kind == "0.4":
        words = ["etcd04", *(words[1:] if words and not words[0].startswith("-") else words)]
    else:
        assert words[0] == "etcd02", f"the image of etcd02 has no entrypoint: {words}"
        if variables.get("ETCD02_ENGINE") != "gateway":
            owners = (here.root / "run" / "owners").read_text().splitlines()
            assert owners[-1].endswith(f" {_USER_IN_IMAGE}"), owners

    def outside(text: str) -> str:
        for volume in volumes:
            there, inside = volume.split(":")[:2]
            text = re.sub(rf"((?:\A|=)){re.escape(inside)}(?=/|\Z)", rf"\g<1>{there}", text)
        for port in ports:
            there, inside = port.split(":")
            text = re.sub(rf"((?:0\.0\.0\.0|\[::\])):{inside}\b", rf"\1:{there}", text)
        return text

    return here.start(
        "container",
        [outside(word) for word in words],
        {name: outside(value) for name, value in variables.items()},
    )


# What scripts call before etcd


def start_stop_daemon(words: Sequence[str]) -> int:
    """By its pid file, which stands for a name among the machine's processes."""
    here = _here()
    own, rest = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    name = Path(own[own.index("--pidfile") + 1]).stem
    if "--stop" in own:
        return here.stop(name)
    return here.start(name, [own[own.index("--exec") + 1], *rest], {})


def chpst(words: Sequence[str]) -> int:
    assert words[0] == "-u", words
    os.execvp(words[2], list(words[2:]))


def hostname(words: Sequence[str]) -> int:
    del words
    print(os.environ["MACHINE"])
    return 0


def curl(words: Sequence[str]) -> int:
    """Of a machine in a cloud, which asks for its own address."""
    assert words[-1].startswith("http://169.254.169.254/"), words
    print(os.environ["MACHINE"])
    return 0


def etcd02(words: Sequence[str]) -> int:
    """The real one, with the machine's root and network."""
    here = _here()
    given = {name: value for name, value in os.environ.items() if name.startswith("ETCD")}
    env: dict[str, Any] = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env |= {name: on(here, value) for name, value in given.items()}
    with open(here.root / "run" / "started.jsonl", "a") as file:
        print(json.dumps({"words": list(words), "variables": given}), file=file)
    program, given_words = Path(sys.executable).with_name("etcd02"), [on(here, word) for word in words]
    if _hears_everywhere([str(program), *given_words], env):
        env["ETCD_BIND_ADDR"] = here.address
    os.execve(program, ["etcd02", *given_words], env)


def _hears_everywhere(command: Sequence[str], env: Mapping[str, str]) -> bool:
    """With settings of 0.4 that say of no address where it listens."""
    if (
        not any("gateway" in text for text in (*command, env.get("ETCD02_ENGINE", "")))
        or "-version" in command
    ):
        return False
    shown = subprocess.run([*command, "--print-config"], env=env, capture_output=True, check=False)
    found = json.loads(shown.stdout or "{}").get("listen-client-urls", [])
    return any(_EVERYWHERE.search(url) for url in found)


def on(here: Here, text: str) -> str:
    """A word or a value as a process of this machine means it."""
    return rooted(_EVERYWHERE.sub(here.address, _LOOPBACK.sub(here.address, text)), here.root)


PLAYED: Mapping[str, Callable[[Sequence[str]], int]] = {
    "chown": chown,
    "chpst": chpst,
    "coreos-cloudinit": coreos_cloudinit,
    "curl": curl,
    "docker": docker,
    "etcd02": etcd02,
    "hostname": hostname,
    "initctl": initctl,
    "rsync": rsync,
    "service": service,
    "ssh": ssh,
    "start-stop-daemon": start_stop_daemon,
    "supervisorctl": supervisorctl,
    "sv": sv,
    "systemctl": systemctl,
}

if __name__ == "__main__":
    sys.exit(PLAYED[sys.argv[1]](sys.argv[2:]))
