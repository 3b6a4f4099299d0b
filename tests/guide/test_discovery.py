"""The guide's chapter on discovery URLs, with an etcd of one's own and with a discovery service, and its error cases."""

import re
from collections.abc import Collection, Mapping

import pytest

from tests.guide.examples import EXAMPLES
from tests.guide.services import discovery_service, my_etcd
from tests.guide.walking import Guide, Started, is_one_cluster, variables, words
from tests.guide.worlds import BOTH
from tests.support.forward_proxy import ForwardProxy
from tests.support.process import PATIENCE

pytestmark = pytest.mark.slow

GUIDES_URL = EXAMPLES["public-new"].prints.strip()
"""What the guide's examples have as the URL that was just given out."""


def new_url(guide: Guide, size: int = 3) -> str:
    """As the guide's curl asks for it, for that many."""
    url = guide.ask_curl(EXAMPLES["public-new"].command.replace("size=3", f"size={size}"))
    assert re.fullmatch(guide.here(GUIDES_URL.rpartition("/")[0]) + "/[0-9a-f]+", url)
    return url


def start(
    guide: Guide,
    id: str,
    url: str,
    *more: str,
    without: Collection[str] = (),
    env: Mapping[str, str] | None = None,
) -> Started:
    """An example with a URL that was just given out in the place of the guide's."""
    return guide.start(id, *more, without=without, instead={GUIDES_URL: url}, env=env)


# An etcd of one's own


@pytest.mark.guide("custom-size", "custom-infra0", "custom-infra1", "custom-infra2", "custom-too-many")
def test_three_find_each_other_through_an_etcd_and_a_fourth_becomes_their_proxy(guide: Guide) -> None:
    my_etcd(guide)
    assert '"value":"3"' in guide.output("custom-size")
    three = [guide.start(f"custom-infra{n}") for n in range(3)]
    is_one_cluster(three)
    addresses = {"10.0.1.12": "10.0.1.13", "infra2": "infra3"}
    fourth = guide.start("custom-infra2", on="infra3", instead=addresses)
    fourth.wait_for_line("discovery cluster full, falling back to proxy")
    fourth.wait_until_serving()
    assert fourth.put("/through", "proxy").status == 201
    assert three[0].get("/through", "quorum=true").status == 200


@pytest.mark.guide("custom-size", "custom-infra0", "custom-infra1", "custom-same-name")
def test_a_name_that_another_has_registered(guide: Guide) -> None:
    my_etcd(guide)
    guide.output("custom-size")
    first = guide.start("custom-infra0")
    first.wait_for_line("waiting for 2 more")
    second = guide.start("custom-infra1", instead={"--name infra1": "--name infra0"})
    assert second.popen.wait(PATIENCE) == EXAMPLES["custom-same-name"].exit
    guide.says_as_told("custom-same-name", second)
    assert first.popen.poll() is None


# A discovery service


@pytest.mark.guide(
    "public-new", "public-default-size", "public-variable", "public-flag", "public-infra0", "public-infra1", "public-infra2",
)  # fmt: skip
@BOTH
def test_three_find_each_other_through_the_service(guide: Guide) -> None:
    discovery_service(guide)
    url = guide.output("public-new")
    assert guide.ask_curl(f"curl {url}/_config/size").find('"value":"3"') > 0
    by_default = guide.ask_curl("curl https://discovery.etcd.io/new")
    assert guide.ask_curl(f"curl {by_default}/_config/size").find('"value":"3"') > 0

    env = variables(guide.take("public-variable").command.replace(GUIDES_URL, url))
    flags = words(guide.take("public-flag").command.replace(GUIDES_URL, url))
    is_one_cluster(
        [
            start(guide, "public-infra0", url),
            start(guide, "public-infra1", url, without=("--discovery",), env=env),
            start(guide, "public-infra2", url, *flags, without=("--discovery",)),
        ]
    )


@pytest.mark.guide("public-infra1", "public-infra2", "public-too-many", "discovery-full")
def test_who_comes_when_the_cluster_is_full_is_a_proxy_or_exits(guide: Guide) -> None:
    discovery_service(guide)
    url = new_url(guide, 2)
    two = [start(guide, f"public-infra{n}", url) for n in (1, 2)]
    is_one_cluster(two)
    guide.ends_as_told("discovery-full", instead={GUIDES_URL: url})
    late = guide.start(
        "discovery-full", instead={GUIDES_URL: url, "--discovery-fallback exit": "--discovery-fallback proxy"}
    )
    late.wait_until_serving()
    assert late.put("/through", "proxy").status == 201
    assert two[0].get("/through", "quorum=true").status == 200


@pytest.mark.guide("public-infra0", "public-through-proxy")
def test_the_service_is_reached_through_a_proxy(guide: Guide) -> None:
    discovery = discovery_service(guide)
    url = new_url(guide, 1)
    infra0 = guide.world.machine("infra0")
    hosts = {"discovery.etcd.io": discovery.host}
    with infra0.inside(), ForwardProxy(hosts, infra0.loopback) as proxy:
        env = {"ETCD_DISCOVERY_PROXY": f"http://{proxy.address}"}
        start(guide, "public-infra0", url, env=env).wait_until_serving()
    assert proxy.asked
    assert {line.partition(" ")[0] for line in proxy.asked} == {"CONNECT"}


@pytest.mark.guide("discovery-without-size")
def test_a_url_without_a_size(guide: Guide) -> None:
    discovery_service(guide)
    guide.ends_as_told("discovery-without-size")


@pytest.mark.guide("public-infra0", "discovery-ignored")
def test_a_member_that_has_begun_ignores_the_url(guide: Guide) -> None:
    service = discovery_service(guide)
    url = new_url(guide, 1)
    first = start(guide, "public-infra0", url).wait_until_serving()
    first.put("/message", "x")
    first.stop()
    service.stop()
    again = guide.start("discovery-ignored").wait_until_serving()
    guide.says_as_told("discovery-ignored", again)
    assert again.get("/message").status == 200
