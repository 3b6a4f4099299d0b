"""/v2/stats, /version, /health and /debug/vars: documents as etcd 2.3.8 writes them."""

import json
import resource
from pathlib import Path

import pytest

from server.http.messages import Headers
from server.raft import RaftRole
from tests.support.served import FORM, JSON, MEMBER_ID, NOSNIFF, TEXT, Served, serve

EXACT = ("/v2/stats/self", "/v2/stats/leader", "/v2/stats/store", "/version", "/health", "/debug/vars")


@pytest.mark.parametrize("path", EXACT)
@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "PATCH"])
def test_only_get_is_allowed(tmp_path: Path, path: str, method: str) -> None:
    async def test(served: Served) -> None:
        got = await served.ask(method, path)
        assert (got.status, got.headers, got.body) == (
            405,
            (("Allow", "GET"), TEXT, NOSNIFF),
            b"Method Not Allowed\n",
        )

    serve(tmp_path / "d", test)


@pytest.mark.parametrize("path", [*(f"{path}/" for path in EXACT), "/v2/stats", "/v2/stats/", "/debug/pprof"])
def test_paths_are_exact(tmp_path: Path, path: str) -> None:
    async def test(served: Served) -> None:
        assert (await served.ask("GET", path)).status == 404

    serve(tmp_path / "d", test)


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/version", (JSON,), '{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}'),
        ("/health", (TEXT,), '{"health": "true"}'),
        ("/v2/stats/leader", (JSON,), f'{{"leader":"{MEMBER_ID}","followers":{{}}}}'),
    ],
)
def test_documents_of_a_healthy_member(tmp_path: Path, path: str, headers: Headers, body: str) -> None:
    async def test(served: Served) -> None:
        got = await served.ask("GET", path)
        assert (got.status, got.headers, got.body) == (200, headers, body.encode())

    serve(tmp_path / "d", test)


def test_the_version_of_the_cluster_is_not_decided_at_first(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        served.node.members.version = None
        assert (
            await served.ask("GET", "/version")
        ).body == b'{"etcdserver":"2.3.8","etcdcluster":"not_decided"}'

    serve(tmp_path / "d", test)


def test_stats_of_the_member_itself(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        node = served.node
        node.started_at, node.leadership.leader_since = 1_500_000_000_100_000_000, 1_500_000_001_000_000_000
        node.clock = lambda: 1_500_000_124_450_000_000
        got = await served.ask("GET", "/v2/stats/self")
        assert (got.status, got.headers) == (200, (JSON,))
        assert got.body.decode() == (
            f'{{"name":"a","id":"{MEMBER_ID}","state":"StateLeader","startTime":"2017-07-14T02:40:00.1Z",'
            f'"leaderInfo":{{"leader":"{MEMBER_ID}","uptime":"2m3.45s","startTime":"2017-07-14T02:40:01Z"}},'
            '"recvAppendRequestCnt":0,"sendAppendRequestCnt":0}'
        )

    serve(tmp_path / "d", test)


def test_who_has_never_seen_a_leader_names_none_and_counts_from_its_start(tmp_path: Path) -> None:
    async def add(served: Served) -> None:
        body = '{"peerURLs":["http://127.0.0.1:7"]}'
        assert (await served.ask("POST", "/v2/members", body, "application/json")).status == 201

    async def test(served: Served) -> None:
        served.node.raft.role = RaftRole.CANDIDATE  # which is never said
        info = json.loads((await served.ask("GET", "/v2/stats/self")).body)
        assert info["state"] == "StateFollower"
        assert info["leaderInfo"]["leader"] == ""
        assert info["leaderInfo"]["startTime"] == info["startTime"]
        leader = await served.ask("GET", "/v2/stats/leader")
        assert (leader.status, leader.headers, leader.body) == (
            403,
            (JSON,),
            b'{"message":"not current leader"}',
        )
        raft = json.loads((await served.ask("GET", "/debug/vars")).body)["raft.status"]
        assert (raft["lead"], raft["raftState"], raft["progress"]) == ("0", "StateCandidate", {})

    serve(tmp_path / "d", add)
    serve(tmp_path / "d", test, wait_for_leader=False)


def test_the_counters_of_the_store_are_etcds(tmp_path: Path) -> None:
    """The requests and what 2.3.8 counted for them, but for gets: there the question whether auth is on counts too."""
    requests = """
        PUT /a value=1 | GET /a | GET /a?recursive=true | GET /zz | GET /a?quorum=true | HEAD /a
        PUT /a/b value=1 | POST /a value=1 | POST /q value=1
        PUT /a value=2&prevValue=1 | PUT /a value=2&prevValue=1
        PUT /a value=3&prevExist=true | PUT /n value=3&prevExist=true | PUT /a value=3&prevExist=false
        PUT / value=3 | DELETE / | DELETE /q | DELETE /q?dir=true
        DELETE /a?prevValue=9 | DELETE /a?prevValue=3 | DELETE /a
        PUT /d dir=true | PUT /d dir=true | PUT /d dir=true&prevExist=true&ttl=100 | PUT /d value=x&prevExist=true
        PUT /d value=x&prevValue=true | PUT / value=x&prevValue=true | PUT / value=x&prevExist=true
        POST / value=x | DELETE /d?prevIndex=3 | DELETE /nn?prevIndex=3 | PUT /r refresh=true&ttl=5
    """

    async def test(served: Served) -> None:
        for request in requests.replace("\n", "|").split("|"):
            if request.strip():
                method, key, *body = request.split()
                await served.ask(method, f"/v2/keys{key}", "".join(body), FORM)
        got = await served.ask("GET", "/v2/stats/store")
        assert (got.status, got.headers) == (200, (JSON,))
        counted = json.loads(got.body)
        assert list(counted)[:2] == ["getsSuccess", "getsFail"]
        del counted["getsSuccess"], counted["getsFail"]
        assert json.dumps(counted, separators=(",", ":")) == (
            '{"setsSuccess":4,"setsFail":5,"deleteSuccess":1,"deleteFail":3,"updateSuccess":4,"updateFail":1,'
            '"createSuccess":3,"createFail":2,"compareAndSwapSuccess":2,"compareAndSwapFail":2,'
            '"compareAndDeleteSuccess":3,"compareAndDeleteFail":1,"expireCount":0,"watchers":0}'
        )

    serve(tmp_path / "d", test)


def test_the_variables_are_one_object_a_line_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.orig_argv", ["etcd", "--name", "<a>"])

    async def test(served: Served) -> None:
        got = await served.ask("GET", "/debug/vars")
        last = served.node.raft.log.last_index
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert (got.status, got.headers) == (200, (("Content-Type", "application/json; charset=utf-8"),))
        assert got.body.decode() == (
            '{\n"cmdline": ["etcd","--name","\\u003ca\\u003e"],\n'
            f'"file_descriptor_limit": {limit},\n'
            f'"raft.status": {{"id":"{MEMBER_ID}","term":2,"vote":"{MEMBER_ID}","commit":{last},'
            f'"lead":"{MEMBER_ID}","raftState":"StateLeader","progress":{{"{MEMBER_ID}":'
            f'{{"match":{last},"next":{last + 1},"state":"ProgressStateProbe"}}}}}}\n}}\n'
        )

    serve(tmp_path / "d", test)
