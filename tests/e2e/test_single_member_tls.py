"""TLS on both listeners of a running server."""

import http.client
import ssl
import time
from pathlib import Path

import pytest

from tests.support import real_etcd
from tests.support.discovery import DiscoveryService
from tests.support.process import PATIENCE, Member, Process
from tests.support.tls import REFUSALS, Refusal, V, ask, client, make_certificates, with_passphrase

pytestmark = pytest.mark.slow

FILES = Path(__file__).parents[2] / "fixtures" / "tls"


def answers(connection: http.client.HTTPSConnection) -> bool:
    """Whether a request gets an answer. TLS 1.3 refuses a client only after its own handshake seems done."""
    try:
        connection.request("GET", "/v2/keys/a")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_clients_with_a_certificate_are_served_over_tls_and_others_are_not(tmp_path: Path) -> None:
    member = Member(
        tmp_path / "d",
        cert_file=str(FILES / "server.pem"),
        key_file=str(FILES / "server.key"),
        ca_file=str(FILES / "ca.pem"),
    )
    member.settings["peer-cert-file"] = str(FILES / "server.pem")
    member.settings["peer-key-file"] = str(FILES / "server.key")
    for name in (
        "listen-client-urls",
        "advertise-client-urls",
        "listen-peer-urls",
        "initial-advertise-peer-urls",
        "initial-cluster",
    ):
        member.settings[name] = member.settings[name].replace("http://", "https://")
    trusting = ssl.create_default_context(cafile=str(FILES / "ca.pem"))
    with_certificate = ssl.create_default_context(cafile=str(FILES / "ca.pem"))
    with_certificate.load_cert_chain(FILES / "client.pem", FILES / "client.key")
    with member.launch() as process:
        connection = http.client.HTTPSConnection(
            "127.0.0.1", member.client_port, context=with_certificate, timeout=PATIENCE
        )
        for _ in range(1200):
            try:
                connection.connect()
                break
            except OSError:
                assert process.popen.poll() is None, process.log
                time.sleep(0.05)
        connection.request("PUT", "/v2/keys/a?value=1")
        assert connection.getresponse().status == 201
        connection.close()
        refused = http.client.HTTPSConnection(
            "127.0.0.1", member.client_port, context=trusting, timeout=PATIENCE
        )
        assert not answers(refused)
        deadline = time.monotonic() + PATIENCE
        while "handshake" not in process.log and time.monotonic() < deadline:
            time.sleep(0.02)  # the client hears of it first
        said = [line for line in process.log.splitlines() if "handshake" in line]
        assert len(said) == 1
        assert said[0].endswith("tls: client didn't provide a certificate")
        peer = http.client.HTTPSConnection("127.0.0.1", member.peer_port, context=trusting, timeout=PATIENCE)
        peer.request("GET", "/members")
        answer = peer.getresponse()
        assert answer.status == 200
        assert answer.getheader("X-Etcd-Cluster-Id")
        peer.close()
        assert "Traceback" not in process.log


PASSPHRASE = "tls: failed to parse private key: key-file {} has a passphrase"


@pytest.mark.parametrize(
    ("scope", "https", "further"),
    [
        ("", "listen-client-urls", {}),
        ("peer-", "listen-peer-urls", {}),
        ("peer-", "", {}),  # for connections to others it is needed all the same
        ("", "listen-client-urls", {"proxy": "on"}),
        ("peer-", "", {"proxy": "on"}),
    ],
)
def test_a_key_with_a_passphrase_ends_the_start_at_once(
    tmp_path: Path, scope: str, https: str, further: dict[str, str]
) -> None:
    locked = with_passphrase(make_certificates(tmp_path), traditional=False)
    member = Member(tmp_path / "d", **further)
    member.settings |= {f"{scope}cert-file": str(tmp_path / "server.pem"), f"{scope}key-file": str(locked)}
    if https:
        member.settings[https] = member.settings[https].replace("http:", "https:")
        advertised = https.replace("listen-client", "advertise-client").replace(
            "listen-peer", "initial-advertise-peer"
        )
        member.settings[advertised] = member.settings[https]
    if https == "listen-peer-urls":
        member.settings["initial-cluster"] = f"m1={member.settings[https]}"
    with member.launch() as process:
        assert process.popen.wait(PATIENCE) == 1
        assert process.log.count(PASSPHRASE.format(locked)) == 1, process.log
        assert "fault" not in process.log


def test_a_discovery_service_whose_key_has_a_passphrase_ends_at_once(tmp_path: Path) -> None:
    locked = with_passphrase(make_certificates(tmp_path), traditional=True)
    service = DiscoveryService(
        "--data-dir",
        str(tmp_path / "d"),
        "--cert-file",
        str(tmp_path / "server.pem"),
        "--key-file",
        str(locked),
    )
    service.url = service.url.replace("http:", "https:")
    with service.launch() as process:
        assert process.popen.wait(PATIENCE) == 1
        assert process.log.count(PASSPHRASE.format(locked)) == 1, process.log
        assert "fault" not in process.log


@pytest.mark.parametrize("version", [V.TLSv1, V.TLSv1_1, V.TLSv1_2])
@pytest.mark.parametrize("allowed", [False, True])
def test_clients_of_old_tls_are_served_where_that_is_allowed(
    tmp_path: Path, version: ssl.TLSVersion, allowed: bool
) -> None:
    made = make_certificates(tmp_path)
    member = Member(tmp_path / "d", cert_file=str(made / "server.pem"), key_file=str(made / "server.key"))
    if allowed:
        member.settings["allow-old-tls"] = "true"
    for name in ("listen-client-urls", "advertise-client-urls"):
        member.settings[name] = member.settings[name].replace("http:", "https:")
    with member.launch() as process:
        process.wait_for_line("set the initial cluster version")
        if allowed or version >= V.TLSv1_2:
            assert ask(member.client_port, client(made, version)).startswith(b"HTTP/1.1 200 OK")
        else:
            with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
                ask(member.client_port, client(made, version))
        said = "clients may speak TLS 1.0 and 1.1 (--allow-old-tls)"
        assert (said in process.log) is allowed


@pytest.mark.parametrize("refused", REFUSALS, ids=str)
def test_a_client_that_is_refused_gets_an_alert_as_from_real_etcd(tmp_path: Path, refused: Refusal) -> None:
    """Real etcd's client port in each case, and ours. Which alert it is differs: Go has fewer."""
    made = make_certificates(tmp_path)
    binary = real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34)
    for name in ("ours", "theirs"):
        member = Member(
            tmp_path / name,
            cert_file=str(made / "server.pem"),
            key_file=str(made / "server.key"),
            trusted_ca_file=str(made / "ca.pem"),
            client_cert_auth="true",
        )
        for setting in ("listen-client-urls", "advertise-client-urls"):
            member.settings[setting] = member.settings[setting].replace("http:", "https:")
        argv = [str(binary), *(f"--{key}={value}" for key, value in member.settings.items())]
        with member.launch() if name == "ours" else Process(argv, member.client_port) as process:
            process.wait_for_line("set the initial cluster version")
            heard = 0
            for _ in range(8):
                try:
                    ask(member.client_port, client(made, *refused))
                except OSError as error:
                    heard += isinstance(error, ssl.SSLError) and "ALERT" in str(error)
            assert heard == 8 if name == "ours" else heard > 0
