"""What a runbook leaves to a person: its comments, and the settings that are to be written by hand. Here they are done as the
person would, with what stands in the files.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from tests.runbooks import on_machine
from tests.runbooks.on_machine import Here, assignments, copy_of_script
from tests.runbooks.roots import rooted
from tests.runbooks.world import World, path_on_machine

_SERVICE = re.compile(
    r"# (?P<verb>start|stop) (?P<program>etcd|etcd02) (?P<name>\S+?)(?:, as (?P<file>\S+) does)?(?: on \S+)?"
)
_BRING = re.compile(r"# bring (?P<file>\S+) to where it (?:came from|is read)(?: on \S+)?")
_PUT_BACK = re.compile(r"# put back the file of 0\.4 that (?P<file>\S+) was(?: on \S+)?")
_NEXT_START = re.compile(r"# for its next start, put (?P<file>\S+) where it is read(?: on \S+)?")


class Person:
    def __init__(self, world: World) -> None:
        self.world = world
        self._before: dict[Path, str] = {}
        self._variables: dict[str, dict[str, str]] = {}
        """Of nodes whose files cannot have any."""

    def does(self, comment: str) -> str:
        """Which kind of work it was. Fails where there is no way to do it."""
        if found := _SERVICE.fullmatch(comment):
            with mock.patch.dict(
                os.environ, self.world.environment(self.world.machine(found["name"]).host), clear=True
            ):
                self._service(found["verb"], found["program"], found["name"])
            return "service"
        if found := _BRING.fullmatch(comment):
            for place in self._places(found["file"]):
                if not Path(f"{place}.0.4").exists():
                    shutil.copy2(place, f"{place}.0.4")
                shutil.copy2(self.world.operator / found["file"], place)
            return "bring"
        if found := _PUT_BACK.fullmatch(comment):
            for place in self._places(found["file"]):
                if Path(f"{place}.0.4").exists():
                    os.replace(f"{place}.0.4", place)
            return "put back"
        if _NEXT_START.fullmatch(comment):
            return "next start"
        raise AssertionError(f"nobody knows how to do this: {comment}")

    def _places(self, file: str) -> list[Path]:
        return [
            self.world.machine(name).root / path_on_machine(file).lstrip("/")
            for name, node in self.world.nodes.items()
            if file in node["files"]
        ]

    def _service(self, verb: str, program: str, name: str) -> None:
        """By what the file says that starts it."""
        here = Here(self.world.machine(name).address)
        file = path_on_machine(self.world.nodes[name]["files"][0])
        text = here.path(file).read_text()
        of_04 = program == "etcd"
        job = f"{name}-by-hand"
        if verb == "stop":
            here.stop("container")
            here.stop(job)
        elif file.endswith((".yml", ".yaml")):
            _start_container(here, yaml.safe_load(text))
        elif file.endswith("Procfile"):
            (line,) = [
                line for line in text.splitlines() if f"-name {name}" in line or f"-name={name}" in line
            ]
            here.start(job, shlex.split(rooted(line.partition(": ")[2], here.root)), {})
        elif file.endswith("/start-etcd"):
            here.shell(shlex.join(copy_of_script(here, job, text)))
        elif "ETCD_ADDR" in text or "ETCD_LISTEN" in text or "ETCD_ADVERTISE" in text:
            here.start(job, ["etcd04" if of_04 else "etcd02"], assignments(text))
        else:
            words = ["etcd04" if of_04 else "etcd02", "-config", str(here.path(file))]
            here.start(job, words, {} if of_04 else self._variables.get(name, {}))

    def takes_back(self, name: str) -> None:
        (file,) = [file for file in self.world.nodes[name]["files"] if "/etc/default/" in file]
        place = self.world.machine(name).root / path_on_machine(file).lstrip("/")
        os.replace(f"{place}.0.4", place)

    def writes(self, title: str, name: str, lines: list[str]) -> None:
        """Settings by hand, into the file that they are for."""
        node = self.world.nodes[name]
        if title.startswith("Start the standbys"):
            (file,) = [file for file in node["files"] if "/etc/default/" in file]
            place = self.world.machine(name).root / path_on_machine(file).lstrip("/")
            shutil.copy2(place, f"{place}.0.4")
            place.write_text("\n".join(map(self.world.mapped, lines)) + "\n")
            return
        file = self.world.operator / node["files"][0]
        text = self._before.setdefault(file, file.read_text())
        if not title.startswith("Write down what starts"):
            text = file.read_text()
        for line in lines:
            if line.startswith("ETCD02_"):
                text = self._with_variable(text, self.world.mapped(line), name)
            else:
                text = _written(text, line, node)
        file.write_text(text)

    def removes_what_was_written(self) -> None:
        for file, text in self._before.items():
            file.write_text(text)

    def _with_variable(self, text: str, line: str, name: str) -> str:
        """In the form of the file, where it has one for variables."""
        variable, _, value = line.partition("=")
        if "kind: Pod" in text:
            into = (
                text
                if "    env:\n" in text
                else text.replace("    volumeMounts:", "    env:\n    volumeMounts:")
            )
            return into.replace("    env:\n", f"    env:\n    - {{name: {variable}, value: '{value}'}}\n")
        if "\n  environment:\n" in text:
            return text.replace("\n  environment:\n", f"\n  environment:\n    {variable}: {value}\n", 1)
        if "docker run" in text:
            return text.replace("docker run -d", f"docker run -d -e {line}")
        if re.search(r"(?m)^export ETCD_\w+=", text):
            return f"{text}export {line}\n"
        self._variables.setdefault(name, {})[variable] = value
        return text


def _written(text: str, line: str, node: dict[str, Any]) -> str:
    if line.startswith("image: "):
        return re.sub(r"image: \S*etcd\S*", line, text)
    if line.startswith("entrypoint: "):
        return re.sub(r"(?m)^( *)(image: migrate02.*)$", rf"\1\2\n\1{line}", text)
    if found := re.fullmatch(r"# in the place of (\S+): (\S+)", line):
        return text.replace(found[1], found[2])
    if line.startswith("--entrypoint "):
        return re.sub(r"coreos/etcd(?=\s)", line, text)
    raise AssertionError(f"nobody knows where to write {line} for {node['name']}")


def _start_container(here: Here, given: dict[str, Any]) -> None:
    """Of a compose file or a pod."""
    if given.get("kind") == "Pod":
        (one,) = given["spec"]["containers"]
        paths = {volume["name"]: volume["hostPath"]["path"] for volume in given["spec"]["volumes"]}
        volumes = [f"{paths[mount['name']]}:{mount['mountPath']}" for mount in one["volumeMounts"]]
        variables = {each["name"]: each["value"] for each in one.get("env", [])}
        assert on_machine.container(here, one["image"], one["command"], variables, volumes) == 0
        return
    (one,) = [one for name, one in given.items() if name == "etcd"]
    words = [*one.get("entrypoint", []), *shlex.split(one["command"])]
    variables = {name: str(value) for name, value in one["environment"].items()}
    assert on_machine.container(here, one["image"], words, variables, one["volumes"], one["ports"]) == 0
