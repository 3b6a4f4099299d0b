"""A connection without I/O: what it takes and refuses, and what it does in every state with every input."""

import re
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from server.http import connection as codes
from server.http import states
from server.http.connection import DRAINED, NOTHING, OVER, PIECE, REFUSAL, REQUEST, Connection
from server.http.heads import Heads
from server.http.incoming import MAX_HEAD
from server.http.messages import CLOSE, Request, Response, bad_request
from server.http.responses import Dates
from server.http.states import (
    ASKED,
    CLOSING,
    DRAINING,
    GONE,
    INPUTS,
    LINGERING,
    NEVER,
    NEXT,
    OWING,
    READING,
    SENDING,
    STATES,
    TRANSITIONS,
    WAITING,
    LocalProtocolError,
)

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
PUT = b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
OLD = b"GET /old HTTP/1.0\r\n\r\n"
EXPECTING = b"PUT /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nok"


def made(*sent: bytes) -> Connection:
    """A connection on which this has come."""
    connection = Connection(Heads(), "1.2.3.4", Dates(lambda: 0.0))
    for piece in sent:
        connection.receive(piece)
    return connection


class Handled:
    """A handler that wants every body, and answers each request with ``ok``."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.bodies: list[bytes] = []
        self._body = b""

    def serve(self, connection: Connection) -> None:
        """Serves what has come."""
        while (what := connection.next()) != NOTHING:
            if what == REQUEST:
                self.requests.append(connection.request)
                connection.want_body()
            elif what == PIECE:
                self._body += connection.piece
            elif what == OVER:
                self.bodies.append(connection.fault.encode() or self._body + connection.piece)
                self._body = b""
                connection.answer(Response(200, (), b"ok"))


def served(connection: Connection) -> tuple[list[Request], list[bytes]]:
    """Serves what has come: the requests and their bodies, or what is wrong with these."""
    handled = Handled()
    handled.serve(connection)
    return handled.requests, handled.bodies


# The table


def test_every_state_is_reached_and_every_input_has_a_place() -> None:
    reached = {after for row in TRANSITIONS.values() for after in row.values()} | {GONE}
    assert reached == set(range(len(STATES)))
    used = {what for row in TRANSITIONS.values() for what in row} | {states.LOST}
    assert used == set(range(len(INPUTS)))


def test_every_connection_that_is_lost_is_gone_and_what_is_over_stays_over() -> None:
    for state in range(len(STATES)):
        row = NEXT[state * len(INPUTS) : (state + 1) * len(INPUTS)]
        assert row[states.LOST] == GONE
        if state in (CLOSING, LINGERING, GONE):
            assert all(after in (NEVER, GONE) for after in row)


# What is taken, and how


USUAL = [
    (b"GET /other HTTP/1.1\r\nHost: x\r\n\r\n", "GET", b"/other"),
    (b"PATCH /a HTTP/1.1\r\nHost: x\r\n\r\n", "PATCH", b"/a"),
    (b"get /a HTTP/1.1\r\nHost: x\r\n\r\n", "get", b"/a"),
    (b"GET http://x/a?b HTTP/1.1\r\nHost: x\r\n\r\n", "GET", b"http://x/a?b"),
    (b"GET http://[::1]:2379/a HTTP/1.1\r\nHost: x\r\n\r\n", "GET", b"http://[::1]:2379/a"),
    (b"GET http://x HTTP/1.1\r\nHost: x\r\n\r\n", "GET", b"http://x"),
    (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS", b"*"),
    (b"CONNECT a:80 HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT", b"a:80"),
    (b"GET /\xc3\xa9?\xff HTTP/1.1\r\nHost: x\r\n\r\n", "GET", b"/%c3%a9?%ff"),
    (b"GET /old HTTP/1.0\r\n\r\n", "GET", b"/old"),
    (b"GET /a HTTP/1.1\r\nHost:\r\n\r\n", "GET", b"/a"),
    (b"GET /a HTTP/1.1\r\nHost: x\r\nExpect:\r\n\r\n", "GET", b"/a"),
    (b"GET /a HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "GET", b"/a"),
    (b"GET /a HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "GET", b"/a"),
    (b"GET /a HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", "GET", b"/a"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "method", "target"), USUAL)
def test_a_request_is_what_it_is_by_itself_and_behind_another(
    sent: bytes, method: str, target: bytes
) -> None:
    for before in (b"", GET, PUT):
        requests, _ = served(made(before + sent))
        assert (requests[-1].method, requests[-1].target) == (method, target)
        assert requests[-1].client == "1.2.3.4"
        assert len(requests) == (2 if before else 1)


BAD = b"400 Bad Request"
REFUSED = [
    (b"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n", BAD),
    (b"GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n", BAD),
    (b"GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n", BAD),
    (b"GET  /a HTTP/1.1\r\nHost: x\r\n\r\n", BAD),
    (b"GET a HTTP/1.1\r\nHost: x\r\n\r\n", BAD),
    (b"GET a:80 HTTP/1.1\r\nHost: x\r\n\r\n", BAD),
    (b"GET http://[x/ HTTP/1.1\r\nHost: x\r\n\r\n", BAD),
    (b"G(T /a HTTP/1.1\r\nHost: x\r\n\r\n", BAD),
    (b"GET /a HTTP/1.2\r\nHost: x\r\n\r\n", BAD),
    (b"GET /a HTTP/1.1 \r\nHost: x\r\n\r\n", BAD),
    (b"GET /a\r\nHost: x\r\n\r\n", BAD),
    (b"GET\r\n\r\nGET ", BAD),
    (b"GET \r\n\r\n", BAD),
    (b"\r\n\r\n", BAD),
    (b"\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n", BAD),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", BAD),
    (b"GET /a HTTP/1.1\r\n\r\n", BAD + b": missing required Host header"),
    (b"GET /a HTTP/1.1\r\nHost: a b\r\n\r\n", BAD + b": malformed Host header"),
    (b"GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", BAD),
    (b"GET /a HTTP/1.1\nHost: x\n\n", BAD),
    (b"GET /a HTTP/1.1\r\nHost: x\n", BAD),
    (b"GET /a HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", BAD),
    (b"GET /a HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n", BAD),
    (b"GET /a HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n", BAD + b": invalid header value"),
    (b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", BAD),
    (b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", BAD),
    (b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", BAD),
    (b"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", b"501 Not Implemented"),
    (b"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", b"501 Not Implemented"),
    (b"\x16\x03\x01", BAD),
    (b"GET /" + b"y" * MAX_HEAD, b"431 Request Header Fields Too Large"),
    (b"GET /a HTTP/1.1\r\nX: " + b"y" * MAX_HEAD, b"431 Request Header Fields Too Large"),
    (b"GET /a HTTP/1.1\r\n" + b"X: y\r\n" * (MAX_HEAD // 6), b"431 Request Header Fields Too Large"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "status"), REFUSED)
def test_what_is_no_request_is_refused_with_the_page_of_go_by_itself_and_behind_another(
    sent: bytes, status: bytes
) -> None:
    for before in (b"", GET, PUT):
        connection = made(before + sent)
        requests, _ = served(connection)
        assert len(requests) == (1 if before else 0)
        page = b"HTTP/1.1 %b\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" % status
        answers = connection.take()
        assert answers.startswith((OK if before else b"") + page)
        assert connection.state == LINGERING


@pytest.mark.parametrize("sent", [sent for sent, _ in REFUSED if len(sent) < 1000])
def test_what_is_no_request_is_refused_in_whatever_pieces_it_comes(sent: bytes) -> None:
    connection = made()
    told = []
    for n in range(len(sent)):
        if connection.is_over:
            break
        connection.receive(sent[n : n + 1])
        told.append(connection.next())
    assert told == [NOTHING] * (len(told) - 1) + [REFUSAL]


def test_an_empty_line_behind_a_post_is_passed_over_as_go_does_and_not_behind_another() -> None:
    post = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"
    for connection in (made(post + b"\r\n" + GET), made(post + b"\r\n")):
        requests, _ = served(connection)
        connection.receive(b"" if len(requests) == 2 else GET)
        requests += served(connection)[0]
        assert [request.method for request in requests] == ["POST", "GET"]
    connection = made(PUT + b"\r\n" + GET)
    assert len(served(connection)[0]) == 1
    assert connection.state == LINGERING


def test_a_body_in_chunks_is_nothing_to_a_client_of_http_1_0_whose_connection_ends() -> None:
    connection = made(
        b"PUT /a HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    requests, bodies = served(connection)
    assert (len(requests), bodies) == (1, [b""])
    assert (
        connection.take()
        == b"HTTP/1.0 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nok"
    )
    assert connection.state == CLOSING


# Bodies


def test_our_word_is_sent_only_when_the_body_is_wanted() -> None:
    connection = made(EXPECTING)
    assert connection.next() == REQUEST
    assert connection.take() == b""
    connection.want_body()
    assert connection.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert connection.next() == NOTHING
    connection.receive(b"abc")
    assert (connection.next(), connection.piece, connection.fault) == (OVER, b"abc", "")


def test_who_waits_for_our_word_in_vain_is_answered_at_once_and_let_go() -> None:
    connection = made(EXPECTING)
    assert connection.next() == REQUEST
    assert connection.answer(Response(403)) == b""
    assert b"\r\nConnection: close\r\n" in connection.take()
    assert connection.state == LINGERING


def test_other_expectations_fail_before_any_handler() -> None:
    connection = made(b"GET / HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n")
    assert connection.next() == codes.ANSWER
    expected = b"HTTP/1.1 417 Expectation Failed\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    assert connection.take() == expected
    assert connection.state == CLOSING


@pytest.mark.parametrize("size", [1, DRAINED, DRAINED + 1])
def test_a_little_body_that_nobody_wants_is_read_first_and_more_ends_the_connection(size: int) -> None:
    connection = made(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
    assert connection.next() == REQUEST
    connection.answer(Response(200, (), b"ok"))
    if size > DRAINED:
        assert connection.state == LINGERING
        return
    assert (connection.state, connection.take()) == (DRAINING, b"")
    connection.receive(b"b" * size + GET)
    assert connection.next() == codes.ANSWER
    assert connection.take() == OK
    assert connection.next() == REQUEST


def test_chunks_that_nobody_wants_are_read_no_further_than_so_many() -> None:
    connection = made(CHUNKED)
    assert connection.next() == REQUEST
    connection.answer(Response(200, (), b"ok"))
    for _ in range(100):
        connection.receive(b"2710\r\n" + b"b" * 10_000 + b"\r\n")
        if connection.next() != NOTHING:
            break
    assert connection.state == LINGERING
    assert b"Connection: close" in connection.take()


def test_a_body_that_breaks_off_or_is_cut_ends_the_connection_with_its_answer() -> None:
    for end in ("client", "handler", "framing"):
        connection = made(CHUNKED + (b"zz\r\n" if end == "framing" else b"3\r\nabc\r\n"))
        assert connection.next() == REQUEST
        connection.want_body()
        if end == "handler":
            assert connection.next() == PIECE
            connection.cut_body()
        else:
            connection.receive_end()
            assert [connection.next() for _ in range(2 if end == "client" else 1)][-1] == OVER
            assert connection.fault == (
                "unexpected EOF" if end == "client" else "invalid byte in chunk length"
            )
        assert connection.state == OWING
        connection.answer(Response(400))
        assert b"Connection: close" in connection.take()
        assert connection.state == (LINGERING if end == "handler" else CLOSING)


# Answers


def test_an_answer_that_may_be_given_again_is_told_as_it_was_written() -> None:
    connection = made(GET)
    assert connection.next() == REQUEST
    assert (connection.is_alone, connection.raw()) == (True, GET)
    assert connection.answer(Response(200, (), b"ok")) == OK == connection.take()
    connection.say_again(OK)
    assert connection.take() == OK
    connection.receive(GET + PUT)
    assert connection.next() == REQUEST
    assert (connection.is_alone, connection.raw()) == (False, GET)
    connection.say_again(OK)
    assert connection.next() == REQUEST
    assert connection.raw() == b""  # it has a body
    connection.want_body()
    assert connection.next() == OVER
    assert connection.answer(Response(200, (CLOSE,), b"ok")) == b""


def test_a_refusal_of_the_handler_is_the_page_of_go_whatever_is_unread() -> None:
    connection = made(b"PUT /%zz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")
    assert connection.next() == REQUEST
    connection.answer(bad_request())
    page = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
    assert connection.take() == page + b"400 Bad Request"
    assert connection.state == LINGERING


def test_an_answer_in_pieces_ends_in_order_breaks_off_or_is_lost() -> None:
    for end in ("finish", "break", "lose"):
        connection = made(GET)
        connection.next()
        connection.answer(Response(200, stream=Silent()))
        assert (
            connection.take()
            == b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        connection.send(b"one")
        connection.receive(GET)
        assert connection.next() == NOTHING
        assert connection.take() == b"3\r\none\r\n"
        if end == "finish":
            connection.finish()
            assert connection.take() == b"0\r\n\r\n"
            assert connection.next() == REQUEST
        elif end == "break":
            assert connection.may_break_off
            connection.break_off()
            assert (connection.take(), connection.state) == (b"", CLOSING)
        else:
            connection.lose()
            assert (connection.take(), connection.state) == (b"", GONE)


class Silent:
    def take(self) -> bytes:
        return b""

    def on_news(self, tell: Any) -> None:
        """There is none."""

    def close(self) -> None:
        """There is nothing to let go of."""


# Every input in every state


def reach(state: int) -> Connection:
    """A connection in that state."""
    connection = made(CHUNKED if state in (READING, DRAINING) else GET)
    if state == WAITING:
        return made()
    connection.next()
    if state == READING:
        connection.want_body()
    elif state == OWING:
        connection.want_body()
        connection.next()
    elif state == DRAINING:
        connection.answer(Response(200))
    elif state == SENDING:
        connection.answer(Response(200, stream=Silent()))
    elif state == CLOSING:
        connection.answer(Response(200, (CLOSE,)))
    elif state == LINGERING:
        connection = made(b"\x16")
        connection.next()
    elif state == GONE:
        connection.lose()
    assert connection.state == state
    return connection


def receive(connection: Connection, data: bytes | None) -> None:
    if data is None:
        connection.receive_end()
    else:
        connection.receive(data)
    connection.next()


ACTS: dict[str, Callable[[Connection], object]] = {
    "receive a request": lambda connection: receive(connection, PUT),
    "receive a broken one": lambda connection: receive(connection, b"\x16"),
    "receive the end": lambda connection: receive(connection, None),
    "want the body": lambda connection: connection.want_body(),
    "cut the body": lambda connection: connection.cut_body(),
    "answer": lambda connection: connection.answer(Response(200, (), b"ok")),
    "answer in pieces": lambda connection: connection.answer(Response(200, stream=Silent())),
    "answer and close": lambda connection: connection.answer(Response(200, (CLOSE,))),
    "refuse": lambda connection: connection.answer(bad_request()),
    "say again": lambda connection: connection.say_again(OK),
    "send": lambda connection: connection.send(b"piece"),
    "finish": lambda connection: connection.finish(),
    "break off": lambda connection: connection.break_off(),
    "stop": lambda connection: connection.stop(),
    "lose": lambda connection: connection.lose(),
}

ALLOWED = {
    WAITING: {"say again", "stop"},
    ASKED: {"want the body", "answer", "answer in pieces", "answer and close", "refuse", "say again", "stop"},
    READING: {"cut the body"},
    OWING: {"answer", "answer in pieces", "answer and close", "refuse", "say again", "stop"},
    DRAINING: {"cut the body"},
    SENDING: {"send", "finish", "break off"},
    CLOSING: set(),
    LINGERING: set(),
    GONE: set(),
}  # fmt: skip
ALWAYS = {"receive a request", "receive a broken one", "receive the end", "lose"}


@pytest.mark.parametrize("state", range(len(STATES)), ids=STATES)
@pytest.mark.parametrize("act", ACTS)
def test_what_a_driver_may_do_it_may_and_what_else_is_a_misuse_that_changes_nothing(
    state: int, act: str
) -> None:
    connection = reach(state)
    connection.take()
    if act in ALLOWED[state] | ALWAYS:
        ACTS[act](connection)
        return
    with pytest.raises(LocalProtocolError, match=f"while {STATES[state]}"):
        ACTS[act](connection)
    assert (connection.state, connection.take()) == (state, b"")


SENT = st.lists(
    st.sampled_from(
        [
            GET, PUT, EXPECTING + b"abc", OLD, CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", CHUNKED + b"0\r\nTrailer: y\r\n\r\n",
            b"HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /l HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"\r\n",
            b"GET /k HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", CHUNKED + b"3\r\nabcd\r\n", b"\x16", b"GET",
            b"PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + b"b" * 300_000, b"\0\r\n\r\n",
        ]
    ),
    max_size=5,
)  # fmt: skip
ANSWERS = st.sampled_from(
    [
        Response(200, (), b"ok"),
        Response(204),
        Response(200, (CLOSE,), b"ok"),
        Response(200, (), b"x" * 3000),
        bad_request(),
    ]
)


class Driven(RuleBasedStateMachine):
    """Any client, its bytes cut anywhere, and any handler: only what the table allows is done, in any order."""

    @initialize(sent=SENT, chance=st.randoms(use_true_random=False))
    def begin(self, sent: list[bytes], chance: Random) -> None:
        data = b"".join(sent)
        places = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice((0, 1, 5, 20))))
        self.pieces = [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True) if a < b]
        self.connection = Connection(Heads(), "", Dates(lambda: 0.0))
        self.written = b""
        self.begun = 0

    @rule()
    def receive(self) -> None:
        if self.pieces and not self.connection.ended:
            self.connection.receive(self.pieces.pop(0))

    @rule()
    def receive_end(self) -> None:
        self.connection.receive_end()

    @rule()
    def ask(self) -> None:
        before = self.connection.state
        what = self.connection.next()
        state = self.connection.state
        self.begun += what == REQUEST
        assert what == NOTHING or before in (WAITING, READING, DRAINING)
        assert state in {
            NOTHING: (before,), REQUEST: (ASKED,), PIECE: (READING,), OVER: (OWING,), REFUSAL: (LINGERING,),
            codes.ANSWER: (WAITING, CLOSING, LINGERING, DRAINING, SENDING),
        }[what]  # fmt: skip

    @rule()
    def want_body(self) -> None:
        if self.connection.state == ASKED:
            self.connection.want_body()

    @rule()
    def cut_body(self) -> None:
        if self.connection.state in (READING, DRAINING):
            self.connection.cut_body()

    @rule(response=ANSWERS)
    def answer(self, response: Response) -> None:
        if self.connection.state in (ASKED, OWING):
            written = self.connection.answer(response)
            assert not written or self.connection.state == WAITING

    @rule()
    def answer_in_pieces(self) -> None:
        if self.connection.state in (ASKED, OWING):
            self.connection.answer(Response(200, stream=Silent()))

    @rule(piece=st.binary(min_size=1, max_size=10))
    def send(self, piece: bytes) -> None:
        if self.connection.state == SENDING:
            self.connection.send(piece)

    @rule()
    def finish(self) -> None:
        if self.connection.state == SENDING:
            self.connection.finish()

    @rule()
    def break_off(self) -> None:
        if self.connection.state == SENDING and self.connection.may_break_off:
            self.connection.break_off()

    @invariant()
    def says_no_more_than_it_was_asked(self) -> None:
        connection = self.connection
        assert sum(map(len, connection.out)) == connection.out_size
        self.written += connection.take()
        heads = re.findall(rb"HTTP/1\.[01] [2-5]\d\d ", self.written)
        assert len(heads) <= self.begun + (connection.state == LINGERING)
        if connection.state in (WAITING, ASKED) and self.begun:
            assert len(heads) == self.begun - (connection.state == ASKED)

    @invariant()
    def says_nothing_behind_its_last_word(self) -> None:
        behind = self.written.partition(b"\r\nConnection: close\r\n")[2]
        assert b"HTTP/1." not in behind


TestDriven = Driven.TestCase
TestDriven.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


@given(SENT, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_same_comes_of_the_same_bytes_in_whatever_pieces(sent: list[bytes], chance: Random) -> None:
    data = b"".join(sent)
    whole, cut = made(data), made()
    expected, handled = Handled(), Handled()
    expected.serve(whole)
    at = 0
    while at < len(data) and not cut.is_over:
        step = chance.choice((1, 2, 3, 7, 100, 100_000))
        cut.receive(data[at : at + step])
        handled.serve(cut)
        at += step
    assert handled.bodies == expected.bodies
    assert [(request.method, request.target) for request in handled.requests] == [
        (request.method, request.target) for request in expected.requests
    ]
    assert cut.take() == whole.take()
    assert cut.state == whole.state
