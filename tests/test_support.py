"""What the helpers of the tests do where a program is missing."""

import pytest

from tests.support.real_etcd import required, required_tool


def test_a_missing_etcd_skips_a_test_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install it"):
        required(None, "apt-get install it")


def test_on_ci_a_missing_program_fails_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="a real etcd: apt-get install it"):
        required(None, "apt-get install it")
    with pytest.raises(pytest.fail.Exception, match="needs no-such-tool: apt-get install no-such-tool"):
        required_tool("no-such-tool")
