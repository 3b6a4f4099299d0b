"""Three members with v2 content, cleaned one after the other while a client writes: nothing that was acknowledged is lost."""

from __future__ import annotations

import itertools
import json
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.migrate02.running import migrate02
from tests.support.etcd3 import Node, cluster_flags, encoded, etcd36
from tests.support.process import PATIENCE, request
from tests.support.real_etcd import HOW_35, etcd35, required

pytestmark = [pytest.mark.real_etcd, pytest.mark.slow]

WRITES_BETWEEN = 25
"""So many writes are acknowledged between two steps, at least."""


class Client:
    """Writes one key after the other, each until a member acknowledges it."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.acknowledged: dict[str, str] = {}
        self._nodes = itertools.cycle(nodes)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        for number in itertools.count():
            key, value = f"w/{number:05d}", f"value {number}"
            while not self._put(next(self._nodes), key, value):
                if self._stop.is_set():
                    return
            self.acknowledged[key] = value
            if self._stop.is_set():
                return

    @staticmethod
    def _put(node: Node, key: str, value: str) -> bool:
        body = json.dumps({"key": encoded(key), "value": encoded(value)}).encode()
        try:
            with urllib.request.urlopen(f"{node.url}/v3/kv/put", body, timeout=3) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.02)
            return False

    def wait_for_more(self) -> None:
        wanted, deadline = len(self.acknowledged) + WRITES_BETWEEN, time.monotonic() + PATIENCE
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline, "nothing is acknowledged any more"
            time.sleep(0.02)

    @contextmanager
    def writing(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()


@pytest.mark.parametrize("release", ["3.5", "3.6"])
def test_members_cleaned_in_turn_while_a_client_writes_lose_nothing(release: str, tmp_path: Path) -> None:
    old = required(etcd35(), HOW_35)
    new = old if release == "3.5" else etcd36()
    if new is None:
        pytest.skip("MIGRATE02_ETCD36 names no etcd 3.6")
    nodes = [Node(tmp_path / f"m{number}", "--snapshot-count=40") for number in range(3)]
    with ExitStack() as stack:
        for node in nodes:
            stack.enter_context(node)
            node.begin(old, "--enable-v2", cluster_flags(nodes))
        for node in nodes:
            node.wait()
        fill(nodes)
        client = Client(nodes)
        with client.writing():
            client.wait_for_more()
            if release == "3.6":  # a member of it dies of what one with the flag may write
                for node in nodes:
                    node.stop()
                    node.start(old)
                    client.wait_for_more()
            for node in nodes:
                node.stop()
                assert migrate02("v2store", "check", node.path).status == 1
                client.wait_for_more()
                run = migrate02("v2store", "clean", "--write", node.path)
                assert run.status == 0, run.err
                node.start(new)
                client.wait_for_more()
                assert all(one.runs for one in nodes)
        check_the_same(nodes, client.acknowledged)
        for node in nodes:
            node.stop()
    run = migrate02("v2store", "check", *(node.path for node in nodes))
    assert run.status == 0, run.out


def fill(nodes: Sequence[Node]) -> None:
    """With keys of v2 and v3, so many that both snapshot and log have some of v2."""
    for number in range(60):
        got = request(nodes[0].client_port, "PUT", f"/v2/keys/app/{number}", {"value": f"v2 {number}"})
        assert got.status == 201
        nodes[1].api.put(f"before/{number}", f"v3 {number}")
    for node in nodes:
        assert migrate02("v2store", "check", node.path).out.startswith("detected custom v2 content in both")


def check_the_same(nodes: Sequence[Node], acknowledged: dict[str, str]) -> None:
    first, *others = (node.api.served() for node in nodes)
    assert all(other == first for other in others)
    assert len(acknowledged) > 3 * WRITES_BETWEEN
    assert {key: first.keys.get(key) for key in acknowledged} == acknowledged
    assert sum(key.startswith("before/") for key in first.keys) == 60
    assert len(first.members) == 3
