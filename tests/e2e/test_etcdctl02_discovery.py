"""etcdctl02 finds the bundled server by SRV records, writes and reads."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.support.dns_server import DnsServer
from tests.support.process import Member

pytestmark = pytest.mark.slow


def test_a_key_is_set_and_read_in_a_cluster_that_only_dns_knows(tmp_path: Path) -> None:
    script = Path(sysconfig.get_path("scripts")) / "etcdctl02"
    member = Member(tmp_path / "d")
    member.settings["advertise-client-urls"] = f"http://infra0.example.com:{member.client_port}"
    zone = (
        f"_etcd-client._tcp.example.com. SRV 0 0 {member.client_port} infra0.example.com.\n"
        "infra0.example.com. A 127.0.0.1\n"
    )
    with DnsServer(zone) as dns, member.start():
        env = {"ETCD_DNS_SERVER": dns.address}
        find = [str(script), "--discovery-srv", "example.com"]
        written = subprocess.run([*find, "set", "foo", "bar"], env=env, capture_output=True, text=True)
        assert (written.returncode, written.stdout, written.stderr) == (0, "bar\n", "")
        read = subprocess.run([*find, "get", "foo"], env=env, capture_output=True, text=True)
        assert (read.returncode, read.stdout, read.stderr) == (0, "bar\n", "")
        assert ("infra0.example.com.", "A", "udp") in dns.asked
