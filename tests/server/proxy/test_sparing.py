"""Lines that would come again and again."""

from server.proxy.sparing import Sparing


def test_the_first_is_said_and_the_rest_counted_until_the_silence_is_over() -> None:
    sparing = Sparing(60.0)
    assert sparing("a", 0.0) == ""
    assert [sparing("a", now) for now in (1.0, 30.0, 59.0)] == [None, None, None]
    assert sparing("a", 61.0) == " (3 more like this in the last 61s)"
    assert sparing("a", 130.0) == ""


def test_kinds_do_not_silence_each_other() -> None:
    sparing = Sparing(60.0)
    assert (sparing("a", 0.0), sparing("b", 1.0)) == ("", "")


def test_what_is_forgotten_is_news_again() -> None:
    sparing = Sparing(60.0)
    sparing("a", 0.0)
    sparing("a", 1.0)
    sparing.forget("a")
    assert sparing("a", 2.0) == ""


def test_kinds_that_never_end_do_not_fill_the_memory() -> None:
    sparing = Sparing(60.0)
    for n in range(10_000):
        sparing(n, 0.0)
    assert len(sparing._said) <= 1000
