"""The guide's chapter on DNS: records, bootstrap by names and by addresses, proxies, clients, and the error case."""

import os
import shutil

import dns.message
import dns.query
import pytest

from tests.guide.examples import EXAMPLES
from tests.guide.services import name_server
from tests.guide.walking import TLS, Guide, is_one_cluster, words
from tests.guide.worlds import BOTH
from tests.support.process import PATIENCE

pytestmark = pytest.mark.slow

RECORDS = ("records-of-servers", "records-of-clients", "records-of-hosts")
ZONE = "".join(EXAMPLES[id].prints for id in RECORDS)
"""All that the guide's dig is answered."""


def records(containing: str = "") -> str:
    return "".join(line for line in ZONE.splitlines(keepends=True) if containing in line)


def answered(guide: Guide, id: str) -> set[str]:
    """What a dig of the guide's prints; which server is asked is the only thing that it leaves open."""
    address, port = guide.world.dns_server()
    if shutil.which("dig") or os.environ.get("CI"):
        return as_one(guide.output(id, f"@{address}", "-p", str(port)))
    command = guide.take(id).command
    _, *names = (word for word in words(command) if not word.startswith("+"))
    kind = names.pop(0) if names[0] == "SRV" else "A"
    with guide.world.machine("client").inside():
        answers = [
            dns.query.udp(dns.message.make_query(name, kind), address, PATIENCE, port) for name in names
        ]
    return {line for answer in answers for rrset in answer.answer for line in rrset.to_text().splitlines()}


def as_one(text: str) -> set[str]:
    return {" ".join(line.split()) for line in text.splitlines()}


@pytest.mark.guide("records-of-servers", "records-of-clients", "records-of-hosts")
def test_the_records(guide: Guide) -> None:
    with name_server(guide, ZONE):
        for id in RECORDS:
            assert answered(guide, id) == as_one(guide.here(EXAMPLES[id].prints))


@pytest.mark.guide("names-infra0", "names-infra1", "names-infra2", "srv-proxy", "srv-client")
@BOTH
def test_three_find_each_other_by_names_and_so_do_their_proxies_and_clients(guide: Guide) -> None:
    with name_server(guide, ZONE):
        three = [guide.start(f"names-infra{n}") for n in range(3)]
        is_one_cluster(three)
        urls = [one["peerURLs"] for one in three[0].members()]
        assert urls == [[f"http://infra{n}.example.com:2380"] for n in range(3)]
        proxy = guide.start("srv-proxy", *only_on_loopback(guide)).from_its_machine()
        proxy.wait_until_serving()
        assert proxy.put("/through", "proxy").status == 201
        assert guide.output("srv-client") == "bar\n"
        assert proxy.get("/foo").json()["node"]["value"] == "bar"  # type: ignore[index]


def only_on_loopback(guide: Guide) -> tuple[str, ...]:
    """As etcd listens by default; but every machine of a world on loopback has a loopback address of its own."""
    return ("--listen-client-urls", "http://127.0.0.1:2379") if guide.here("127.0.0.1") != "127.0.0.1" else ()


@pytest.mark.guide("addresses-infra0", "addresses-infra1", "addresses-infra2")
def test_three_find_each_other_by_addresses(guide: Guide) -> None:
    with name_server(guide, ZONE):
        three = [guide.start(f"addresses-infra{n}") for n in range(3)]
        is_one_cluster(three)
        urls = [one["clientURLs"] for one in three[0].members()]
        assert urls == [[one.url] for one in three]


@pytest.mark.guide("srv-order", "names-infra0", "names-infra1", "names-infra2")
def test_records_of_tls_count_before_the_others(guide: Guide) -> None:
    """The plain ones lead to a member more, which would be waited for."""
    files = ("--peer-cert-file", str(TLS / "server.pem"), "--peer-key-file", str(TLS / "server.key"))
    secure = records("_etcd-server.").replace("_etcd-server.", "_etcd-server-ssl.")
    more = "_etcd-server._tcp.example.com. 300 IN SRV 0 0 2380 infra3.example.com.\n"
    with name_server(guide, ZONE + secure + more):
        is_one_cluster(
            three := [
                guide.start(
                    f"names-infra{n}",
                    *files,
                    *("--peer-trusted-ca-file", str(TLS / "ca.pem")),
                    instead={f"http://infra{n}.example.com:2380": f"https://infra{n}.example.com:2380"},
                )
                for n in range(3)
            ]
        )
        urls = [one["peerURLs"] for one in three[0].members()]
        assert urls == [[f"https://infra{n}.example.com:2380"] for n in range(3)]


@pytest.mark.guide("srv-name", "names-infra0")
def test_a_suffix_keeps_clusters_of_a_domain_apart(guide: Guide) -> None:
    of_foo = records("infra0").replace("_etcd-server.", "_etcd-server-foo.")
    with name_server(guide, records("_etcd-server.") + of_foo):
        member = guide.start("names-infra0", "-discovery-srv-name=foo")
        is_one_cluster([member])


@pytest.mark.guide("srv-clients-order", "names-infra0", "srv-client")
def test_clients_speak_tls_where_there_are_records_of_it(guide: Guide) -> None:
    files = ("--cert-file", str(TLS / "server.pem"), "--key-file", str(TLS / "server.key"))
    secure = records("infra0").replace("_etcd-client.", "_etcd-client-ssl.")
    with name_server(guide, secure):
        member = guide.start("names-infra0", *files, instead={CLIENTS: CLIENTS.replace("http:", "https:")})
        member.wait_for_line("published {Name:infra0")
        assert guide.output("srv-client") == "bar\n"


CLIENTS = "http://infra0.example.com:2379"


@pytest.mark.guide("names-infra0", "srv-not-found")
def test_a_member_that_no_record_leads_to(guide: Guide) -> None:
    others = "".join(line for line in ZONE.splitlines(keepends=True) if "2380 infra0" not in line)
    with name_server(guide, others):
        member = guide.start("names-infra0")
        assert member.popen.wait(PATIENCE) == EXAMPLES["srv-not-found"].exit
        guide.says_as_told("srv-not-found", member)
