"""TLS contexts from etcd's settings: who is let in, and what is said of files that cannot be used."""

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from server.tls import TlsError, TlsFiles, client_context, server_context
from tests.support.tls import V, client, make_certificates, with_passphrase

FILES = Path(__file__).parents[3] / "fixtures" / "tls"
CERT, KEY, CA = (str(FILES / name) for name in ("server.pem", "server.key", "ca.pem"))


def handshake(files: TlsFiles, *, client_certificate: bool) -> bool:
    """Whether a client that trusts our CA gets a byte through."""
    client = ssl.create_default_context(cafile=CA)
    if client_certificate:
        client.load_cert_chain(FILES / "client.pem", FILES / "client.key")
    ours, theirs = socket.socketpair()
    ours.settimeout(60)
    theirs.settimeout(60)

    def serve() -> None:
        try:
            with server_context(files).wrap_socket(ours, server_side=True) as wrapped:
                wrapped.sendall(b"x")
        except OSError:
            ours.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(theirs, server_hostname="localhost") as wrapped:
            return wrapped.recv(1) == b"x"
    except OSError:
        return False
    finally:
        thread.join(60)


@pytest.mark.parametrize(
    ("files", "without", "with_certificate"),
    [
        (TlsFiles(CERT, KEY), True, True),
        (TlsFiles(CERT, KEY, trusted_ca=CA), True, True),
        (TlsFiles(CERT, KEY, trusted_ca=CA, client_cert_auth=True), False, True),
        (TlsFiles(CERT, KEY, ca=CA), False, True),  # the name that 0.4 and 2.0 had for the line above
        (TlsFiles(CERT, KEY, trusted_ca=CERT, client_cert_auth=True), False, False),
    ],
)
def test_who_is_let_in(files: TlsFiles, without: bool, with_certificate: bool) -> None:
    assert handshake(files, client_certificate=False) is without
    assert handshake(files, client_certificate=True) is with_certificate


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (TlsFiles(CERT), rf"KeyFile and CertFile must both be present\[key: , cert: {CERT}\]"),
        (TlsFiles("", KEY), r"KeyFile and CertFile must both be present"),
        (TlsFiles("/nope", KEY), r"open /nope: no such file or directory"),
        (TlsFiles(CERT, KEY, trusted_ca="/nope"), r"open /nope: no such file or directory"),
        (
            TlsFiles(CERT, str(FILES / "client.key")),
            r"cert-file .*server.pem and key-file .*client.key cannot be used",
        ),
        (TlsFiles(KEY, KEY), r"cannot be used"),
        (TlsFiles(CERT, KEY, ca=KEY), r"CA file .*server.key cannot be used"),
    ],
)
def test_files_that_cannot_be_used_are_named(files: TlsFiles, message: str) -> None:
    with pytest.raises(TlsError, match=message):
        server_context(files)


def test_the_settings_are_shown_as_etcd_shows_them() -> None:
    shown = str(TlsFiles("a", "b", client_cert_auth=True))
    assert shown == "cert = a, key = b, ca = , trusted-ca = , client-cert-auth = true"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (TlsFiles(CERT), f"KeyFile and CertFile must both be present[key: , cert: {CERT}]"),
        (TlsFiles(trusted_ca="/nowhere"), "open /nowhere: no such file or directory"),
        (TlsFiles(ca=KEY), f"CA file {KEY} cannot be used: no certificate or crl found"),
    ],
)
def test_files_that_cannot_be_used_to_connect_to_peers_are_named(files: TlsFiles, message: str) -> None:
    with pytest.raises(TlsError) as caught:
        client_context(files)
    assert str(caught.value) == message


def test_peers_are_checked_also_without_a_certificate_of_our_own() -> None:
    for files in (TlsFiles(), TlsFiles(trusted_ca=CA), TlsFiles(CERT, KEY)):
        context = client_context(files)
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("traditional", [False, True])
@pytest.mark.parametrize("context_of", [server_context, client_context])
def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(
    made: Path, context_of: Callable[[TlsFiles], ssl.SSLContext], traditional: bool
) -> None:
    locked = with_passphrase(made, traditional=traditional)
    with pytest.raises(
        TlsError, match=r"^tls: failed to parse private key: key-file .*locked\.key has a passphrase"
    ):
        context_of(TlsFiles(str(made / "server.pem"), str(locked)))


@pytest.mark.parametrize("version", [V.TLSv1, V.TLSv1_1, V.TLSv1_2, V.TLSv1_3])
@pytest.mark.parametrize("allowed", [False, True])
def test_old_versions_are_spoken_only_when_they_are_allowed(
    made: Path, version: ssl.TLSVersion, allowed: bool
) -> None:
    files = TlsFiles(str(made / "server.pem"), str(made / "server.key"), allow_old=allowed)
    theirs, ours = client(made, version), server_context(files)
    assert agreed(ours, theirs) == (
        version.name.replace("_", ".") if allowed or version >= V.TLSv1_2 else None
    )


def test_a_client_of_old_times_gets_no_weaker_ciphers_than_it_must(made: Path) -> None:
    files = TlsFiles(str(made / "server.pem"), str(made / "server.key"), allow_old=True)
    offered = {cipher["name"] for cipher in server_context(files).get_ciphers()}
    assert not {
        name
        for name in offered
        for weak in ("NULL", "ADH", "AECDH", "RC4", "DES", "EXP", "PSK")
        if weak in name
    }


def agreed(ours: ssl.SSLContext, theirs: ssl.SSLContext) -> str | None:
    """The version that the two speak, None when they find none. Without a socket."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        ours.wrap_bio(there, back, server_side=True),
        theirs.wrap_bio(back, there, server_hostname="127.0.0.1"),
    )
    for _ in range(10):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                return None
    return ends[0].version()
