"""What stands around the settings tells which etcd runs there: an image's tag, an archive, a section's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate02.formats.releases import named_in
from tests.migrate02.running import convert

PLAIN = "-name infra0 -data-dir /d"
"""Of both eras."""

OF_04 = {
    "image": f"#!/bin/sh\ndocker run quay.io/coreos/etcd:v0.4.6 {PLAIN}\n",
    "compose": f"etcd:\n  image: coreos/etcd:v0.4.6\n  command: {PLAIN}\n",
    "archive": f"#!/bin/sh\ntar xzf etcd-v0.4.6-linux-amd64.tar.gz\nexec ./etcd {PLAIN}\n",
    "address": f"#!/bin/sh\ncurl -L https://h/etcd/releases/download/v0.4.9/e.tgz | tar xz\nexec ./etcd {PLAIN}\n",
    "variable": f'#!/bin/sh\nETCD_VERSION="v0.4.6"\nexec /opt/etcd {PLAIN}\n',
    "dockerfile": "FROM debian\nADD etcd-v0.4.6-linux-amd64.tar.gz /\n"
    'CMD ["/etcd", "-name", "infra0", "-data-dir", "/d"]\n',
    "section": "#cloud-config\ncoreos:\n  etcd:\n    name: infra0\n    discovery: https://discovery.example.com/abc\n",
}


@pytest.mark.parametrize("kind", OF_04)
def test_a_file_that_runs_04_is_read_as_of_04(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_text(OF_04[kind])
    run = convert(path)
    assert "era-unclear" not in run.codes
    assert "listen-client-urls" in run.out.lower().replace("_", "-")
    assert run.out == convert("--from", "0.4", path).out


NOT_OF_04 = {
    "both": f"#!/bin/sh\ncurl https://h/etcd-v0.4.6.tgz https://h/etcd-v2.3.8.tgz\nexec ./etcd {PLAIN}\n",
    "a comment": f"#!/bin/sh\n# etcd-v0.4.6 is broken\nexec ./etcd {PLAIN}\n",
    "nothing": f"#!/bin/sh\nexec ./etcd {PLAIN}\n",
    "another program": f"#!/bin/sh\ncurl https://h/myetcd-v0.4.6.tgz\nexec ./etcd {PLAIN}\n",
}


@pytest.mark.parametrize("kind", NOT_OF_04)
def test_what_does_not_tell_leaves_it_unclear(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_text(NOT_OF_04[kind])
    assert "era-unclear" in convert(path).codes


def test_settings_of_2x_are_not_for_an_old_image(tmp_path: Path) -> None:
    text = f"#!/bin/sh\ndocker run etcd:v0.4.6 {PLAIN} -listen-client-urls http://h:1\n"
    (tmp_path / "input").write_text(text)
    run = convert(tmp_path / "input")
    assert (run.out, run.codes) == (text, ["old-release"])


def test_a_section_of_2x_is_not_unclear(tmp_path: Path) -> None:
    text = OF_04["section"].replace("etcd:", "etcd2:")
    (tmp_path / "input").write_text(text)
    assert convert(tmp_path / "input") == (0, text, "")


@pytest.mark.parametrize(
    ("release", "target", "reported"),
    [
        ("2.0.9", "", False),
        ("2.0.9", "2.0", False),
        ("2.0.9", "2.2", True),
        ("v2.3.8", "3.5", True),
        ("v3.4.23", "3.5", True),
        ("v3.5.1", "3.5", False),
        ("v3.5.1", "3.4", False),
        ("v0.4.6", "", True),
    ],
)
@pytest.mark.parametrize("shape", ["docker run quay.io/coreos/etcd:{} ", "tar xf etcd-{}.tar.gz\n./etcd "])
def test_a_release_that_does_not_read_the_result_is_reported(
    release: str, target: str, reported: bool, shape: str, tmp_path: Path
) -> None:
    path = tmp_path / "input"
    start = f"{PLAIN} -peer-addr 10.0.0.1:7001 -initial-cluster infra0=http://10.0.0.1:7001"
    path.write_text(f"#!/bin/sh\n{shape.format(release)}{start}\n")
    run = convert(*(["--target", target] if target else []), path)
    assert ("old-release" in run.codes) == reported
    if reported:
        line = next(line for line in run.err.splitlines() if "[old-release]" in line)
        assert line.endswith(f"Use a release of {target or '2.3'} there.")


def test_a_release_is_reported_once_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_text(
        "#!/bin/sh\ncurl -OL https://h/etcd/releases/download/v0.4.6/etcd-v0.4.6-linux-amd64.tar.gz\n"
        "tar xzf etcd-v0.4.6-linux-amd64.tar.gz\n\ncp etcd-v0.4.6-linux-amd64/etcd /opt/bin\n"
        f"docker pull coreos/etcd:v0.4.9\nexec /opt/bin/etcd {PLAIN}\n"
    )
    found = [line for line in convert(path).err.splitlines() if "[old-release]" in line]
    assert [line.partition(": it does")[0].rpartition(" ")[0] for line in found] != []
    assert [f"{path}:2: " in line and "also in lines 3, 5" in line for line in found] == [True, False]
    assert f"{path}:6: etcd:v0.4.9" in found[1]


def test_a_change_that_was_not_made_is_not_reported(tmp_path: Path) -> None:
    """The file is refused, and its unit keeps its name."""
    path = tmp_path / "input"
    path.write_text(
        "#cloud-config\ncoreos:\n  etcd:\n    addr: http://h\n  units:\n    - name: etcd.service\n      command: start\n"
    )
    run = convert(path)
    assert (run.status, run.codes) == (3, ["invalid-value"])


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("etcd:v0.4.6", (0, 4)),
        ("quay.io/coreos/etcd:2.3.8", (2, 3)),
        ("etcd-v3.5.10-linux", (3, 5)),
        ("etcd@v2.0", (2, 0)),
        ("etcd-10.0.0.5", None),
        ("etcd=http://10.0.0.1", None),
    ],
)
def test_a_release_is_told_from_an_address(text: str, version: tuple[int, int] | None) -> None:
    assert [release.version for release in named_in(text)] == ([version] if version else [])
