"""The guide's page on proxies: their two commands, before members that found each other in the same way."""

import pytest

from tests.guide.services import discovery_service
from tests.guide.test_discovery import GUIDES_URL, new_url, start
from tests.guide.walking import Guide, Started, is_one_cluster

pytestmark = pytest.mark.slow


def passes_on(proxy: Started, member: Started) -> None:
    proxy.wait_until_serving()
    assert proxy.put("/through", "proxy").status == 201
    assert member.get("/through", "quorum=true").status == 200


@pytest.mark.guide("static-infra0", "static-infra1", "static-infra2", "proxy-static")
def test_a_proxy_that_has_a_list(guide: Guide) -> None:
    three = [guide.start(f"static-infra{n}") for n in range(3)]
    is_one_cluster(three)
    proxy = guide.start("proxy-static").from_its_machine()
    passes_on(proxy, three[0])


@pytest.mark.guide("public-infra0", "proxy-discovery")
def test_a_proxy_that_has_a_discovery_url_waits_for_the_cluster(guide: Guide) -> None:
    discovery_service(guide)
    url = new_url(guide, 1)
    proxy = guide.start("proxy-discovery", instead={GUIDES_URL: url}).from_its_machine()
    proxy.wait_for_line("waiting for 1 more")
    member = start(guide, "public-infra0", url)
    is_one_cluster([member])
    passes_on(proxy, member)
