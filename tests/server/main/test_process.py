"""What ends a process before or after it serves, seen from inside."""

import logging
from pathlib import Path

import pytest

from server import process
from server.config import Config, load
from server.process import Ended, serve


def test_a_fault_nobody_expected_is_one_line_and_status_1(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    def fails(config: Config) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(process, "_check_data_dir", fails)
    assert serve(load({"data-dir": str(tmp_path / "d")})) == Ended(1)
    (record,) = [record for record in caplog.records if record.levelno >= logging.CRITICAL]
    assert "unexpected RuntimeError: out of order at " in record.getMessage()
    assert record.exc_info is None
