"""A command as it was called, and the client its options ask for: which endpoints, which certificates, whose name."""

from __future__ import annotations

import time
from collections.abc import Mapping

from compat.etcdctl02.arguments import GivenOptions
from compat.etcdctl02.client import Client
from compat.etcdctl02.console import Console
from compat.etcdctl02.errors import (
    BAD_CONNECTION,
    SERVER_ERROR,
    ClientError,
    NoEndpoints,
    failed,
    plain,
)
from compat.etcdctl02.transport import Deadlines, Request, Resolve, TlsFiles, Transport

_DIAL_SECONDS = 30.0
_DEFAULT_ENDPOINTS = "http://127.0.0.1:2379,http://127.0.0.1:4001"
_DNS_VARIABLE = "ETCD_DNS_SERVER"


class Call:
    """``words`` are the command's arguments, ``options`` its own, ``program`` those of the whole program."""

    def __init__(
        self,
        words: list[str],
        options: GivenOptions,
        program: GivenOptions,
        environ: Mapping[str, str],
        console: Console,
    ) -> None:
        self.words = words
        self.options = options
        self.program = program
        self.environ = environ
        self.console = console
        self._credentials: tuple[str, str] | None = None

    @property
    def output_form(self) -> str:
        return self.program.text("output")

    @property
    def debug(self) -> bool:
        return self.program.switch("debug")

    def until(self) -> float:
        """When a command that begins now has to be done, on the monotonic clock."""
        return time.monotonic() + self.program.seconds("total-timeout")

    def setting(self, name: str, variable: str = "") -> str:
        """An option, else its ``ETCDCTL_`` variable."""
        named = variable or f"ETCDCTL_{name.upper().replace('-', '_')}"
        return self.program.text(name) or self.environ.get(named, "")

    def client(self) -> Client:
        """A client that knows the cluster's members, unless ``--no-sync`` was given. Raises Stop."""
        client = self.client_as_told()
        if not self.program.switch("no-sync"):
            self._trace(f"start to sync cluster using endpoints({','.join(client.endpoints)})\n")
            self._sync(client)
            self._trace(f"got endpoints({','.join(client.endpoints)}) after sync\n")
        self.trace_endpoints(client)
        return client

    def client_as_told(self) -> Client:
        """A client of the endpoints that were given. Raises Stop."""
        try:
            endpoints = self._endpoints()
            transport = self.transport()
            credentials = self._ask_credentials()
            return Client(
                endpoints,
                transport,
                _shuffle,
                timeout=self.program.seconds("timeout"),
                credentials=credentials,
                trace=self.console.err if self.debug else None,
            )
        except ClientError as error:
            raise plain(error) from error

    def transport(self) -> Transport:
        """Raises ClientError."""
        total = self.program.seconds("total-timeout")
        files = TlsFiles(self.setting("ca-file"), self.setting("cert-file"), self.setting("key-file"))
        return Transport(files, min(total, _DIAL_SECONDS) if total else _DIAL_SECONDS, self._resolver())

    def trace_endpoints(self, client: Client) -> None:
        self._trace(f"Cluster-Endpoints: {', '.join(client.endpoints)}\n")

    def _trace(self, text: str) -> None:
        if self.debug:
            self.console.err(text)

    def _endpoints(self) -> list[str]:
        domain = self.setting("discovery-srv")
        if domain:
            from compat.etcdctl02.discovery import discover

            return discover(domain, self.setting("discovery-srv-name"), self._dns_server())
        names = ("endpoints", "endpoint", "peers")
        listed = next(filter(None, map(self.setting, names)), _DEFAULT_ENDPOINTS)
        return [_endpoint(each) for each in listed.split(",")]

    def _dns_server(self) -> str:
        return self.setting("dns-server", _DNS_VARIABLE)

    def _resolver(self) -> Resolve | None:
        server = self._dns_server()
        if not server:
            return None
        from compat.etcdctl02.discovery import resolver

        return resolver(server)

    def _ask_credentials(self) -> tuple[str, str] | None:
        """Asked for once, however many clients are made. None without a name: a password alone is not sent."""
        user = self.setting("username")
        if user and self._credentials is None:
            self._credentials = name_and_password(user, "Password: ", self.console)
        return self._credentials if self._credentials and self._credentials[0] else None

    def _sync(self, client: Client) -> None:
        until = self.until()
        try:
            client.sync(until)
        except NoEndpoints as error:
            tried = ",".join(client.endpoints)
            stop = failed(SERVER_ERROR, error)
            stop.text = (
                "etcd cluster has no published client endpoints.\n"
                f"Try '--no-sync' if you want to access non-published client endpoints({tried}).\n{stop.text}"
            )
            raise stop from error
        except ClientError as error:
            if error.no_connection:
                raise failed(BAD_CONNECTION, error) from error
            self._sync_with_04(client)

    def _sync_with_04(self, client: Client) -> None:
        """0.4 has no ``/v2/members``, but lists the addresses of its machines."""
        try:
            client.use(_machines_of_04(self.transport(), client.endpoints, self.program.seconds("timeout")))
        except ClientError as error:
            raise failed(BAD_CONNECTION if error.no_connection else SERVER_ERROR, error) from error


def name_and_password(text: str, prompt: str, console: Console) -> tuple[str, str]:
    """``NAME:PASSWORD`` in two, or the password from whoever sits there."""
    name, colon, password = text.partition(":")
    return name, password if colon else console.ask(prompt)


def _shuffle(endpoints: list[str]) -> None:
    if len(endpoints) > 1:
        from random import shuffle

        shuffle(endpoints)


def _endpoint(text: str) -> str:
    """As it was given, or with ``http://`` in front. Raises ClientError for what is no URL."""
    from server.config.urls import UrlError, check_url

    text = text.strip()
    url = text if "://" in text else f"http://{text}"
    try:
        check_url(url)
    except UrlError as error:
        raise ClientError(str(error)) from error
    return url


def _machines_of_04(transport: Transport, endpoints: list[str], timeout: float) -> list[str]:
    """The first list that an endpoint has; if all answered and none with a list, one empty address."""
    failure: ClientError | None = None
    for endpoint in endpoints:
        failure = None
        until = time.monotonic() + timeout if timeout > 0 else None
        try:
            answer = transport.send(Request("GET", f"{endpoint}/v2/peers"), Deadlines(until, until))
        except ClientError as error:
            failure = error
            continue
        if answer.status == 200:
            return answer.body.decode("utf-8", "surrogateescape").split(", ")
    if failure is not None:
        raise failure
    return [""]
