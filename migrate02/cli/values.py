"""What values of options may be: functions that argparse calls, each with a word on what to give instead."""

from __future__ import annotations

from argparse import ArgumentTypeError

from compat.likely import did_you_mean


def target(text: str) -> str:
    from compat.fit import TargetError, parse_target

    try:
        parse_target(text)
    except TargetError as error:
        raise ArgumentTypeError(str(error)) from None
    return text


def kind_of_file(text: str) -> str:
    from migrate02.formats import registry

    kinds = registry.names()
    if text not in kinds:
        hint = did_you_mean(text, kinds)
        raise ArgumentTypeError(f"{text} is no kind of file; give one of {', '.join(kinds)}{hint}")
    return text


def code(text: str) -> str:
    from migrate02.findings import CODES

    if text not in CODES:
        hint = did_you_mean(text, CODES)
        raise ArgumentTypeError(f"{text} is no finding's code{hint or '; migrate02 explain lists them'}")
    return text


def initial_cluster(text: str) -> str:
    from server.config import UrlError, parse_urls_map

    remedy = "give NAME=http://host:port for each member, with commas between"
    for item in text.split(","):
        if item and not item.partition("=")[2]:
            raise ArgumentTypeError(f'"{item}" has no NAME=URL form; {remedy}')
    try:
        parse_urls_map(text)
    except UrlError as error:
        raise ArgumentTypeError(f"{error}; {remedy}") from None
    return text


def member(text: str) -> tuple[str, str]:
    """Its name and one peer URL."""
    from server.config import UrlError, parse_url

    name, _, url = text.partition("=")
    if not name or not url:
        raise ArgumentTypeError(f'"{text}" has no NAME=URL form')
    try:
        parse_url(url)
    except UrlError as error:
        raise ArgumentTypeError(str(error)) from None
    return name, url


def urls(text: str) -> list[str]:
    from server.config import UrlError, parse_urls

    try:
        return parse_urls(text)
    except UrlError as error:
        raise ArgumentTypeError(str(error)) from None


def live_url(text: str) -> str:
    """Of a running cluster. That it is a whole URL, is seen when it is asked."""
    if text and not text.startswith(("http://", "https://")):  # empty: not given
        raise ArgumentTypeError(f"{text} lacks http://; write http://{text.rpartition('://')[2]}")
    return text


def positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"{text} is not a number of 1 or more")
    return int(text)
