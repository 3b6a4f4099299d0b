"""The guide's chapter on static bootstrap, and its error cases."""

import pytest

from tests.guide.walking import Guide, Started, is_one_cluster, variables, words
from tests.guide.worlds import BOTH
from tests.support.process import PATIENCE

pytestmark = pytest.mark.slow

LIST = ("--initial-cluster", "--initial-cluster-state")


def three(guide: Guide, *more: str) -> list[Started]:
    return [guide.start(f"static-infra{n}", *more) for n in range(3)]


@pytest.mark.guide("static-variables", "static-flags", "static-infra0", "static-infra1", "static-infra2")
def test_the_list_is_given_by_variables_or_by_flags(guide: Guide) -> None:
    env = variables(guide.take("static-variables").command)
    flags = words(guide.take("static-flags").command)
    is_one_cluster(
        [
            guide.start("static-infra0", without=LIST, env=env),
            guide.start("static-infra1", *flags, without=LIST),
            guide.start("static-infra2", without=LIST, env=env),
        ]
    )


@pytest.mark.guide("static-infra0", "static-infra1", "static-infra2", "static-later-starts")
@BOTH
def test_three_commands_make_a_cluster_and_later_starts_need_no_list(guide: Guide) -> None:
    members = three(guide)
    is_one_cluster(members)
    assert [one["name"] for one in members[2].members()] == ["infra0", "infra1", "infra2"]
    assert [one["clientURLs"] for one in members[2].members()] == [[member.url] for member in members]
    ids, cluster = [one["id"] for one in members[0].members()], members[0].cluster_id
    for member in members:
        member.stop()
    again = [
        guide.start("static-infra0", without=("--initial-cluster-token", *LIST)),
        guide.start("static-infra1", "--initial-cluster", "infra1=http://10.0.1.99:2380"),
        guide.start("static-infra2"),
    ]
    for member in again:
        member.wait_until_serving()
        assert member.cluster_id == cluster
        assert [one["id"] for one in member.members()] == ids
        assert member.get("/message").status == 200


@pytest.mark.guide("static-infra0", "static-infra1", "static-infra2", "static-token")
def test_a_token_keeps_equal_configurations_apart(guide: Guide) -> None:
    members = [guide.start("static-infra0"), guide.start("static-infra1")]
    for member in members:
        member.wait_until_serving()
    stranger = guide.start("static-infra2", "--initial-cluster-token", "etcd-cluster-2")
    assert stranger.popen.wait(PATIENCE) == 1
    assert f"!= {members[0].cluster_id}). Exiting." in stranger.log
    assert members[0].put("/message", "x").status == 201


@pytest.mark.guide("static-not-listed")
def test_a_member_that_is_not_in_the_list(guide: Guide) -> None:
    guide.ends_as_told("static-not-listed")


@pytest.mark.guide("static-other-urls")
def test_a_member_that_is_listed_at_another_address(guide: Guide) -> None:
    guide.ends_as_told("static-other-urls")


@pytest.mark.guide("static-infra0", "static-infra1", "static-infra2", "static-other-cluster")
def test_a_member_with_another_list_than_the_cluster_it_finds(guide: Guide) -> None:
    members = three(guide)
    is_one_cluster(members)
    other = guide.ends_as_told("static-other-cluster")
    assert f"!= {members[0].cluster_id}). Exiting." in other.log
    assert not (guide.folder_of("infra3") / "infra3.etcd").exists()
