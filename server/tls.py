"""TLS for the listeners, from the settings cert-file, key-file, trusted-ca-file, client-cert-auth and
ca-file.

The rules are those of etcd 2.3, and the texts of its errors. TLS below 1.2 is not spoken.
"""

import ssl
from pathlib import Path
from typing import NamedTuple


class TlsError(Exception):
    """Certificates or keys that cannot be used; the message names the file."""


class TlsFiles(NamedTuple):
    """The TLS settings of one side, clients' or peers'; empty texts for what is not given."""

    cert: str = ""
    key: str = ""
    ca: str = ""
    trusted_ca: str = ""
    client_cert_auth: bool = False

    @property
    def given(self) -> bool:
        return bool(self.cert or self.key)

    def __str__(self) -> str:
        auth = str(self.client_cert_auth).lower()
        return (
            f"cert = {self.cert}, key = {self.key}, ca = {self.ca}, trusted-ca = {self.trusted_ca}, "
            f"client-cert-auth = {auth}"
        )


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """For a listener. Whoever connects must show a certificate with ``client_cert_auth``, or with the old
    ``ca``.

    Without a CA such certificates are checked against the system's. Raises TlsError.
    """
    if not files.cert or not files.key:
        raise TlsError(f"KeyFile and CertFile must both be present[key: {files.key}, cert: {files.cert}]")
    for path in (files.cert, files.key, files.ca, files.trusted_ca):
        _check_readable(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(files.cert, files.key)
    except ssl.SSLError as error:
        raise TlsError(
            f"cert-file {files.cert} and key-file {files.key} cannot be used: {_reason(error)}"
        ) from error
    for path in (files.ca, files.trusted_ca):
        if path:
            try:
                context.load_verify_locations(path)
            except ssl.SSLError as error:
                raise TlsError(f"CA file {path} cannot be used: {_reason(error)}") from error
    if files.ca or files.client_cert_auth:
        context.verify_mode = ssl.CERT_REQUIRED
        if not files.ca and not files.trusted_ca:
            context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    return context


def _check_readable(path: str) -> None:
    if not path:
        return
    try:
        with Path(path).open("rb"):
            pass
    except OSError as error:
        raise TlsError(f"open {path}: {(error.strerror or str(error)).lower()}") from error


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).lower().replace("_", " ")
