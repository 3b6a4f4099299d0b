"""What goes wrong on the way to another server, in the words that Go, and so etcd, has for it."""

import asyncio
import os
import ssl

import aiohttp


def in_go_words(error: BaseException) -> str:
    """For the exceptions of aiohttp's client, and those that sockets and TLS raise below it."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return in_go_words(error.certificate_error)
        case ssl.SSLCertVerificationError():
            reason = error.verify_message or str(error)
            return f"x509: {_CERTIFICATES.get(reason, reason)}"
        case aiohttp.ClientConnectorDNSError():
            return f"dial tcp: lookup {error.host}: no such host"
        case aiohttp.ClientConnectorError():
            return f"dial tcp {error.host}:{error.port}: connect: {_reason(error.os_error)}"
        case aiohttp.ServerDisconnectedError():
            return "EOF"
        case aiohttp.ClientPayloadError():
            return "unexpected EOF"
        case aiohttp.InvalidURL():
            return "parse: the URL cannot be dialled"
        case aiohttp.ClientResponseError():
            return f"malformed HTTP response: {_first_line(error.message)}"
        case asyncio.TimeoutError():
            return "i/o timeout"
        case OSError():
            return _reason(error)
        case _:
            return _first_line(str(error)) or type(error).__name__


_CERTIFICATES = dict.fromkeys(
    (
        "unable to get local issuer certificate",
        "self-signed certificate",
        "self-signed certificate in certificate chain",
    ),
    "certificate signed by unknown authority",
)


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"tls: {(error.reason or str(error)).lower().replace('_', ' ')}"
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _first_line(text: str) -> str:
    """Not much of it either: it may show what a server sent."""
    return text.strip().partition("\n")[0][:200]
