import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.settings import VARIABLE, Origin
from compat.translate import Surroundings
from compat.variables import HINTS, Variables, read_variables, setting_of
from tests.compat.helpers import codes, finding, translated


def read(**variables: str) -> Variables:
    return read_variables((text, Origin(VARIABLE, name)) for name, text in variables.items())


def values(**variables: str) -> dict[str, str]:
    return {given.name: given.value for given in read(**variables).given}


@pytest.mark.parametrize(
    ("variable", "text", "setting", "value"),
    [
        # As 0.4 read its own: trimmed; any word but two is true; lists item by item.
        ("ETCD_NAME", " m1 ", "name", "m1"),
        ("ETCD_ADDR", " 1.2.3.4:1 ", "addr", "1.2.3.4:1"),
        ("ETCD_VERBOSE", "no", "v", "true"),
        ("ETCD_VERBOSE", "False", "v", "true"),
        ("ETCD_VERBOSE", "0", "v", "false"),
        ("ETCD_VERY_VERBOSE", " false ", "vv", "false"),
        ("ETCD_SNAPSHOT", "off", "snapshot", "true"),
        ("ETCD_PEERS", " a:1 , b:2 ", "peers", "a:1,b:2"),
        ("ETCD_CORS", "http://a , http://b", "cors", "http://a,http://b"),
        ("ETCD_SNAPSHOTCOUNT", " 010 ", "snapshot-count", "10"),
        ("ETCD_PEER_HEARTBEAT_INTERVAL", "100", "peer-heartbeat-interval", "100"),
        ("ETCD_CLUSTER_REMOVE_DELAY", "1e3", "cluster-remove-delay", "1e3"),
        # As 2.x reads its own: as they are.
        ("ETCD_INITIAL_CLUSTER_TOKEN", " t ", "initial-cluster-token", " t "),
        ("ETCD_SNAPSHOT_COUNT", "0x10", "snapshot-count", "0x10"),
        ("ETCD_DEBUG", "T", "debug", "T"),
        ("ETCD_ENABLE_V2", "true", "enable-v2", "true"),
    ],
)
def test_a_variable_is_read_as_its_era_read_it(variable: str, text: str, setting: str, value: str) -> None:
    assert values(**{variable: text}) == {setting: value}


@pytest.mark.parametrize(
    "variable", ["ETCD_ADDR", "ETCD_ADVERTISE_CLIENT_URLS", "ETCD_WHATEVER", "ETCD_CORS_ORIGINS"]
)
def test_an_empty_variable_is_not_set(variable: str) -> None:
    assert read(**{variable: ""}) == ([], [])


def test_blanks_are_nothing_to_0_4_and_a_bad_value_to_2_x() -> None:
    assert read(ETCD_ADDR="  ") == ([], [])
    (said,) = read(ETCD_LISTEN_CLIENT_URLS=" ").findings
    assert said.code == "invalid-value"


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("ETCD_ADDR", "a", 'invalid value "a" for ETCD_ADDR: address a: missing port in address'),
        ("ETCD_SNAPSHOT_COUNT", "x", 'invalid value "x" for ETCD_SNAPSHOT_COUNT: parse error'),
        ("ETCD_HEARTBEAT_INTERVAL", " 100", 'invalid value " 100" for ETCD_HEARTBEAT_INTERVAL: parse error'),
        ("ETCD_DEBUG", "yes", 'invalid value "yes" for ETCD_DEBUG: parse error'),
        ("ETCD_PROXY", "maybe", 'invalid value "maybe" for ETCD_PROXY: invalid value'),
        (
            "ETCD_LISTEN_CLIENT_URLS",
            "a:1",
            'invalid value "a:1" for ETCD_LISTEN_CLIENT_URLS: URL scheme must be http or https: a:1',
        ),
    ],
)
def test_a_bad_value_is_refused_in_2_3_8s_words(variable: str, text: str, message: str) -> None:
    (said,) = read(**{variable: text}).findings
    assert (said.code, said.message) == ("invalid-value", message)


@pytest.mark.parametrize("variable", ["ETCD_ADDR", "ETCD_DEBUG", "ETCD_PEER_HEARTBEAT_INTERVAL"])
def test_a_bad_value_under_a_flag_does_not_matter(variable: str) -> None:
    made = translated("-addr 1.2.3.4:1 -debug -peer-heartbeat-interval=100", {variable: "garbage"})
    assert not made.refused
    assert not [item for item in made.findings if item.origin and item.origin.name == variable]


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "99999999999999999999999"])
def test_a_snapshotcount_that_2_x_cannot_take_is_passed_over(text: str) -> None:
    found = read(ETCD_SNAPSHOTCOUNT=text)
    assert not found.given
    assert [item.code for item in found.findings] == ["unusable-value"]


def test_snapshotcount_is_carried_over_unless_its_new_name_is_given() -> None:
    made = translated("", {"ETCD_SNAPSHOTCOUNT": "5"})
    assert made.config["snapshot-count"] == "5"
    assert finding(made, "carried-over").place == "variable ETCD_SNAPSHOTCOUNT"
    for names in (
        ("ETCD_SNAPSHOTCOUNT", "ETCD_SNAPSHOT_COUNT"),
        ("ETCD_SNAPSHOT_COUNT", "ETCD_SNAPSHOTCOUNT"),
    ):
        made = translated("", {name: "5" if name.endswith("SHOTCOUNT") else "6" for name in names})
        assert made.config["snapshot-count"] == "6"
        assert finding(made, "new-wins").place == "variable ETCD_SNAPSHOTCOUNT"


@pytest.mark.parametrize(
    "variable",
    [
        "ETCD_CORS_ORIGINS",
        "ETCD_MAX_CLUSTER_SIZE",
        "ETCD_CONFIG",
        "ETCD_TRACE",
        "ETCD_GRAPHITE_HOST",
        "ETCD_CPU_PROFILE_FILE",
    ],
)
def test_what_0_4_never_read_is_told_and_not_converted(variable: str) -> None:
    found = read(**{variable: "3"})
    assert not found.given
    assert [item.code for item in found.findings] == ["never-read"]


@pytest.mark.parametrize("variable", ["ETCD_WHATEVER", "ETCD_V", "ETCD_VERSION", "ETCD_HELP", "ETCD_FORCE"])
def test_what_is_no_setting_is_passed_over(variable: str) -> None:
    found = read(**{variable: "2.3.8"})
    assert not found.given
    assert [(item.code, item.message) for item in found.findings] == [
        ("unknown-variable", f"unrecognized environment variable {variable}=2.3.8")
    ]


@pytest.mark.parametrize(
    ("variable", "like"),
    [
        ("ETCD_PER_ADDR", "ETCD_PEER_ADDR"),
        ("ETCD_DATADIR", "ETCD_DATA_DIR"),
        ("ETCD_INITAL_CLUSTER", "ETCD_INITIAL_CLUSTER"),
        ("ETCD_AUTO_COMPACTION_RETENTON", "ETCD_AUTO_COMPACTION_RETENTION"),
    ],
)
def test_a_misspelt_variable_is_met_with_the_likely_one(variable: str, like: str) -> None:
    (found,) = read(**{variable: "x"}).findings
    assert (found.code, found.message) == (
        "unknown-variable",
        f"unrecognized environment variable {variable}=x",
    )
    assert found.remedy.startswith(f"Did you mean {like}? ")


@pytest.mark.parametrize(
    "variable", ["ETCD_PORT_2379_TCP_ADDR", "ETCD_SERVICE_HOST", "ETCD_IMAGE", "ETCD_OPTS"]
)
def test_a_variable_of_another_program_is_like_none(variable: str) -> None:
    (found,) = read(**{variable: "x"}).findings
    assert found.remedy == "Nothing to do if another program reads it."


def test_of_very_many_unknown_variables_only_the_first_are_compared() -> None:
    found = read(**{f"ETCD_PER_ADDR{number}": "x" for number in range(2 * HINTS)}).findings
    assert [finding.remedy.startswith("Did you mean") for finding in found] == [True] * HINTS + [
        False
    ] * HINTS


def test_other_variables_are_none_of_ours() -> None:
    assert read(ETCDCTL_API="2", PATH="/bin", ETCD="x") == ([], [])


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("ETCD_ADDR", "addr"),
        ("ETCD_SNAPSHOTCOUNT", "snapshot-count"),
        ("ETCD_DEBUG", "debug"),
        ("ETCD_ENABLE_V2", "enable-v2"),
        ("ETCD_VERSION", "version"),
        ("ETCD_UNSUPPORTED_ARCH", ""),
        ("ETCD_V", ""),
    ],
)
def test_the_setting_of_a_variable(variable: str, setting: str) -> None:
    assert setting_of(variable) == setting


@given(
    st.text(max_size=20),
    st.sampled_from(
        [
            "ETCD_ADDR",
            "ETCD_SNAPSHOTCOUNT",
            "ETCD_PEERS",
            "ETCD_CLUSTER_ACTIVE_SIZE",
            "ETCD_HTTP_READ_TIMEOUT",
            "ETCD_LISTEN_CLIENT_URLS",
            "ETCD_X",
        ]
    ),
)
def test_any_text_gives_a_setting_or_a_finding_or_nothing(text: str, variable: str) -> None:
    found = read(**{variable: text})
    assert len(found.given) + len(found.findings) <= 1


def test_a_name_that_only_2x_reads_takes_effect_from_now_on() -> None:
    """0.4 read ETCD_SNAPSHOTCOUNT (0.4.9, seen)."""
    around = Surroundings("host1")
    old = translated("-addr 1.2.3.4:1", {"ETCD_SNAPSHOT_COUNT": "5000"}, around=around)
    assert finding(old, "takes-effect").origin is not None
    assert old.config["snapshot-count"] == "5000"
    new = translated("-listen-client-urls http://1.2.3.4:1", {"ETCD_SNAPSHOT_COUNT": "5000"}, around=around)
    carried = translated("-addr 1.2.3.4:1", {"ETCD_SNAPSHOTCOUNT": "5000"}, around=around)
    assert "takes-effect" not in codes(new.findings) | codes(carried.findings)
