"""An HTTP proxy on loopback, as small as can be: passes requests with absolute URLs on."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class ForwardProxy:
    """A context manager. ``asked`` is every request line so far, without the version."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def _forward(self) -> None:
                proxy.asked.append(f"{self.command} {self.path}")
                url = urlsplit(self.path)
                connection = http.client.HTTPConnection(url.netloc, timeout=20)
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

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
