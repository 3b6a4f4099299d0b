"""TLS on both listeners of a running server."""

import http.client
import ssl
import time
from pathlib import Path

import pytest

from tests.support.process import PATIENCE, Member

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
