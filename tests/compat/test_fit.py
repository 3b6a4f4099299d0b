import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from compat.fit import Fitted, TargetError, fit, parse_target
from compat.flags2x import BY_NAME, LATEST
from server.config import SETTINGS
from tests.compat.helpers import codes


def fitted(target: str, wants_v2: bool = True, **config: str) -> Fitted:
    return fit(
        {name.replace("_", "-"): value for name, value in config.items()},
        parse_target(target),
        wants_v2=wants_v2,
    )


@pytest.mark.parametrize(
    ("text", "version"),
    [("2.0", "2.0.13"), ("2.3", "2.3.8"), ("v3.4", "3.4.45"), ("3.4.23", "3.4.23"), ("3.7", "3.7.1")],
)
def test_a_line_is_its_last_release(text: str, version: str) -> None:
    assert parse_target(text) == Version(version)


@pytest.mark.parametrize("text", ["", "x", "0.4", "0.4.9", "1.0", "4.0", "3.8", "3..4"])
def test_what_is_no_release_is_refused(text: str) -> None:
    with pytest.raises(TargetError, match="etcd"):
        parse_target(text)


PLAIN = {
    "name": "m",
    "data-dir": "d",
    "listen-client-urls": "http://127.0.0.1:1",
    "initial-cluster": "m=http://127.0.0.1:2",
}


@pytest.mark.parametrize("target", LATEST)
def test_what_every_release_knows_passes(target: str) -> None:
    found = fit(PLAIN, parse_target(target), wants_v2=False)
    assert (found.config, found.findings) == (PLAIN, [])


@pytest.mark.parametrize(
    ("target", "given", "config", "code"),
    [
        ("2.0", {"debug": "true"}, {}, "target-lacks"),
        ("2.1", {"debug": "true"}, {"debug": "true"}, ""),
        ("2.3", {"debug": "true"}, {"debug": "true"}, ""),
        ("3.3", {"debug": "true"}, {"debug": "true"}, ""),
        ("3.4", {"debug": "true"}, {"log-level": "debug"}, ""),
        ("3.5", {"debug": "true"}, {"log-level": "debug"}, ""),
        ("3.5", {"debug": "false"}, {}, ""),
        ("2.0", {"trusted_ca_file": "c", "client_cert_auth": "true"}, {"ca-file": "c"}, ""),
        ("2.0", {"peer_trusted_ca_file": "c", "peer_client_cert_auth": "true"}, {"peer-ca-file": "c"}, ""),
        (
            "2.1",
            {"trusted_ca_file": "c", "client_cert_auth": "true"},
            {"trusted-ca-file": "c", "client-cert-auth": "true"},
            "",
        ),
        ("3.3", {"ca_file": "c"}, {"ca-file": "c"}, ""),
        ("3.4", {"ca_file": "c"}, {"trusted-ca-file": "c", "client-cert-auth": "true"}, ""),
        ("3.4", {"peer_ca_file": "c"}, {"peer-trusted-ca-file": "c", "peer-client-cert-auth": "true"}, ""),
        ("3.3", {"cors": "http://a"}, {"cors": "http://a"}, ""),
        (
            "3.4",
            {"cors": "http://a,https://b,http://c:1"},
            {"cors": "http://a:80,https://b:443,http://c:1"},
            "cors-without-port",
        ),
        ("3.4", {"cors": "http://c:1"}, {"cors": "http://c:1"}, ""),
        ("3.4", {"cors": "*"}, {"cors": "*"}, ""),
        ("3.1", {"listen_client_urls": "http://h:1"}, {"listen-client-urls": "http://h:1"}, ""),
        (
            "3.2",
            {"listen_client_urls": "http://h:1"},
            {"listen-client-urls": "http://h:1"},
            "listen-host-name",
        ),
        (
            "3.2",
            {"listen_peer_urls": "http://localhost:1,http://[::]:2,http://$IP:3"},
            {"listen-peer-urls": "http://localhost:1,http://[::]:2,http://$IP:3"},
            "",
        ),
        ("3.6", {"discovery_fallback": "proxy"}, {}, "target-lacks"),
        ("3.6", {"discovery_fallback": "exit"}, {"discovery-fallback": "exit"}, ""),
        ("3.5", {"proxy": "on"}, {"proxy": "on"}, ""),
        ("3.6", {"proxy": "on"}, {}, "target-lacks"),
        ("3.6", {"proxy": "off"}, {}, ""),
        ("3.6", {"discovery": "http://d/t"}, {"discovery": "http://d/t"}, ""),
        ("3.7", {"discovery": "http://d/t"}, {}, "target-lacks"),
        ("2.1", {"wal_dir": "w"}, {}, "target-lacks"),
        ("2.2", {"wal_dir": "w"}, {"wal-dir": "w"}, ""),
    ],
)
def test_each_rule_at_the_release_where_it_begins(
    target: str, given: dict[str, str], config: dict[str, str], code: str
) -> None:
    found = fitted(target, wants_v2=False, **given)
    assert found.config == config
    assert codes(found.findings) == ({code} if code else set())


def test_renamed_settings_are_traced_to_what_they_stood_under() -> None:
    assert fitted("3.4", wants_v2=False, ca_file="c").renamed == {
        "trusted-ca-file": "ca-file",
        "client-cert-auth": "ca-file",
    }
    assert fitted("3.4", wants_v2=False, debug="true").renamed == {"log-level": "debug"}


@pytest.mark.parametrize(
    ("target", "enabled"),
    [("2.3", None), ("3.3", None), ("3.4", "true"), ("3.5", "true"), ("3.6", None), ("3.7", None)],
)
def test_v2_is_switched_on_where_that_is_needed_and_possible(target: str, enabled: str | None) -> None:
    found = fitted(target)
    assert found.config.get("enable-v2") == enabled
    assert ("v2-api" in codes(found.findings)) == (target in ("3.6", "3.7"))


@pytest.mark.parametrize("value", ["true", "false", "1", "0"])
def test_a_choice_about_v2_stands(value: str) -> None:
    assert fitted("3.5", enable_v2=value).config == {"enable-v2": value}


@pytest.mark.parametrize("value", ["true", "1"])
def test_a_release_that_serves_v2_says_what_stays_of_it(value: str) -> None:
    (told,) = fitted("3.5", enable_v2=value, data_dir="/var/lib/my etcd").findings
    assert told.code == "v2-data"
    assert "migrate02 v2store check '/var/lib/my etcd' (see docs/v2-leftovers.md)" in told.remedy
    assert fitted("3.5", enable_v2="false").findings == []


@pytest.mark.parametrize("target", ["3.6", "3.7"])
@pytest.mark.parametrize("value", ["true", "1", "false"])
def test_a_release_without_the_flag_names_the_check_of_the_directory(target: str, value: str) -> None:
    found = fitted(target, enable_v2=value)
    assert found.config == {}
    assert codes(found.findings) == {"v2-leftovers", *(["v2-api"] if value != "false" else [])}
    told = found.findings[0]
    assert f"--enable-v2 {value} is removed" in told.message
    assert "migrate02 v2store check DIR (see docs/v2-leftovers.md)" in told.remedy


def test_the_check_is_told_where_the_log_is() -> None:
    (told,) = fitted("3.6", enable_v2="false", data_dir="/d", wal_dir="/w").findings
    assert "migrate02 v2store check --wal-dir /w /d " in told.remedy


def test_what_only_the_bundled_server_has_is_left_out_and_told() -> None:
    found = fitted("3.4", dns_server="10.0.0.53", discovery_srv_name="foo")
    assert found.config["discovery-srv-name"] == "foo"
    assert "dns-server" not in found.config
    (told,) = [item for item in found.findings if item.setting == "dns-server"]
    assert "only the bundled server has it" in told.message


NAMES = st.sampled_from([setting.name for setting in SETTINGS] + ["enable-v2", "log-level", "auto-tls"])
TEXTS = st.sampled_from(["", "true", "false", "x", "*", "http://h:1", "http://a,b", "proxy", "off", "5"])


@given(st.dictionaries(NAMES, TEXTS), st.sampled_from(sorted(LATEST)))
def test_what_comes_out_is_known_to_the_target_and_nothing_is_lost_silently(
    config: dict[str, str], target: str
) -> None:
    version = parse_target(target)
    found = fit(config, version)
    assert all(BY_NAME[name].known_to(version) for name in found.config)
    told = {item.setting for item in found.findings}
    harmless = {("debug", value) for value in TEXTS_OFF} | {("proxy", "off")}
    for name, value in config.items():
        lost = name not in found.config and name not in found.renamed.values() and name not in told
        assert (
            not lost
            or (name, value) in harmless
            or (name.endswith("client-cert-auth") and target == "2.0")
            or (name.endswith("ca-file") and not value)
        )


TEXTS_OFF = ("", "false", "x", "*", "http://h:1", "http://a,b", "proxy", "off", "5")
