"""Which endpoints a request may go to, and in which order. Pure: time and randomness are passed in.

An endpoint is the client URL of a member. One that has failed is set aside for a while and then tried again; the
lists that members tell come and go, but what is known of an endpoint outlives them.
"""

from collections.abc import Iterable
from random import Random


class Director:
    """``failure_wait`` is how many seconds a failed endpoint is set aside."""

    def __init__(self, random: Random, failure_wait: float) -> None:
        self._random = random
        self._failure_wait = failure_wait
        self._endpoints: list[str] = []
        self._until: dict[str, float] = {}

    @property
    def endpoints(self) -> list[str]:
        """All of them, those set aside too."""
        return self._endpoints

    def update(self, urls: Iterable[str]) -> None:
        """Takes a new list, in an order of chance, so that not all requests of all proxies go to one member."""
        endpoints = list(dict.fromkeys(urls))
        self._random.shuffle(endpoints)
        self._endpoints = endpoints
        self._until = {url: until for url, until in self._until.items() if url in endpoints}

    def available(self, now: float) -> list[str]:
        """Those that are not set aside. The caller must not change the list."""
        if not self._until:
            return self._endpoints
        return [url for url in self._endpoints if self._until.get(url, now) <= now]

    def choose(self, now: float) -> list[str]:
        """Where a request is to go, one after the other until one answers. The caller must not change the list.

        Of those that have failed and whose time to be tried again has come, one goes first, with this request alone: it
        finds out for all the others, which need not wait for a host that is down.
        """
        available = self.available(now)
        if not self._until:
            return available
        sound = [url for url in available if url not in self._until]
        if not sound or len(sound) == len(available):
            return available
        suspect = next(url for url in available if url in self._until)
        self._until[suspect] = now + self._failure_wait
        return [suspect, *sound]

    def failed(self, url: str, now: float) -> bool:
        """Sets an endpoint aside. True if that is news: it had not failed since it last answered."""
        if url not in self._endpoints:
            return False
        news = url not in self._until
        self._until[url] = now + self._failure_wait
        return news

    def answered(self, url: str) -> bool:
        """Takes note that an endpoint answers. True if that is news: it had failed before."""
        return bool(self._until) and self._until.pop(url, None) is not None

    def drop(self, url: str) -> None:
        """Leaves an endpoint out until the next list."""
        self._until.pop(url, None)
        self._endpoints = [other for other in self._endpoints if other != url]
