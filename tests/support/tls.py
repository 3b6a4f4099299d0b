"""Certificates made on the spot, and clients that show the wrong ones."""

import socket
import ssl
import subprocess
import warnings
from pathlib import Path
from typing import NamedTuple

from tests.support.real_etcd import required_tool

GET = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"
V = ssl.TLSVersion


class Refusal(NamedTuple):
    """A client that a server with ``--client-cert-auth`` refuses. ``shows``: the certificate, or none."""

    version: ssl.TLSVersion
    shows: str
    ciphers: str = ""

    def __str__(self) -> str:
        return f"{self.version.name}-{self.shows or 'none'}{self.ciphers and '-ciphers'}"


REFUSALS = (
    *(Refusal(version, shows) for version in (V.TLSv1_3, V.TLSv1_2) for shows in ("", "foreign", "expired")),
    Refusal(V.TLSv1_1, "good"),
    Refusal(V.TLSv1, "good"),
    Refusal(V.TLSv1_2, "good", "DHE-RSA-AES256-SHA256:@SECLEVEL=0"),
)


def make_certificates(folder: Path) -> Path:
    """NAME.pem and NAME.key: ``server`` and ``good`` of the authority ``ca``, ``expired`` of it too, ``foreign`` of
    another. Returns the folder."""
    openssl = required_tool("openssl")

    def run(words: str) -> None:
        subprocess.run([openssl, *words.split()], cwd=folder, check=True, capture_output=True)

    new_key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    (folder / "of_leaf").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
    for authority in ("ca", "other"):
        run(f"req -x509 {new_key} -days 2 -subj /CN={authority} -keyout {authority}.key -out {authority}.pem")
    for name, authority, days in (
        ("server", "ca", 2),
        ("good", "ca", 2),
        ("expired", "ca", -1),
        ("foreign", "other", 2),
    ):
        run(f"req -new {new_key} -subj /CN={name} -keyout {name}.key -out {name}.csr")
        run(
            f"x509 -req -in {name}.csr -CA {authority}.pem -CAkey {authority}.key -CAcreateserial -days {days} "
            f"-extfile of_leaf -out {name}.pem"
        )
    return folder


def client(folder: Path, version: ssl.TLSVersion, shows: str = "good", ciphers: str = "") -> ssl.SSLContext:
    """A client of that version alone, old ones included."""
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    if ciphers or version < V.TLSv1_2:
        context.set_ciphers(ciphers or "ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.0
        context.minimum_version = context.maximum_version = version
    if shows:
        context.load_cert_chain(folder / f"{shows}.pem", folder / f"{shows}.key")
    return context


def ask(port: int, context: ssl.SSLContext) -> bytes:
    """The beginning of the answer to a request. Raises OSError; ssl.SSLError with a reason for an alert."""
    with socket.create_connection(("127.0.0.1", port), 20) as sock:
        secure = context.wrap_socket(sock, server_hostname="127.0.0.1")
        secure.sendall(GET)
        answer = b""
        while len(answer) < 15 and (piece := secure.recv(100)):
            answer += piece
        return answer


def with_passphrase(folder: Path, *, traditional: bool) -> Path:
    """A copy of ``server.key`` that cannot be read without one; ``traditional``: as OpenSSL wrote them once."""
    locked = folder / "locked.key"
    kind = ("-traditional", "-aes256") if traditional else ("-aes256",)
    argv: list[str] = [
        str(required_tool("openssl")),
        "pkey",
        "-in",
        "server.key",
        "-out",
        locked.name,
        "-passout",
        "pass:hello",
    ]
    subprocess.run([*argv, *kind], cwd=folder, check=True, capture_output=True)
    return locked
