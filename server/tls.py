"""TLS for listeners and for connections to peers, from the settings cert-file, key-file,
trusted-ca-file, client-cert-auth and ca-file.

The rules are those of etcd 2.3, and the texts of its errors. TLS below 1.2 is spoken only by a listener that is set to
do so.
"""

import ssl
import warnings
from pathlib import Path
from typing import NamedTuple, NoReturn

from server.config import Config
from server.handshake import ListenerContext


class TlsError(Exception):
    """Certificates or keys that cannot be used; the message names the file."""


class TlsFiles(NamedTuple):
    """The TLS settings of one side, clients' or peers'; empty texts for what is not given."""

    cert: str = ""
    key: str = ""
    ca: str = ""
    trusted_ca: str = ""
    client_cert_auth: bool = False
    allow_old: bool = False
    """Whether a listener speaks TLS 1.0 and 1.1 too."""

    @property
    def given(self) -> bool:
        return bool(self.cert or self.key)

    def __str__(self) -> str:
        auth = str(self.client_cert_auth).lower()
        return (
            f"cert = {self.cert}, key = {self.key}, ca = {self.ca}, trusted-ca = {self.trusted_ca}, "
            f"client-cert-auth = {auth}"
        )


def peer_tls_files(config: Config) -> TlsFiles:
    """What peers show each other, as listeners and as those who dial."""
    return TlsFiles(
        config.peer_cert_file,
        config.peer_key_file,
        config.peer_ca_file,
        config.peer_trusted_ca_file,
        config.peer_client_cert_auth,
    )


def client_tls_files(config: Config) -> TlsFiles:
    """What listeners for clients show, and want to be shown."""
    return TlsFiles(
        config.cert_file,
        config.key_file,
        config.ca_file,
        config.trusted_ca_file,
        config.client_cert_auth,
        config.allow_old_tls,
    )


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """For a listener. Clients must show a certificate with ``client_cert_auth``, or with the old
    ``ca``.

    Without a CA such certificates are checked against the system's. Raises TlsError.
    """
    context = ListenerContext(ssl.PROTOCOL_TLS_SERVER)
    if files.allow_old:
        _allow_old(context)
    _load(context, files, with_pair=True)
    if files.ca or files.client_cert_auth:
        context.verify_mode = ssl.CERT_REQUIRED
        if not files.ca and not files.trusted_ca:
            context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    return context


def _allow_old(context: ssl.SSLContext) -> None:
    if not ssl.HAS_TLSv1:
        raise TlsError(f"--allow-old-tls: {ssl.OPENSSL_VERSION} of this Python speaks no TLS 1.0 and 1.1")
    context.set_ciphers(_OLD_CIPHERS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is why it has to be asked for
        context.minimum_version = ssl.TLSVersion.TLSv1


_OLD_CIPHERS = (
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE+AES:AESGCM:AES:!aNULL:!eNULL:!aDSS:!PSK:!SRP:@SECLEVEL=0"
)
"""Of the old versions those with AES; level 0 allows SHA-1, by which they sign."""


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """For connections to peers: they are shown the certificate, where there is one, and must have one of the CAs', or
    of the system's where there is none. Raises TlsError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _load(context, files, with_pair=files.given)
    if not files.ca and not files.trusted_ca:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def _load(context: ssl.SSLContext, files: TlsFiles, *, with_pair: bool) -> None:
    """The certificate and its key, if it is to have them, and the CAs."""
    if with_pair and not (files.cert and files.key):
        raise TlsError(f"KeyFile and CertFile must both be present[key: {files.key}, cert: {files.cert}]")
    for path in (files.cert, files.key, files.ca, files.trusted_ca):
        _check_readable(path)
    if with_pair:
        try:
            context.load_cert_chain(files.cert, files.key, password=lambda: _no_passphrase(files.key))
        except (OSError, ValueError) as error:
            raise TlsError(
                f"cert-file {files.cert} and key-file {files.key} cannot be used: {_reason(error)}"
            ) from error
    for path in (files.ca, files.trusted_ca):
        if path:
            try:
                context.load_verify_locations(path)
            except ssl.SSLError as error:
                raise TlsError(f"CA file {path} cannot be used: {_reason(error)}") from error


def _no_passphrase(key: str) -> NoReturn:
    """For what would ask for one on the terminal, where there may be nobody."""
    raise TlsError(
        f"tls: failed to parse private key: key-file {key} has a passphrase, which nobody is asked for. "
        f"Take it off: openssl pkey -in {key} -out NEW"
    )


def _check_readable(path: str) -> None:
    if not path:
        return
    try:
        with Path(path).open("rb"):
            pass
    except OSError as error:
        raise TlsError(f"open {path}: {(error.strerror or str(error)).lower()}") from error


def _reason(error: Exception) -> str:
    reason = error.reason if isinstance(error, ssl.SSLError) else ""
    return (reason or str(error)).lower().replace("_", " ")
