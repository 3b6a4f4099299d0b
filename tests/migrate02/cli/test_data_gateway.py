"""What ``migrate02 data --gateway`` prints; what it writes is in ``tests/server/gateway`` and ``tests/e2e``."""

from pathlib import Path

import pytest

from migrate02.cli.main import main
from server.config.gateway import GatewaySettings
from server.gateway import offline
from server.gateway.importing import Imported
from server.store.snapshot import FrozenStore
from tests.support import datadirs04


def test_the_line_that_starts_gateways_has_all_that_was_given_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With another prefix gateways would find no keys."""
    given: list[GatewaySettings] = []

    def import_keys(settings: GatewaySettings, _: FrozenStore) -> Imported:
        given.append(settings)
        return Imported(1, 0, 5)

    monkeypatch.setattr(offline, "import_keys", import_keys)
    directory = datadirs04.unpack("s-cluster4to3", tmp_path)
    member = next(one.directory for one in datadirs04.recorded("member") if one.fixture == "s-cluster4to3")
    flags = ["--gateway-cacert", "/ca.pem", "--gateway-data-prefix", "/old", "--gateway-meta-prefix", "own/"]
    words = ["--gateway", "https://a:1,https://b:1", *flags, "--gateway-user", "root:secret"]
    assert main(["data", str(directory / member), *words]) in (0, 2)
    out = capsys.readouterr().out
    start = f"etcd02 --engine gateway --gateway-endpoints https://a:1,https://b:1 {' '.join(flags)}"
    assert f"  start gateways with: {start}, and the password of root\n" in out
    assert given[0].password == "secret"
