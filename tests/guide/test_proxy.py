"""The guide's page on proxies: the two ways to start one, and how one becomes a member."""

import shutil

import pytest

from tests.guide.examples import EXAMPLES
from tests.guide.services import discovery_service
from tests.guide.test_discovery import GUIDES_URL, new_url, start
from tests.guide.walking import Guide, Started, anywhere, is_one_cluster, variables

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


def added_member(output: str) -> tuple[str, dict[str, str]]:
    """What is said of the new member, and the variables to start it with."""
    head, _, rest = output.partition("\n\n")
    return anywhere(head), variables(rest)


def in_any_order(env: dict[str, str]) -> dict[str, list[str]]:
    """Members are listed by their ids, and one that is added has another every time."""
    return {name: sorted(value.split(",")) for name, value in env.items()}


def told(guide: Guide) -> tuple[str, dict[str, list[str]]]:
    head, env = added_member(guide.here(EXAMPLES["proxy-member-add"].in_238))
    return head, in_any_order(env)


@pytest.mark.guide("static-infra0", "proxy-static", "proxy-member-add", "proxy-promoted")
def test_a_proxy_becomes_a_member(guide: Guide) -> None:
    """In the guide's four steps; it leaves open where the data are."""
    infra0 = guide.start("static-infra0", "--initial-cluster", "infra0=http://10.0.1.10:2380")
    data_dir = guide.folder_of("infra1") / "data"
    proxy = guide.start("proxy-static", "--data-dir", str(data_dir), on="infra1").from_its_machine()
    passes_on(proxy, infra0.wait_until_serving())

    head, env = added_member(guide.output("proxy-member-add"))
    assert (head, in_any_order(env)) == told(guide)
    proxy.stop()
    shutil.rmtree(data_dir / "proxy")
    member = guide.start("proxy-promoted", instead={"%data_dir%": str(data_dir)}, env=env)
    is_one_cluster([infra0, member])
