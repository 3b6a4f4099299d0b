"""The flags of a gateway: what they mean, and what is said of those that cannot be."""

import json
import re

import pytest
from packaging.version import Version

from compat import flags04, flags2x, gateway
from compat.etcd02 import main
from compat.usage import usage

CHOSEN = {"gateway-endpoints": "https://a:2379, b:2379"}


def test_flags_and_variables_are_settings() -> None:
    own = {**CHOSEN, "gateway-cacert": "ca.pem", "gateway-data-prefix": "/old"}
    settings = gateway.read_settings(own, {"ETCD02_GATEWAY_USER": "u:p:w"}, chosen=True)
    assert settings is not None
    assert settings.endpoints == ("https://a:2379", "http://b:2379")
    assert (settings.user, settings.password) == ("u", "p:w")
    assert (settings.cacert, settings.data_prefix, settings.meta_prefix) == ("ca.pem", "/old", "etcd02/")


def test_a_flag_wins_over_its_variable() -> None:
    environ = {"ETCD02_GATEWAY_ENDPOINTS": "http://c:1"}
    settings = gateway.read_settings(CHOSEN, environ, chosen=True)
    assert settings is not None
    assert settings.endpoints == ("https://a:2379", "http://b:2379")
    settings = gateway.read_settings({}, environ, chosen=True)
    assert settings is not None
    assert settings.endpoints == ("http://c:1",)


@pytest.mark.parametrize(
    ("own", "chosen", "fault"),
    [
        ({}, True, "needs the etcd that it is for"),
        ({"gateway-endpoints": "a"}, True, "host:port"),
        ({"gateway-endpoints": "ftp://a:1"}, True, "scheme must be http or https"),
        ({**CHOSEN, "gateway-cert": "x"}, True, "there is only one"),
        ({**CHOSEN, "gateway-meta-prefix": "/mine/"}, True, "among each other"),
        (
            {**CHOSEN, "gateway-data-prefix": "/o", "gateway-meta-prefix": "/o/m/"},
            True,
            "among each other",
        ),
        ({**CHOSEN, "gateway-data-prefix": "/old", "gateway-meta-prefix": "/"}, True, "among each other"),
        ({**CHOSEN, "gateway-data-prefix": "etcd02/old"}, True, "among each other"),
        (CHOSEN, False, "--gateway-endpoints is for a gateway only"),
    ],
)
def test_what_cannot_be_is_told(own: dict[str, str], chosen: bool, fault: str) -> None:
    with pytest.raises(gateway.GatewayRefused, match=fault):
        gateway.read_settings(own, {}, chosen=chosen)


def test_without_the_library_it_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gateway, "_LIBRARY", "no_such_library")
    assert main(["etcd02", "--engine=gateway", "--gateway-endpoints=a:1"], {}, "") == 1
    assert "pip install 'migrate02[gateway]'" in capsys.readouterr().err


def test_the_configuration_of_a_member_starts_a_gateway_as_it_stands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """-peers above all, which 2.x refuses."""
    own = ["--engine=gateway", "--gateway-endpoints=a:1", "--print-config"]
    words = ["-addr=10.0.0.1:4001", "-peer-addr=10.0.0.1:7001", "-peers=10.0.0.2:7001", "-name=m1"]
    environ = {"ETCD_CLUSTER_ACTIVE_SIZE": "3", "ETCD_DISCOVERY": "https://discovery.etcd.io/x"}
    assert main(["etcd02", *own, *words], environ, "") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["advertise-client-urls"] == ["http://10.0.0.1:4001"]
    (said,) = [line for line in shown.err.splitlines() if "peer" in line or "cluster" in line]
    assert said.startswith("etcd02: info[engine-chosen] --engine gateway: not used, ")
    for name in ("flag -peers", "flag -peer-addr", "ETCD_CLUSTER_ACTIVE_SIZE", "ETCD_DISCOVERY"):
        assert name in said


ABOUT_MEMBERS = re.compile(
    r"peer|initial-|discovery|proxy|election|heartbeat|snapshot|wals?\b|wal-dir|cluster|strict"
)


def test_every_setting_about_members_and_their_disks_is_said_to_be_unused() -> None:
    """Those of 0.4 and 2.3.8; a gateway has neither members nor a log."""
    of_23 = {flag.name for flag in flags2x.FLAGS if flag.known_to(Version("2.3.8"))}
    known = of_23 | {flag.name for flag in flags04.FLAGS}
    assert {name for name in known if ABOUT_MEMBERS.search(name)} <= gateway._OF_MEMBERS <= known


def test_the_unit_of_a_proxy_starts_a_gateway(capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "--engine=gateway",
        "--gateway-endpoints=a:1",
        "--print-config",
        "--proxy=on",
        "--force-new-cluster",
    ]
    assert main(["etcd02", *words], {}, "") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["proxy"] == "off"
    assert "flag -proxy, flag -force-new-cluster" in shown.err


@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_the_help_of_the_command_is_that_of_what_it_can_do(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["etcd02", "gateway", word], {}, "") == 0
    assert "etcd02 gateway leave --gateway-endpoints" in capsys.readouterr().out


def test_the_help_names_all_of_them() -> None:
    assert all(f"--{flag}\n" in usage() for flag in gateway.FLAGS)
