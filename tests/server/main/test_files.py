"""How open files are shared out."""

from hypothesis import given
from hypothesis import strategies as st

from server.files import OWN, share_out


@given(st.integers(0, 2_000_000))
def test_files_for_logs_and_members_are_left_whatever_the_limit(limit: int) -> None:
    files = share_out(limit)
    if limit <= OWN:
        assert files is None
        return
    assert files is not None
    assert files.clients >= 1
    assert 60 <= files.peers <= 250
    assert limit - files.clients - files.peers == OWN - 60


def test_the_usual_limits() -> None:
    shared = [share_out(limit) for limit in (151, 400, 1024, 65536)]
    assert shared == [(1, 60), (250, 60), (832, 102), (65196, 250)]
