"""An HTTP proxy on loopback, as small as can be: passes requests with absolute URLs on, and tunnels to those of https."""

import contextlib
import http.client
import socket
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class ForwardProxy:
    """A context manager. ``asked`` is every request line so far, without the version; ``hosts`` are names whose addresses
    it knows and the system does not."""

    def __init__(self, hosts: Mapping[str, str] | None = None, host: str = "127.0.0.1") -> None:
        self.asked: list[str] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def _forward(self) -> None:
                proxy.asked.append(f"{self.command} {self.path}")
                url = urlsplit(self.path)
                connection = http.client.HTTPConnection(url.netloc, timeout=60)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                kept = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                target = url.path + ("?" + url.query if url.query else "")
                connection.request(self.command, target, body or None, kept)
                answer = connection.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("X-Etcd-Index", answer.getheader("X-Etcd-Index", "0"))
                self.end_headers()
                self.wfile.write(content)
                connection.close()

            do_GET = do_PUT = _forward

            def do_CONNECT(self) -> None:
                proxy.asked.append(f"CONNECT {self.path}")
                host, _, port = self.path.rpartition(":")
                with socket.create_connection(((hosts or {}).get(host, host), int(port))) as server:
                    self.send_response(200)
                    self.end_headers()
                    back = threading.Thread(target=_pass_on, args=(server, self.connection))
                    back.start()
                    _pass_on(self.connection, server)
                    back.join()
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    """All that comes, until one side has ended; the other is then told."""
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
