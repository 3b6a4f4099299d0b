"""What waits for a peer's connection: in order, in few pieces, bounded, and given up when nothing takes it."""

import asyncio

import pytest

from server.peer.codec import MessageEncoder, message_decoder
from server.peer.stats import FollowerStats
from server.peer.stream import PIECE, QUEUE, STALL, OutgoingStream
from server.raft import Entry, Message, MessageType
from tests.support.process import PATIENCE


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Case:
    def __init__(self) -> None:
        self.clock = Clock()
        self.lost: list[str] = []
        self.latency = FollowerStats()
        self.stream = OutgoingStream(MessageEncoder(), self.lost.append, self.clock, self.latency)
        self.told = 0
        self.stream.on_news(self.tell)

    def tell(self) -> None:
        self.told += 1

    def taken(self) -> list[Message]:
        piece = self.stream.take()
        assert piece is not None
        return message_decoder().feed(piece)


@pytest.fixture
def case() -> Case:
    return Case()


def message(number: int, data: bytes = b"") -> Message:
    entries = (Entry(1, number + 1, data),) if data else ()
    return Message(MessageType.APPEND, 1, 2, 1, number, 1, entries=entries)


def test_it_begins_with_a_heartbeat_of_the_link(case: Case) -> None:
    assert case.stream.take() == MessageEncoder().heartbeat
    assert case.stream.take() == b""


def test_all_that_waits_leaves_in_one_piece_and_in_order(case: Case) -> None:
    sent = [message(number) for number in range(100)]
    assert all(map(case.stream.offer, sent))
    assert case.told == 1
    assert case.taken() == sent
    assert case.latency.successes == 100
    assert case.taken() == []
    case.stream.offer(sent[0])
    assert case.told == 2


def test_a_piece_is_not_much_longer_than_it_should_be(case: Case) -> None:
    for number in range(10):
        case.stream.offer(message(number, b"x" * (PIECE // 3)))
    assert len(case.taken()) == 3


def test_others_get_their_turn_between_two_long_pieces(case: Case) -> None:
    async def scenario() -> None:
        for number in range(6):
            case.stream.offer(message(number, b"x" * (PIECE // 3)))
        assert len(case.taken()) == 3
        told = case.told
        assert case.stream.take() == b""
        await asyncio.sleep(0)
        assert case.told == told + 1
        assert len(case.taken()) == 3

    asyncio.run(scenario())


def test_a_full_queue_takes_nothing_more(case: Case) -> None:
    assert all(case.stream.offer(message(number)) for number in range(QUEUE))
    assert not case.stream.offer(message(0))
    assert case.stream.pending == QUEUE


def test_beats_are_heartbeats_of_the_link(case: Case) -> None:
    case.stream.take()
    case.stream.beat()
    assert case.told == 1
    assert case.stream.take() == MessageEncoder().heartbeat
    assert case.stream.take() == b""


def test_a_connection_that_takes_nothing_is_given_up(case: Case) -> None:
    case.stream.take()  # and it does not come back for more
    case.clock.now += STALL
    case.stream.beat()
    assert case.lost == []
    case.clock.now += 0.1
    case.stream.beat()
    assert case.lost == ["i/o timeout"]
    assert case.stream.take() is None


def test_a_connection_that_waits_for_more_is_never_given_up(case: Case) -> None:
    for _ in range(5):
        while case.stream.take():
            pass
        case.clock.now += STALL * 2
        case.stream.beat()
    assert case.lost == []


def test_a_connection_that_closes_is_reported_once(case: Case) -> None:
    case.stream.close()
    case.stream.close()
    assert case.lost == ["the peer closed the connection"]
    assert case.stream.take() is None


def test_one_that_was_ended_is_not_reported_lost(case: Case) -> None:
    case.stream.offer(message(1))
    case.stream.end()
    case.stream.close()
    assert case.lost == []
    assert case.stream.pending == 0
    assert case.stream.take() is None


def test_one_that_is_finished_gives_what_waits_and_is_not_reported_lost(case: Case) -> None:
    assert case.taken() == []
    case.stream.offer(message(1))
    told = case.told
    case.stream.finish()
    assert case.told == told + 1
    assert case.taken() == [message(1)]
    assert case.stream.take() is None
    case.stream.close()
    assert case.lost == []


def test_one_that_is_closed_while_it_is_finished_is_not_reported_lost(case: Case) -> None:
    case.stream.offer(message(1))
    case.stream.finish()
    case.stream.close()
    assert case.lost == []
    assert case.stream.take() is None


def test_who_waits_for_pieces_is_told_when_there_are_some_and_when_there_will_be_none(case: Case) -> None:
    async def scenario() -> None:
        news = asyncio.Event()
        case.stream.on_news(news.set)
        assert case.stream.take() == MessageEncoder().heartbeat
        assert case.stream.take() == b""
        news.clear()
        case.stream.offer(message(7))
        await asyncio.wait_for(news.wait(), PATIENCE)
        assert message_decoder().feed(case.stream.take() or b"") == [message(7)]
        news.clear()
        case.stream.end()
        await asyncio.wait_for(news.wait(), PATIENCE)
        assert case.stream.take() is None

    asyncio.run(scenario())
