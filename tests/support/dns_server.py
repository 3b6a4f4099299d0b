"""A DNS server on loopback, made with dnspython, for the tests of SRV look-ups: UDP and TCP on one port, threads inside.

It answers from a zone file's lines and can be told to misbehave the ways real servers do. A name that is not in the zone
is NXDOMAIN, a name without records of the type asked for an empty answer.
"""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.zone

from tests.support.ports import free_ports

_HEAD = "$TTL 60\n@ SOA ns.invalid. hostmaster.invalid. 1 60 60 60 60\n@ NS ns.invalid.\n"


class DnsServer:
    """A context manager. ``zone`` is zone-file lines with absolute names, e.g.
    ``_etcd-server._tcp.example.com. SRV 0 0 2380 infra0.example.com.``; answers keep the order of the lines.

    May be changed at any time: ``zone`` (through ``set_zone``), ``delay`` (seconds before each answer), ``rcode`` (answers
    that and nothing else, e.g. ``dns.rcode.SERVFAIL``), ``truncate`` (UDP answers are empty and say TC, TCP has all),
    ``silent`` (asked and never answers). ``asked`` is every question so far: (name, type, "udp" or "tcp").
    """

    def __init__(self, zone: str = "", address: str = "127.0.0.1", port: int = 0) -> None:
        self.set_zone(zone)
        self.delay = 0.0
        self.rcode = dns.rcode.NOERROR
        self.truncate = False
        self.silent = False
        self.asked: list[tuple[str, str, str]] = []
        self._stopping = threading.Event()
        self._tcp = _TcpServer((address, port or free_ports(1)[0]), self)
        self._udp = _UdpServer((address, self._tcp.socket.getsockname()[1]), self)
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            for server in (self._tcp, self._udp)
        ]

    @property
    def address(self) -> str:
        """``HOST:PORT``, as ``--dns-server`` takes it."""
        host, port = self._udp.socket.getsockname()
        return f"{host}:{port}"

    def set_zone(self, zone: str) -> None:
        self._zone = dns.zone.from_text(
            _HEAD + zone, origin=".", relativize=False, check_origin=False, allow_include=False
        )

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        for server in (self._tcp, self._udp):
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    def answer(self, wire: bytes, transport: str) -> bytes | None:
        """What goes back for a query, None for nothing."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        self.asked.append((question.name.to_text(), dns.rdatatype.to_text(question.rdtype), transport))
        if self.delay:
            self._stopping.wait(self.delay)
        if self.silent or self._stopping.is_set():
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        response.set_rcode(self.rcode)
        if self.rcode == dns.rcode.NOERROR:
            self._fill_in(response, question.name, question.rdtype)
        if self.truncate and transport == "udp":
            response.flags |= dns.flags.TC
            response.answer.clear()
        return response.to_wire(max_size=65535)

    def _fill_in(
        self, response: dns.message.Message, name: dns.name.Name, rdtype: dns.rdatatype.RdataType
    ) -> None:
        """The records of a name, and before them the aliases on the way to it."""
        if self._zone.get_node(name) is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            return
        aliases = self._zone.get_rdataset(name, dns.rdatatype.CNAME)
        records = aliases or self._zone.get_rdataset(name, rdtype)
        if records is None:
            return
        found = response.find_rrset(
            response.answer, name, dns.rdataclass.IN, records.rdtype, create=True, force_unique=True
        )
        for record in records:
            found.add(record, records.ttl)
        if aliases and rdtype != dns.rdatatype.CNAME:
            self._fill_in(response, aliases[0].target, rdtype)


class _UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], dns_server: DnsServer) -> None:
        self.dns_server = dns_server
        super().__init__(address, _UdpHandler)


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _UdpServer

    def handle(self) -> None:
        wire, sock = self.request
        answer = self.server.dns_server.answer(wire, "udp")
        if answer is not None:
            sock.sendto(answer, self.client_address)


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], dns_server: DnsServer) -> None:
        self.dns_server = dns_server
        super().__init__(address, _TcpHandler)


class _TcpHandler(socketserver.StreamRequestHandler):
    server: _TcpServer

    def handle(self) -> None:
        self.request.settimeout(60)
        while len(size := self.rfile.read(2)) == 2:
            wire = self.rfile.read(int.from_bytes(size, "big"))
            answer = self.server.dns_server.answer(wire, "tcp")
            if answer is None:
                return
            self.wfile.write(len(answer).to_bytes(2, "big") + answer)


def unused_address() -> str:
    """``HOST:PORT`` where no DNS server listens."""
    return f"127.0.0.1:{free_ports(1)[0]}"
