"""cloud-configs of CoreOS."""

from __future__ import annotations

import pytest

from migrate02.formats.document import UnusableInput
from tests.migrate02.formats.readers import converted, read, settings_of, starts

SECTION = "#cloud-config\ncoreos:\n  etcd:\n"


@pytest.mark.parametrize(
    "lines",
    [
        "    name: m1\n    peer-addr: $private_ipv4:7001\n",
        "    name: m1\n    peer_addr: $private_ipv4:7001\n",
        '    name: \'m1\'\n    "peer-addr": "$private_ipv4:7001"\n',
        "    {name: m1, peer-addr: '$private_ipv4:7001'}\n",
    ],
)
def test_a_section_has_settings_under_either_spelling(lines: str) -> None:
    assert starts("cloud-config", SECTION + lines) == [
        ({}, {"name": "m1", "peer-addr": "$private_ipv4:7001"})
    ]


def test_the_section_tells_the_era() -> None:
    sections = "#cloud-config\ncoreos:\n  {}:\n    name: m1\n"
    eras = [read("cloud-config", sections.format(name)).setups[0].era for name in ("etcd", "etcd2")]
    assert eras == ["0.4", "2.x"]


def test_a_key_that_coreos_does_not_know_is_reported() -> None:
    found = read("cloud-config", f"{SECTION}    name: m1\n    colour: red\n")
    assert [finding.code for finding in found.findings] == ["never-read"]


def test_files_to_be_written_are_read_as_what_they_are() -> None:
    text = "#cloud-config\nwrite_files:\n  - path: /etc/default/etcd\n    content: |\n      ETCD_NAME=m1\n"
    (file,) = read("cloud-config", text).embedded
    assert file.path == "/etc/default/etcd"
    assert [(item.name, item.origin.line) for item in file.document.given] == [("name", 1)]


def test_a_unit_in_it_is_a_unit() -> None:
    unit = "      content: |\n        [Service]\n        ExecStart=/usr/bin/etcd -name m1\n"
    text = f"#cloud-config\ncoreos:\n  units:\n    - name: mine.service\n{unit}"
    (setup,) = read("cloud-config", text).setups
    assert settings_of(setup) == ({"name": "m1"}, {})
    assert setup.line == 7


def test_the_section_and_its_unit_get_new_names() -> None:
    after = converted(
        f"{SECTION}    name: m1 # mine\n  units:\n    - name: etcd.service\n      command: start\n"
    )
    assert after.startswith("#cloud-config\ncoreos:\n  etcd2:\n    name: m1\n")
    assert " # mine\n" in after
    assert after.endswith("\n  units:\n    - name: etcd2.service\n      command: start\n")


def test_two_sections_are_left() -> None:
    text = f"{SECTION}    name: m1\n  etcd2:\n    name: m1\n"
    assert [finding.code for finding in read("cloud-config", text).findings] == ["two-sections"]


def test_what_is_no_yaml_is_refused_with_its_line() -> None:
    with pytest.raises(UnusableInput, match="not YAML") as refusal:
        read("cloud-config", f"{SECTION}    name: [m1\n")
    assert refusal.value.line


def test_a_config_without_etcd_has_nothing() -> None:
    assert read("cloud-config", "#cloud-config\nhostname: etcd1\n").is_empty
