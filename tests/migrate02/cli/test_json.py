"""What commands print with ``--json`` is what ``docs/schemas`` says, and every command that has the option has one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from migrate02.cli.discovery import as_json, judged
from migrate02.cli.main import COMMANDS
from migrate02.cli.parsing import Subcommand
from server.cluster.discoverystate import DiscoveryState, RegisteredMember
from tests.migrate02.running import convert, migrate02
from tests.migrate02.trees import OLD, plant
from tests.support.datadirs35 import unpack

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "docs" / "schemas"
FLEET = ROOT / "fixtures" / "fleet"


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text()))


def check(name: str, printed: str) -> Any:
    found = json.loads(printed)
    validator(name).validate(found)
    return found


def commands(below: Mapping[str, Subcommand], *before: str) -> Iterator[tuple[str, ...]]:
    for name, command in below.items():
        if command.module:
            yield (*before, name)
        yield from commands(command.below, *before, name)


def test_every_command_with_json_has_a_schema_and_no_other() -> None:
    with_json = {
        "-".join(words) for words in commands(COMMANDS) if "--json" in migrate02(*words, "--help").out
    }
    assert with_json == {path.stem for path in SCHEMAS.iterdir()}


@pytest.mark.parametrize("path", sorted(SCHEMAS.iterdir()), ids=lambda path: path.stem)
def test_a_schema_is_one_has_a_title_and_takes_no_other_key(path: Path) -> None:
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    words = re.sub(r"^(data|v2store|discovery)-", r"\1 ", path.stem)
    assert schema["title"] == f"migrate02 {words} --json"
    assert path.read_text().count('"properties"') == path.read_text().count('"additionalProperties": false')


@pytest.mark.parametrize("path", sorted(SCHEMAS.iterdir()), ids=lambda path: path.stem)
def test_keys_are_spelled_alike(path: Path) -> None:
    def names(schema: Any) -> Iterator[str]:
        if isinstance(schema, dict):
            yield from schema.get("properties", ())
            for below in schema.values():
                yield from names(below)

    assert [name for name in names(json.loads(path.read_text())) if "_" in name or "-" in name] == []


def test_convert(tmp_path: Path) -> None:
    plant(tmp_path, {"a.env": OLD + "ETCD_CLUSTER_ACTIVE_SIZE=3\n", "b.env": "ETCD_ADDR=h\n", "c.env": ""})
    for inputs in (["a.env"], ["b.env"], ["c.env"], ["a.env", "b.env"], ["."], ["no-such-file"]):
        check("convert", convert("--json", *inputs, cwd=tmp_path).out)
    check("convert", convert("--json", "--", "etcd", "-addr", "10.0.0.1:4001").out)
    check("convert", convert("--json", "-", stdin=OLD.encode()).out)
    found = check("convert", convert("--json", FLEET).out)
    assert found["summary"]["files"] == len(found["files"])
    assert found["summary"]["converted"] == sum(one["changed"] for one in found["files"])


def test_plan(tmp_path: Path) -> None:
    found = check("plan", migrate02("plan", "--json", FLEET).out)
    assert any(step["run"] for cluster in found["clusters"] for step in cluster["steps"])
    into = check("plan", migrate02("plan", "--json", "--gateway=http://a:1", FLEET / "infra1").out)
    assert {cluster["target"] for cluster in (*found["clusters"], *into["clusters"])} == {"2.x", "gateway"}


def test_data(old_data: Path, tmp_path: Path) -> None:
    check("data", migrate02("data", "--json", old_data, tmp_path / "new").out)
    for path in (old_data, tmp_path / "new", tmp_path / "nowhere"):
        check("data-inspect", migrate02("data", "inspect", "--json", path).out)
    plant(tmp_path, {"export": '{"key": "/a", "value": "2", "createdIndex": 1, "modifiedIndex": 1}\n'})
    found = check("data-verify", migrate02("data", "verify", "--json", old_data, tmp_path / "export").out)
    assert found["differences"]


@pytest.mark.parametrize("name", ["three", "ttl", "on-36"])
def test_v2store(name: str, tmp_path: Path) -> None:
    paths = unpack(name, tmp_path)
    check("v2store-check", migrate02("v2store", "check", "--json", *paths, tmp_path / "nowhere").out)
    check("v2store-plan", migrate02("v2store", "plan", "--json", *paths).out)
    for path in paths:
        check("data-inspect", migrate02("data", "inspect", "--json", path).out)


def test_discovery() -> None:
    registered = tuple(RegisteredMember(f"a{n}", f"m{n}=http://10.0.0.{n}:2380", n) for n in range(3))
    for size in (1, 4):
        check(
            "discovery-inspect", as_json(judged("http://127.0.0.1/one", DiscoveryState(size, registered, 9)))
        )
