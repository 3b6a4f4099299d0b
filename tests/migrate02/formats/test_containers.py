"""Containers in YAML and JSON: compose files and Kubernetes' objects."""

from __future__ import annotations

import json

import pytest

from tests.migrate02.formats.readers import Settings, converted, read, starts

NAME: Settings = {"name": "m1"}
IMAGE = "etcd:\n  image: quay.io/coreos/etcd:v0.4.9\n"
POD = "kind: Pod\nmetadata:\n  name: pod\nspec:\n  containers:\n  - image: quay.io/coreos/etcd:v0.4.9\n"


@pytest.mark.parametrize(
    ("text", "flags", "variables"),
    [
        (f"{IMAGE}  command: -name m1\n", NAME, {}),
        (f"{IMAGE}  command: etcd -name m1\n", NAME, {}),
        (f"{IMAGE}  command: [-name, m1]\n", NAME, {}),
        (f"{IMAGE}  command:\n    - -name\n    - m1\n", NAME, {}),
        (f"{IMAGE}  entrypoint: [/etcd]\n  command: [-name, m1]\n", NAME, {}),
        (f"{IMAGE}  command: sh -c 'exec etcd -name m1'\n", NAME, {}),
        (f"{IMAGE}  environment:\n    ETCD_NAME: m1\n", {}, NAME),
        (f"{IMAGE}  environment:\n    - ETCD_NAME=m1\n", {}, NAME),
        (f"{IMAGE}  environment: {{ETCD_NAME: m1}}\n", {}, NAME),
        (f"services:\n  {IMAGE}    command: -name m1\n".replace("\n  image", "\n    image"), NAME, {}),
        (f"{POD}    command: [/etcd, -name, m1]\n", NAME, {}),
        (
            f"{POD}    args: [-name, m1]\n    env:\n    - name: ETCD_CORS\n      value: x\n",
            NAME,
            {"cors": "x"},
        ),
        (f"{POD}    env:\n    - {{name: ETCD_NAME, value: m1}}\n", {}, NAME),
    ],
)
def test_a_container_is_found_with_its_settings(text: str, flags: Settings, variables: Settings) -> None:
    assert starts("containers", text) == [(flags, variables)]


def test_json_is_read_alike() -> None:
    pod = {
        "kind": "Pod",
        "spec": {"containers": [{"image": "coreos/etcd", "command": ["etcd", "-name", "m1"]}]},
    }
    assert starts("containers", json.dumps(pod)) == [(NAME, {})]


@pytest.mark.parametrize(
    ("text", "host", "is_given"),
    [
        (f"{IMAGE}  hostname: box\n  command: -f\n", "box", True),
        (f"{IMAGE}  command: -f\n", "etcd", False),
        (f"{POD}    args: [-f]\n", "pod", True),
    ],
)
def test_a_host_is_called_by_hostname_or_as_its_service(text: str, host: str, is_given: bool) -> None:
    (setup,) = read("containers", text).setups
    assert (setup.host, setup.host_is_given) == (host, is_given)


def test_files_of_variables_are_named() -> None:
    (setup,) = read("containers", f"{IMAGE}  env_file: ./etcd.env\n  command: -f\n").setups
    assert [file.path for file in setup.files] == ["./etcd.env"]


@pytest.mark.parametrize(
    "text", ["web:\n  image: nginx\n  command: -name m1\n", f"{IMAGE}  command: cat /x\n"]
)
def test_containers_of_others_are_left(text: str) -> None:
    assert starts("containers", text) == []


def test_only_the_settings_change() -> None:
    after = converted(f"# mine\n{IMAGE}  command: [-name, m1, -f]\n  ports: ['4001:4001']\n")
    assert after.startswith(f"# mine\n{IMAGE}  command: [")
    assert after.endswith("]\n  ports: ['4001:4001']\n")
