"""0.4's file as 0.4.9 read it; what it did with each of these was seen with the real binary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.settings import FILE, Origin
from compat.toml04 import Span, TomlError, line_of, locate_keys, read_toml


def values(text: str) -> dict[str, str]:
    return {item.name: item.value for item in read_toml(text, "f").given}


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ('name = "m1"\n', {"name": "m1"}),
        ('NAME = "m1"\n', {"name": "m1"}),
        ('name = "a"\nNAME = "b"\n', {"name": "b"}),
        ('name = ""\n', {}),
        ("peers = []\n", {}),
        ('peers = ["a:1", " b:2"]\n', {"peers": "a:1,b:2"}),
        ('[peer]\naddr = "a:1"\n', {"peer-addr": "a:1"}),
        ('[Peer]\nADDR = "a:1"\n', {"peer-addr": "a:1"}),
        (
            "[peer]\nheartbeat_interval = 50\nelection_timeout = 200\n",
            {"peer-heartbeat-interval": "50", "peer-election-timeout": "200"},
        ),
        ("snapshot = false\nverbose = true\n", {"snapshot": "false", "v": "true"}),
        (
            "[cluster]\nactive_size = 5\nremove_delay = 60.0\n",
            {"cluster-active-size": "5", "cluster-remove-delay": "60.0"},
        ),
        ('cors = ["*"]\nsnapshot_count = 5\n', {"cors": "*", "snapshot-count": "5"}),
        ("", {}),
        ("# nothing\n", {}),
    ],
)
def test_settings(text: str, settings: dict[str, str]) -> None:
    found = read_toml(text, "f")
    assert {item.name: item.value for item in found.given} == settings
    assert not found.findings


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("name = 5\n", "name = 5"),
        ('snapshot_count = "5"\n', 'snapshot_count = "5"'),
        ("snapshot_count = 5.0\n", "snapshot_count = 5.0"),
        ("snapshot = 1\n", "snapshot = 1"),
        ('snapshot = "false"\n', 'snapshot = "false"'),
        ('peers = "a:1,b:2"\n', 'peers = "a:1,b:2"'),
        ("peers = [1]\n", "peers = [1]"),
        ("http_read_timeout = 10\n", "http_read_timeout = 10"),
        ("[cluster]\nremove_delay = 1800\n", "cluster.remove_delay = 1800"),
        ('[peer]\nheartbeat_interval = "50"\n', 'peer.heartbeat_interval = "50"'),
        ('peer = "x"\n', 'peer = "x"'),
        ('[[peer]]\naddr = "x:1"\n', "peer = "),
    ],
)
def test_the_wrong_type_is_refused_as_0_4_refused_it(text: str, where: str) -> None:
    (said,) = read_toml(text, "f").findings
    assert said.code == "invalid-value"
    assert said.message.startswith(where)
    assert said.remedy.startswith("Write ")
    assert said.origin is not None
    assert said.place == f"f:{text.count(chr(10))}" or said.place.startswith("f")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('peer_addr = "a:1"\n', "addr in the table [peer]"),
        ('peer_bind_addr = "a:1"\n', "bind_addr in the table [peer]"),
        ("heartbeat_interval = 50\n", "heartbeat_interval in the table [peer]"),
        ("max_cluster_size = 5\n", "active_size in the table [cluster]"),
        ('bind-addr = "a:1"\n', "bind_addr at the top of the file"),
        ('[peer]\nname = "m"\n', "name at the top of the file"),
        ('peer.addr = "a:1"\n', "addr in the table [peer]"),
    ],
)
def test_a_key_in_the_wrong_place_is_told_with_the_right_one(text: str, hint: str) -> None:
    found = read_toml(text, "f")
    (said,) = found.findings
    assert not found.given
    assert said.code == "never-read"
    assert hint in said.message


@pytest.mark.parametrize(
    "text",
    [
        'trace = "*"\n',
        'cpu_profile_file = "p"\n',
        "force = true\n",
        'ETCD_NAME = "x"\n',
        "when = 1979-05-27T07:32:00Z\n",
        "[foo]\nbar = 1\n",
        "[peer.deep]\nx = 1\n",
    ],
)
def test_what_0_4_ignored_is_told_and_not_converted(text: str) -> None:
    found = read_toml(text, "f")
    assert not found.given
    assert [item.code for item in found.findings] == ["never-read"]


@pytest.mark.parametrize(
    "text",
    [
        "name = a\n",
        'name = "a"\nname = "b"\n',
        "ETCD_NAME=x\n",
        'name = "a\\q"\n',
        "[peer\n",
        "[peer]\n[peer]\n",
        "\x00",
        "a = " + "[" * 5000,
        "a = 1" + "0" * 5000,
    ],
)
def test_what_is_no_toml_is_a_toml_error_with_its_line(text: str) -> None:
    with pytest.raises(TomlError) as refused:
        read_toml(text, "f")
    assert "\n" not in str(refused.value)


def test_origins_have_lines() -> None:
    text = '# c\nname = "m"\n\n[peer]\n  addr = "a:1" # here\npeers = 1\n'
    found = read_toml(text, "old.conf")
    assert {item.name: str(item.origin) for item in found.given} == {
        "name": "name (old.conf:2)",
        "peer-addr": "peer.addr (old.conf:5)",
    }
    assert found.findings[0].place == "old.conf:6"


def test_keys_are_found_over_several_lines() -> None:
    text = 'peers = [\n  "a:1", # ]\n  "b:2",\n]\nname = """\nx = 1\n"""\nlast = 1\n'
    assert locate_keys(text) == {"peers": Span(1, 4), "name": Span(5, 7), "last": Span(8, 8)}


def test_a_key_of_an_inline_table_has_the_line_of_the_table() -> None:
    assert line_of(locate_keys('name = "m"\npeer = {addr = "a:1"}\n'), "peer.addr") == 2
    assert line_of({}, "x") == 0


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_toml(text, "f")
    except TomlError as refused:
        assert str(refused)  # noqa: PT017


KEYS = st.sampled_from(
    ["name", "addr", "peers", "snapshot", "snapshot_count", "http_read_timeout", "peer", "cluster", "x"]
)
VALUES = st.sampled_from(['"a"', "5", "5.0", "true", '["a"]', "[1]", "{}", "{addr = 1}", "1979-05-27", "nan"])


@given(st.dictionaries(KEYS, VALUES))
def test_any_types_are_read_or_told(document: dict[str, str]) -> None:
    text = "".join(f"{key} = {value}\n" for key, value in document.items())
    found = read_toml(text, "f")
    assert all(item.origin.line for item in found.given)


@pytest.mark.parametrize("line", ['cors = ["\'http://a:1"]', "snapshot_count = -1"])
def test_a_value_that_2x_refuses_is_refused_as_from_a_variable(line: str) -> None:
    """0.4 took any text, and 2.x does not start with it."""
    (found,) = read_toml(line, "f").findings
    assert (found.code, found.origin) == ("invalid-value", Origin(FILE, line.split()[0], "f", 1))
