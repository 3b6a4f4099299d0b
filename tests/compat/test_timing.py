import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.config import ConfigError, load
from tests.compat.helpers import codes, finding, translated


@pytest.mark.parametrize(
    ("line", "heartbeat", "election", "code"),
    [
        # Pairs seen in the wild.
        ("-peer-heartbeat-interval=50 -peer-election-timeout=200", 50, 250, "timing-bent"),
        ("-peer-heartbeat-interval=50 -peer-election-timeout=500", 50, 500, "carried-over"),
        ("-peer-heartbeat-interval=500 -peer-election-timeout=2000", 500, 2500, "timing-bent"),
        ("-peer-heartbeat-interval=1000 -peer-election-timeout=4000", 1000, 5000, "timing-bent"),
        ("-peer-heartbeat-interval 500 -peer-election-timeout 2500", 500, 2500, "carried-over"),
        # One of the two.
        ("-peer-heartbeat-interval=100", 100, 1000, "carried-over"),
        ("-peer-heartbeat-interval=300", 300, 1500, "timing-bent"),
        ("-peer-election-timeout=500", 100, 500, "carried-over"),
        ("-peer-election-timeout=300", 50, 300, "carried-over"),
        ("-peer-election-timeout=100", 50, 250, "timing-bent"),
        # Beyond 2.x's longest.
        ("-peer-election-timeout=60000", 100, 50000, "timing-bent"),
        ("-peer-heartbeat-interval=20000", 10000, 50000, "timing-bent"),
        # Beside a new one, which stays as it is.
        ("-heartbeat-interval 200 -peer-election-timeout=500", 200, 1000, "timing-bent"),
        ("-election-timeout 1000 -peer-heartbeat-interval=300", 200, 1000, "timing-bent"),
        ("-election-timeout 2000 -peer-heartbeat-interval=300", 300, 2000, "carried-over"),
        # As Go reads numbers.
        ("-peer-heartbeat-interval=0x64", 100, 1000, "carried-over"),
        ("-peer-heartbeat-timeout 100", 100, 1000, "carried-over"),
        # What 2.3.8 passes over because it passes over the flag.
        ("-peer-heartbeat-interval=x", 100, 1000, "unusable-value"),
        ("-peer-heartbeat-interval=0", 100, 1000, "unusable-value"),
        ("-peer-heartbeat-interval=-5", 100, 1000, "unusable-value"),
        ("-peer-heartbeat-interval=", 100, 1000, "unusable-value"),
        ("-peer-heartbeat-interval", 100, 1000, "unusable-value"),
        ("-peer-election-timeout=1s -peer-heartbeat-interval=80", 80, 1000, "unusable-value"),
    ],
)
def test_the_pair_is_carried_and_bent_as_little_as_2_x_allows(
    line: str, heartbeat: int, election: int, code: str
) -> None:
    made = translated(line)
    assert not made.refused
    config = load(made.config)
    assert (config.heartbeat_interval, config.election_timeout) == (heartbeat, election)
    assert code in codes(made.findings)


def test_what_was_bent_is_told_with_the_numbers_and_the_rule() -> None:
    said = finding(translated("-peer-heartbeat-interval 500 -peer-election-timeout 2000"), "timing-bent")
    assert said.message.startswith("heartbeat 500 ms and election 2000 ms became 500 and 2500 ms")
    assert "-election-timeout" in said.message


def test_without_old_names_nothing_is_touched() -> None:
    assert "election-timeout" not in translated("-heartbeat-interval 100").config
    assert translated("-heartbeat-interval 100 -election-timeout 300").config["election-timeout"] == "300"


def test_a_variable_is_decimal() -> None:
    assert translated("", {"ETCD_PEER_HEARTBEAT_INTERVAL": "0100"}).config["heartbeat-interval"] == "100"


def test_a_variable_that_is_no_number_does_not_stop_the_start() -> None:
    made = translated("", {"ETCD_PEER_HEARTBEAT_INTERVAL": "abc"})
    assert not made.refused
    assert "unusable-value" in codes(made.findings)


NUMBER = st.one_of(st.integers(-2, 100_000), st.sampled_from([0, 1, 5, 10_000, 10_001, 50_000, 2**70])).map(
    str
)


@given(st.one_of(st.none(), NUMBER), st.one_of(st.none(), NUMBER))
def test_any_old_pair_makes_a_pair_that_2_x_accepts(heartbeat: str | None, election: str | None) -> None:
    words = [
        f"-{name}={value}"
        for name, value in (("peer-heartbeat-interval", heartbeat), ("peer-election-timeout", election))
        if value is not None
    ]
    load(translated(" ".join(words)).config)


@given(NUMBER, NUMBER, st.booleans())
def test_beside_a_new_one_it_is_accepted_wherever_2_3_8_would_start(old: str, new: str, swap: bool) -> None:
    """2.3.8 looks at the new one alone."""
    names = (
        ("election-timeout", "peer-heartbeat-interval")
        if swap
        else ("heartbeat-interval", "peer-election-timeout")
    )
    made = translated(f"-{names[0]}={new} -{names[1]}={old}")
    try:
        load({names[0]: new})
    except ConfigError:
        return
    load(made.config)
