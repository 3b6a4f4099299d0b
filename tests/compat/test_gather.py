import errno
import os
import shlex
from pathlib import Path

import pytest

from compat.commandline import read_command_line
from compat.datadir import has_member_data, is_of_etcd04
from compat.gather import Sources, gather, look_around
from tests.compat.helpers import by_flag, codes


def read(line: str = "", environ: dict[str, str] | None = None, system: Path | None = None) -> Sources:
    return gather(
        read_command_line(shlex.split(line)), environ or {}, str(system or "/nonexistent/etcd.conf")
    )


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    file = tmp_path / "named.conf"
    file.write_text('name = "named"\naddr = "named:1"\n')
    return file


@pytest.fixture
def system(tmp_path: Path) -> Path:
    file = tmp_path / "system.conf"
    file.write_text('name = "system"\naddr = "system:1"\ndata_dir = "system"\n')
    return file


def test_flag_over_variable_over_named_file_over_system_file(conf: Path, system: Path) -> None:
    def name(line: str, environ: dict[str, str]) -> str:
        return read(line, environ, system).given["name"].value

    assert name(f"-config={conf} -name flag", {"ETCD_NAME": "variable"}) == "flag"
    assert name(f"-config={conf}", {"ETCD_NAME": "variable"}) == "variable"
    assert name(f"-config={conf}", {"ETCD_NAME": ""}) == "named"
    assert name("", {}) == "system"
    assert read(f"-config={conf}", {}, system).given["data-dir"].value == "system", "both files are read"


def test_a_file_of_0_4_makes_the_era(tmp_path: Path, system: Path) -> None:
    only_name = tmp_path / "n.conf"
    only_name.write_text('name = "m"\n')
    assert read("", {}, system).era == "0.4"
    assert read(f"-config={only_name}").era == "0.4"
    assert read(f"-config={only_name} -debug").era == "2.x"
    assert read("").era == "2.x"


def test_config_is_itself_0_4s(tmp_path: Path) -> None:
    empty = tmp_path / "empty.conf"
    empty.touch()
    assert read(f"-config {empty}").era == "0.4"
    assert read("-name x -config gone.conf").era == "0.4"


@pytest.mark.parametrize(
    ("line", "environ"),
    [("-debug", {}), ("-listen-client-urls http://a:1", {}), ("", {"ETCD_INITIAL_CLUSTER": "a=http://a:1"})],
)
def test_the_system_file_is_not_read_for_2_x(line: str, environ: dict[str, str], system: Path) -> None:
    found = read(line, environ, system)
    assert "addr" not in found.given
    assert codes(found.findings) == {"file-not-read"}


def test_a_named_file_is_read_for_2_x_too(conf: Path) -> None:
    assert read(f"-config={conf} -debug").given["addr"].value == "named:1"


PACKAGED = '# [member]\nETCD_NAME=default\nETCD_DATA_DIR="/var/lib/etcd/default.etcd"\n#ETCD_WAL_DIR=""\nETCD_LISTEN_CLIENT_URLS="http://localhost:2379"\n'


@pytest.mark.parametrize(
    "text", [PACKAGED, PACKAGED.replace("=default\n", '="default"\n')], ids=["bare", "quoted"]
)
def test_an_environment_file_of_2_x_under_the_system_name_is_passed_over_by_a_line_of_04(
    text: str, tmp_path: Path
) -> None:
    file = tmp_path / "etcd.conf"
    file.write_text(text)
    found = read("-addr 1.2.3.4:1", {}, file)
    assert codes(found.findings) == {"file-not-read"}
    assert list(found.given) == ["addr"]


CONVERTED = """\
# converted in place
ETCD_NAME="m1"
export ETCD_LISTEN_CLIENT_URLS='http://127.0.0.1:4001'  # clients
ETCD_ADVERTISE_CLIENT_URLS=http://127.0.0.1:4001
"""


@pytest.mark.parametrize("by_flag", [True, False], ids=["-config", "default"])
def test_a_file_that_was_converted_in_place_is_still_read(by_flag: bool, tmp_path: Path) -> None:
    file = tmp_path / "etcd.conf"
    file.write_text(CONVERTED)
    found = read(f"-config={file}") if by_flag else read("-data-dir d", {}, file)
    assert found.given["name"].value == "m1"
    assert found.given["listen-client-urls"].value == "http://127.0.0.1:4001"
    assert str(found.given["listen-client-urls"].origin) == f"ETCD_LISTEN_CLIENT_URLS ({file}:3)"
    assert found.era == "2.x"
    assert codes(found.findings) == {"file-read"}


def test_the_environment_is_stronger_than_a_converted_file(tmp_path: Path) -> None:
    file = tmp_path / "etcd.conf"
    file.write_text(CONVERTED)
    assert read(f"-config={file}", {"ETCD_NAME": "other"}).given["name"].value == "other"


@pytest.mark.parametrize(
    "content", [b"name = \n", b"\xff\xfe\x00", b'name = "m"\n[peer\n'], ids=["broken", "binary", "cut"]
)
def test_a_broken_file_stops_the_start_where_0_4_would_have_read_it(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "f.conf"
    file.write_bytes(content)
    for found in (read(f"-config={file}"), read("-addr 1.2.3.4:1", {}, file)):
        (said,) = (item for item in found.findings if item.severity == "error")
        assert said.code == "unusable-input"
        assert said.place == str(file)
    assert codes(read("-name m", {}, file).findings) == {"file-not-read"}


@pytest.mark.parametrize("name", ["gone.conf", "."])
def test_a_named_file_that_cannot_be_opened_stops_the_start(name: str, tmp_path: Path) -> None:
    (said,) = read(f"-config={tmp_path / name}").findings
    assert said.code == "unusable-input"
    assert said.message in ("-config: No such file or directory", "-config: Is a directory")


def test_an_unreadable_file_stops_the_start(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("compat.gather.open", refuse, raising=False)  # root could read it
    (said,) = read(f"-config={conf}").findings
    assert (said.code, said.message) == ("unusable-input", "-config: Permission denied")
    assert codes(read("-addr 1.2.3.4:1", {}, conf).findings) == {"unusable-input"}
    assert codes(read("-name m", {}, conf).findings) == {"file-not-read"}


def test_a_file_with_a_wrong_type_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "f.conf"
    file.write_text("http_read_timeout = 10\n")
    assert codes(read(f"-config={file}").findings) == {"invalid-value"}


# What the machine adds.


def test_the_data_directory_follows_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    host = os.uname().nodename
    (tmp_path / "m1.etcd" / "member" / "wal").mkdir(parents=True)
    assert not look_around(by_flag(name="m1")).member_has_data
    (tmp_path / "m1.etcd" / "member" / "wal" / "0.wal").touch()
    assert look_around(by_flag(name="m1")).member_has_data
    assert not look_around(by_flag(name="m2")).member_has_data
    assert look_around(by_flag(name="m2", data_dir="m1.etcd")).member_has_data
    assert not look_around(by_flag(data_dir="m1.etcd", wal_dir="elsewhere")).member_has_data
    assert look_around({}).hostname == host
    assert look_around({}).is_this_machine


@pytest.mark.parametrize("layout", ["member/wal/0.wal", "wal/0.wal"])
def test_member_data(layout: str, tmp_path: Path) -> None:
    file = tmp_path / layout
    file.parent.mkdir(parents=True)
    assert not has_member_data(str(tmp_path))
    file.touch()
    assert has_member_data(str(tmp_path))


@pytest.mark.parametrize(
    ("files", "old"),
    [
        (["log", "conf"], True),
        (["log"], True),
        (["conf"], True),
        (["standby_info"], True),
        (["snapshot/1_2.ss"], True),
        (["log", "conf", "member/wal/0.wal"], False),
        (["log", "proxy/cluster"], False),
        (["log/syslog", "conf/x", "snapshot/x"], False),
        ([], False),
    ],
)
def test_a_data_directory_of_0_4(files: list[str], old: bool, tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert is_of_etcd04(str(tmp_path)) is old


@pytest.mark.parametrize("path", ["/nonexistent", "/dev/null", "\0", "x" * 5000])
def test_a_directory_that_cannot_be_looked_into_is_for_the_start_to_find_out(path: str) -> None:
    assert not has_member_data(path)
    assert not is_of_etcd04(path)


def test_a_file_without_an_end_is_read_as_far_as_the_limit() -> None:
    (told,) = gather(read_command_line(["-config", "/dev/zero"]), {}, "/nowhere").findings
    assert told.code == "unusable-input"
    assert "larger than" in told.message


def test_a_pipe_in_the_place_of_the_default_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "etcd.conf")
    assert gather(read_command_line([]), {}, str(tmp_path / "etcd.conf")).findings == []
