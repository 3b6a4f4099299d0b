"""How etcdctl02 finds a cluster and goes from one endpoint to the next."""

from __future__ import annotations

import threading
import time

import pytest

from compat.etcdctl02.client import Action, Client, form
from compat.etcdctl02.errors import ClusterError, EtcdError, NoEndpoints, OutOfTime
from compat.etcdctl02.responses import read_response
from compat.etcdctl02.transport import TlsFiles, Transport
from tests.compat.etcdctl02.ran import run
from tests.compat.etcdctl02.scripted import Scripted, answer, members
from tests.support.ports import free_ports

NODE = {"action": "get", "node": {"key": "/a", "value": "one", "createdIndex": 5, "modifiedIndex": 5}}
FOUND = answer(200, NODE, "X-Etcd-Index: 7")
NOT_FOUND = answer(404, {"errorCode": 100, "message": "Key not found", "cause": "/a", "index": 7})
GET = Action("GET", "/v2/keys/a")


def client_of(*endpoints: str, timeout: float = 5.0) -> Client:
    """One that keeps the order of its endpoints."""
    return Client(endpoints, Transport(TlsFiles("", "", ""), 60.0), lambda listed: None, timeout=timeout)


def nobody() -> str:
    return f"http://127.0.0.1:{free_ports(1)[0]}"


def in_seconds(seconds: float) -> float:
    return time.monotonic() + seconds


def test_the_next_endpoint_is_asked_when_nobody_is_there_or_there_is_no_leader() -> None:
    with Scripted(answer(500)) as leaderless, Scripted(answer(503)) as starting, Scripted(FOUND) as well:
        client = client_of(nobody(), leaderless.url, starting.url, well.url)
        assert client.do(GET, None).status == 200
        assert client.do(GET, None).status == 200
        assert len(leaderless.asked) == len(starting.asked) == 1  # and not asked again
        assert len(well.asked) == 2


def test_all_that_was_wrong_is_told_when_no_endpoint_answers() -> None:
    with Scripted(answer(500)) as one, Scripted(answer(502)) as other:
        with pytest.raises(ClusterError) as caught:
            client_of(one.url, other.url).do(GET, None)
        assert [str(error) for error in caught.value.errors] == [
            f"client: etcd member {one.url} has no leader",
            f"client: etcd member {other.url} returns server error [Bad Gateway]",
        ]
        assert not caught.value.no_connection


def test_an_error_of_etcd_is_an_answer() -> None:
    with Scripted(NOT_FOUND) as one, Scripted(FOUND) as other:
        answered = client_of(one.url, other.url).do(GET, None)
        with pytest.raises(EtcdError, match=r"^100: Key not found \(/a\) \[7\]$"):
            read_response(answered)
        assert not other.asked


def test_endpoints_are_shuffled_and_the_one_that_answered_comes_first_from_then_on() -> None:
    with Scripted(FOUND) as one, Scripted(FOUND) as other:
        transport = Transport(TlsFiles("", "", ""), 60.0)
        client = Client([one.url, other.url], transport, list.reverse)
        assert client.endpoints == [other.url, one.url]
        client.do(GET, None)
        assert not one.asked
        assert len(other.asked) == 1


def test_an_endpoint_that_does_not_answer_in_time_is_passed_over() -> None:
    over = threading.Event()
    with Scripted(lambda: FOUND if over.wait(60) else b"") as silent, Scripted(FOUND) as well:
        assert client_of(silent.url, well.url, timeout=2).do(GET, in_seconds(60)).status == 200
        with pytest.raises(ClusterError) as caught:
            client_of(silent.url, timeout=0.2).do(GET, in_seconds(60))
        assert str(caught.value.errors[0]) == f"client: endpoint {silent.url} exceeded header timeout"
        over.set()


def test_no_further_endpoint_is_asked_when_the_time_for_all_is_over() -> None:
    over = threading.Event()
    with Scripted(lambda: FOUND if over.wait(60) else b"") as silent, Scripted(FOUND) as well:
        with pytest.raises(OutOfTime, match="context deadline exceeded"):
            client_of(silent.url, well.url).do(GET, in_seconds(0.2))
        assert not well.asked
        over.set()


def test_a_watch_may_take_longer_than_a_request() -> None:
    def late() -> bytes:
        time.sleep(0.3)
        return FOUND

    with Scripted(late) as server:
        assert client_of(server.url, timeout=0.1).do(GET._replace(wait=True), None).status == 200


@pytest.mark.parametrize("given", [":pw", ":"])
def test_a_password_without_a_name_is_not_sent(given: str) -> None:
    with Scripted(FOUND) as server:
        got = run("--endpoints", server.url, "--no-sync", "-u", given, "get", "/a")
    assert (got.status, got.out) == (0, "one\n")
    (asked,) = server.asked
    assert "authorization" not in asked.headers


def test_redirects_keep_method_body_and_name() -> None:
    with Scripted(answer(201, NODE)) as leader:
        moved = answer(307, None, f"Location: {leader.url}/v2/keys/b?dir=true")
        with Scripted(moved) as follower:
            client = Client(
                [follower.url],
                Transport(TlsFiles("", "", ""), 60.0),
                lambda listed: None,
                credentials=("a", "b:c"),
            )
            assert client.do(form("PUT", "/v2/keys/a", {}, {"value": "one"}), None).status == 201
    (asked,) = leader.asked
    assert asked.line == "PUT /v2/keys/b?dir=true HTTP/1.1"
    assert asked.body == b"value=one"
    assert asked.headers["authorization"] == "Basic YTpiOmM="
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("headers", "error", "requests"),
    [((), "Location header not set", 1), (("Location: {}/",), "client: too many redirects", 11)],
)
def test_redirects_that_lead_nowhere(headers: tuple[str, ...], error: str, requests: int) -> None:
    with Scripted(b"") as server:
        server.answers = [answer(307, None, *(header.format(server.url) for header in headers))]
        with pytest.raises(ClusterError) as caught:
            client_of(server.url).do(GET, None)
        assert [str(each) for each in caught.value.errors] == [error]
        assert len(server.asked) == requests


def test_a_clients_urls_are_those_of_the_members() -> None:
    with Scripted(members("http://b:2", "http://a:1")) as server:
        client = client_of(server.url)
        client.sync(None)
        assert client.endpoints == ["http://a:1", "http://b:2"]


def test_members_without_addresses_are_told_apart_from_no_cluster() -> None:
    with Scripted(members()) as server:
        with pytest.raises(NoEndpoints):
            client_of(server.url).sync(None)
        assert run("--endpoints", server.url, "get", "/a") == (
            4,
            "",
            "etcd cluster has no published client endpoints.\n"
            f"Try '--no-sync' if you want to access non-published client endpoints({server.url}).\n"
            "Error:  client: no endpoints available\n",
        )


def test_a_cluster_of_04_is_asked_for_its_machines() -> None:
    with Scripted(FOUND) as machine:
        with Scripted(answer(404, b"404 page not found"), answer(200, machine.url.encode())) as server:
            ran = run("--endpoints", server.url, "get", "/a")
        assert server.lines == ["GET /v2/members HTTP/1.1", "GET /v2/peers HTTP/1.1"]
    assert ran == (0, "one\n", "")


def test_what_is_no_etcd_is_told() -> None:
    with Scripted(answer(200, b"<html>")) as server:
        assert run("--no-sync", "--endpoints", server.url, "get", "/a") == (
            4,
            "",
            "Error:  client: response is invalid json. The endpoint is probably not valid etcd cluster endpoint.\n",
        )
        assert run("--no-sync", "--endpoints", server.url, "member", "list") == (
            1,
            "",
            "invalid character '<' looking for beginning of value\n",
        )


@pytest.mark.parametrize(
    ("option", "variable"),
    [("endpoints", "ENDPOINTS"), ("endpoint", "ENDPOINT"), ("peers", "PEERS"), ("C", "PEERS")],
)
def test_endpoints_come_from_options_and_variables(option: str, variable: str) -> None:
    with Scripted(FOUND) as server:
        host = server.url.removeprefix("http://")
        dashes = "-" * min(len(option), 2)
        assert run("--no-sync", dashes + option, host, "get", "/a").out == "one\n"
        assert run("--no-sync", "get", "/a", env={f"ETCDCTL_{variable}": server.url}).out == "one\n"
        wrong = {f"ETCDCTL_{variable}": "ftp://nowhere"}
        assert run("--no-sync", f"--{option}", server.url, "get", "/a", env=wrong).out == "one\n"


def test_the_name_may_come_from_a_variable_and_the_password_is_asked_for_once() -> None:
    with Scripted(b"") as server:
        server.answers = [members(server.url), FOUND]
        ran = run(
            "--endpoints", server.url, "get", "/a", env={"ETCDCTL_USERNAME": "root"}, stdin=" secret \n"
        )
    assert ran.out == "Password: \none\n"
    assert {asked.headers["authorization"] for asked in server.asked} == {"Basic cm9vdDpzZWNyZXQ="}


def test_a_value_that_is_no_text_is_printed_all_the_same() -> None:
    half = b'{"action":"get","node":{"key":"/a","value":"a\\ud800b","createdIndex":5,"modifiedIndex":5}}'
    with Scripted(answer(200, half)) as server:
        assert run("--no-sync", "--endpoints", server.url, "get", "/a") == (0, "a?b\n", "")


@pytest.mark.parametrize(
    ("program", "error"),
    [
        (["/nowhere/at/all"], "fork/exec /nowhere/at/all: no such file or directory"),
        (["nowhere-at-all"], 'exec: "nowhere-at-all": executable file not found in $PATH'),
        ([], "Error:  key and command to exec required\n"),
    ],
)
def test_a_program_that_cannot_be_run_for_a_change(program: list[str], error: str) -> None:
    with Scripted(FOUND) as server:
        ran = run("--no-sync", "--endpoints", server.url, "exec-watch", "/a", "--", *program)
    assert ran == (1, "", error)


def test_a_watch_that_the_server_ends_without_a_change_goes_on() -> None:
    with Scripted(answer(200), answer(200), FOUND) as server:
        assert run("--no-sync", "--endpoints", server.url, "watch", "--after-index", "4", "/a").out == "one\n"
        assert server.lines == ["GET /v2/keys/a?recursive=false&wait=true&waitIndex=5 HTTP/1.1"] * 3


def test_a_watch_of_history_that_is_gone_ends() -> None:
    cleared = {"errorCode": 401, "message": "outdated and cleared", "cause": "[3/2]", "index": 9}
    with Scripted(answer(400, cleared)) as server:
        ran = run("--no-sync", "--endpoints", server.url, "watch", "--forever", "--after-index", "1", "/a")
    assert ran == (4, "", "Error:  401: outdated and cleared ([3/2]) [9]\n")
    assert len(server.asked) == 1
