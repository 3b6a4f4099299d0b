"""/mod/v2/lock and /mod/v2/leader: statuses and words as recorded from an etcd 0.4.9 that has its modules on, and a lock
that only one has at a time."""

import asyncio
from pathlib import Path

import pytest

from server.api.legacy import lock as lock_room
from server.http.messages import Response
from server.node import NodeFailed
from server.store import EtcdError
from tests.support.served import CLUSTER, FORM, JSON, NOSNIFF, TEXT, Served, serve

LOCK, LEADER = "/mod/v2/lock/k", "/mod/v2/leader/k"
EMPTY = Response(200)


def said(words: str) -> Response:
    return Response(200, (TEXT,), words.encode())


def failed(words: str) -> Response:
    return Response(500, (TEXT, NOSNIFF), f"{words}\n".encode())


def refused(status: int, code: int, message: str, cause: str) -> Response:
    body = f'{{"errorCode":{code},"message":"{message}","cause":"{cause}","index":0}}\n'
    return Response(status, (JSON, CLUSTER, ("X-Etcd-Index", "0")), body.encode())


def queue(served: Served, name: str = "k") -> list[bytes]:
    """The values of those who have the lock or wait for it, in this order."""
    try:
        found = served.node.store.get(f"/1/_etcd/mod/lock/{name}", sorted=True, now=0).node
    except EtcdError:
        return []
    return [node.value or b"" for node in found.nodes or ()]


async def post(served: Served, form: str, path: str = LOCK) -> Response:
    return await served.ask("POST", path, form, FORM)


async def ask_and_wait(served: Served, form: str) -> "asyncio.Task[Response]":
    """A request for the lock that stands in the queue now."""
    before = len(queue(served))
    task = asyncio.create_task(post(served, form))
    while len(queue(served)) == before or not served.node.store.watchers:
        await asyncio.sleep(0.001)
    return task


def test_a_lock_is_taken_shown_renewed_and_released(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        index = served.node.store.index + 1
        assert await post(served, "ttl=60&value=me") == said(str(index))
        assert await served.ask("GET", LOCK) == said("me")
        assert await served.ask("GET", f"{LOCK}?field=index") == said(str(index))
        assert await served.ask("PUT", LOCK, f"ttl=60&index={index}", FORM) == EMPTY
        assert await served.ask("PUT", LOCK, "ttl=60&value=me", FORM) == EMPTY
        assert await served.ask("GET", LOCK) == said("me")
        assert await served.ask("DELETE", f"{LOCK}?index={index}") == EMPTY
        assert await served.ask("GET", LOCK) == EMPTY
        assert await post(served, "ttl=60", "/mod/v2/lock/k/") == said(str(served.node.store.index - 1))
        assert await served.ask("GET", LOCK) == EMPTY  # held, by someone without a value
        assert queue(served) == [b""]

    serve(tmp_path / "d", test, legacy=True)


def test_parameters_may_stand_in_the_query(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        got = await served.ask("POST", f"{LOCK}?ttl=60&value=me&timeout=0")
        assert (got.status, queue(served)) == (200, [b"me"])
        assert await served.ask("DELETE", f"{LOCK}?value=me") == EMPTY

    serve(tmp_path / "d", test, legacy=True)


@pytest.mark.parametrize(
    ("method", "target", "answer"),
    [
        ("POST", LOCK, refused(400, 202, "The given TTL in POST form is not a number", "Acquire")),
        (
            "POST",
            f"{LOCK}?ttl=1&timeout=x",
            refused(400, 205, "The given timeout in POST form is not a number", "Acquire"),
        ),
        ("PUT", f"{LOCK}?ttl=60", refused(400, 207, "Index or value is required", "Renew")),
        (
            "PUT",
            f"{LOCK}?ttl=&value=me",
            refused(400, 202, "The given TTL in POST form is not a number", "Renew"),
        ),
        ("PUT", f"{LOCK}?ttl=60&value=none", refused(404, 100, "Key not found", "Renew")),
        ("DELETE", LOCK, refused(400, 207, "Index or value is required", "Release")),
        ("DELETE", f"{LOCK}?value=none", refused(404, 100, "Key not found", "Release")),
        (
            "DELETE",
            f"{LOCK}?value=me&index=3",
            refused(400, 208, "Index and value cannot both be specified", "Release"),
        ),
        ("GET", f"{LOCK}?field=nope", refused(400, 209, "Invalid field", "Get")),
        ("PUT", LEADER, refused(400, 206, "Name is required in POST form", "Set")),
        (
            "PUT",
            f"{LEADER}?name=x",
            refused(400, 202, "The given TTL in POST form is not a number", "Acquire"),
        ),
        ("DELETE", LEADER, refused(400, 206, "Name is required in POST form", "Delete")),
        ("DELETE", f"{LEADER}?name=x", refused(404, 100, "Key not found", "Release")),
    ],
)
def test_refusals(tmp_path: Path, method: str, target: str, answer: Response) -> None:
    async def test(served: Served) -> None:
        await post(served, "ttl=60&value=me")
        assert await served.ask(method, target) == answer
        assert queue(served) == [b"me"]

    serve(tmp_path / "d", test, legacy=True)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("HEAD", LOCK),
        ("PATCH", LOCK),
        ("POST", LEADER),
        ("GET", "/mod/v2/lock"),
        ("GET", "/mod/v2/lock/"),
        ("GET", "/mod/v2/nothing/k"),
        ("GET", "/mod/v1/lock/k"),
    ],
)
def test_what_the_modules_did_not_have_is_404(tmp_path: Path, method: str, target: str) -> None:
    async def test(served: Served) -> None:
        assert await served.ask(method, target) == Response(404, (TEXT, NOSNIFF), b"404 page not found\n")

    serve(tmp_path / "d", test, legacy=True)


def test_what_is_not_there_is_told_in_the_words_of_0_4s_client(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        got = await served.ask("GET", LOCK)
        assert got == failed(f"100: Key not found (/_etcd) [{served.node.store.index}]")
        await post(served, "ttl=60&value=me")
        for method in ("PUT", "DELETE"):
            for index in ("99", "x", "-1", "%ff"):
                got = await served.ask(method, f"{LOCK}?ttl=60&index={index}")
                assert got.status == 500
                assert got.body.startswith(b"100: Key not found (/_etcd/mod/lock/k/")

    serve(tmp_path / "d", test, legacy=True)


def test_who_does_not_get_it_leaves_no_entry(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        await post(served, "ttl=60&value=a")
        assert await post(served, "ttl=60&value=b&timeout=0") == failed("failed to acquire lock")
        assert await post(served, "ttl=60&value=b&timeout=1") == failed("lock watch closed")
        assert queue(served) == [b"a"]
        assert served.node.store.watchers == 0

    serve(tmp_path / "d", test, legacy=True)


def test_the_lock_goes_to_who_has_waited_longest(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        await post(served, "ttl=60&value=a")
        waiting = [await ask_and_wait(served, f"ttl=60&value={name}") for name in "bcd"]
        for expected, task in zip("bcd", waiting, strict=True):
            holder = (await served.ask("GET", LOCK)).body.decode()
            assert not task.done()
            await served.ask("DELETE", f"{LOCK}?value={holder}")
            assert (await task).status == 200
            assert (await served.ask("GET", LOCK)).body.decode() == expected
        assert queue(served) == [b"d"]

    serve(tmp_path / "d", test, legacy=True)


def test_who_waits_goes_on_waiting_while_the_holder_renews(tmp_path: Path) -> None:
    """0.4.9 gave the lock to a second one then."""

    async def test(served: Served) -> None:
        await post(served, "ttl=60&value=a")
        second = await ask_and_wait(served, "ttl=60&value=b")
        for _ in range(3):
            assert await served.ask("PUT", LOCK, "ttl=60&value=a", FORM) == EMPTY
        await asyncio.sleep(0.05)
        assert not second.done()
        assert (await served.ask("GET", LOCK)).body == b"a"
        await served.ask("DELETE", f"{LOCK}?value=a")
        assert (await second).status == 200

    serve(tmp_path / "d", test, legacy=True)


def test_one_that_gives_up_in_the_middle_lets_nobody_pass(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        await post(served, "ttl=60&value=a")
        middle = await ask_and_wait(served, "ttl=60&value=b")
        last = await ask_and_wait(served, "ttl=60&value=c")
        middle.cancel()
        while queue(served) != [b"a", b"c"]:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        assert not last.done()
        await served.ask("DELETE", f"{LOCK}?value=a")
        assert (await last).status == 200

    serve(tmp_path / "d", test, legacy=True)


def test_who_hangs_up_before_the_entry_is_made_leaves_none(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        await post(served, "ttl=60&value=a")
        task = asyncio.create_task(post(served, "ttl=60&value=b"))
        while served.node.pending == 0:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await post(served, "ttl=60&value=c&timeout=0")  # goes through the log behind it
        while b"b" in queue(served):
            await asyncio.sleep(0.001)
        assert queue(served) == [b"a"]

    serve(tmp_path / "d", test, legacy=True)


def test_who_waits_keeps_its_place_however_short_its_ttl(tmp_path: Path) -> None:
    """0.4.9 lost it, and took that for its turn."""

    async def test(served: Served) -> None:
        await post(served, "ttl=60&value=a")
        second = await ask_and_wait(served, "ttl=1&value=b")
        await asyncio.sleep(2.2)
        assert (queue(served), second.done()) == ([b"a", b"b"], False)
        second.cancel()

    serve(tmp_path / "d", test, legacy=True)


def test_a_lock_ends_with_its_ttl_and_the_next_has_it(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        await post(served, "ttl=1&value=a")
        second = await ask_and_wait(served, "ttl=60&value=b")
        assert (await asyncio.wait_for(second, 60)).status == 200
        assert queue(served) == [b"b"]

    serve(tmp_path / "d", test, legacy=True)


def test_who_has_lost_its_entry_does_not_get_the_lock(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        await post(served, "ttl=60&value=a")
        second = await ask_and_wait(served, "ttl=60&value=b")
        await served.ask("DELETE", f"{LOCK}?value=b")
        await served.ask("DELETE", f"{LOCK}?value=a")
        assert await second == failed("lock watch closed")

    serve(tmp_path / "d", test, legacy=True)


def test_what_no_watcher_is_told_of_is_seen_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when this member is sent a snapshot in which the holder is gone."""
    monkeypatch.setattr(lock_room, "LOOK_AGAIN", 0.1)

    async def test(served: Served) -> None:
        await post(served, "ttl=0&value=a")
        second = await ask_and_wait(served, "ttl=0&value=b")
        without_a = served.node.store
        path = next(entry.path for entry in lock_room.Lock(served.node, "/1/_etcd/mod/lock/k").queue())
        hub, without_a._hub = without_a._hub, type(without_a._hub)()
        without_a.delete(path, now=0)
        without_a._hub = hub
        assert (await asyncio.wait_for(second, 60)).status == 200

    serve(tmp_path / "d", test, legacy=True)


def test_the_same_value_is_the_same_entry(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        first = await post(served, "ttl=60&value=a")
        assert await post(served, "ttl=60&value=a") == first
        waiting = await ask_and_wait(served, "ttl=60&value=b")
        assert await post(served, "ttl=60&value=b&timeout=0") == failed("failed to acquire lock")
        assert queue(served) == [b"a"]  # they shared the entry
        await served.ask("DELETE", f"{LOCK}?value=a")
        assert await waiting == failed("lock watch closed")

    serve(tmp_path / "d", test, legacy=True)


def test_a_ttl_of_0_has_no_end(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        await post(served, "ttl=0&value=a")
        found = served.node.store.get("/1/_etcd/mod/lock/k", now=0).node
        assert [node.expiration for node in found.nodes or ()] == [None]

    serve(tmp_path / "d", test, legacy=True)


def test_a_lock_below_another_is_none_of_its_entries(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        assert (await post(served, "ttl=60&value=x", "/mod/v2/lock/k/1")).status == 200
        assert (await post(served, "ttl=60&value=y&timeout=0")).status == 200
        assert (await served.ask("GET", LOCK)).body == b"y"

    serve(tmp_path / "d", test, legacy=True)


def test_entries_that_0_4_made_count(tmp_path: Path) -> None:
    """Their names are not padded, so that they do not sort as text."""

    async def test(served: Served) -> None:
        for index, value in ((9, b"first"), (10, b"second")):
            served.node.store.set(f"/1/_etcd/mod/lock/k/{index}", value, now=0)
        assert await served.ask("GET", LOCK) == said("first")
        assert await served.ask("GET", f"{LOCK}?field=index") == said("9")
        assert await served.ask("DELETE", f"{LOCK}?index=9") == EMPTY
        assert await served.ask("GET", LOCK) == said("second")

    serve(tmp_path / "d", test, legacy=True)


def test_a_log_that_takes_nothing_is_error_300(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        served.node.failed.set_exception(NodeFailed("no disk"))
        served.node.failed.exception()
        got = await post(served, "ttl=60&value=a")
        assert got == failed("300: Raft Internal Error (etcdserver: server stopped) [0]")

    serve(tmp_path / "d", test, legacy=True)


def test_a_leader_is_who_holds_the_lock_of_that_name(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        index = served.node.store.index + 1
        assert await served.ask("PUT", f"{LEADER}?ttl=60", "name=s1", FORM) == said(str(index))
        assert await served.ask("PUT", f"{LEADER}?ttl=60", "name=s1", FORM) == said(str(index))
        assert await served.ask("PUT", f"{LEADER}?ttl=60&timeout=1", "name=s2", FORM) == failed(
            "lock watch closed"
        )
        assert await served.ask("GET", LEADER) == said("s1")
        assert await served.ask("GET", LOCK) == said("s1")
        assert await served.ask("DELETE", f"{LEADER}?name=s1") == EMPTY
        assert await served.ask("GET", LEADER) == EMPTY

    serve(tmp_path / "d", test, legacy=True)
