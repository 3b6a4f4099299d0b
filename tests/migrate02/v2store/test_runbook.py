"""The steps for clusters of all kinds, in order; nothing from a directory or a name makes anything of a plan."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compat.findings import REVIEW
from migrate02.plan.step import Step
from migrate02.v2store.findings import NOT_GIVEN
from migrate02.v2store.plan_texts import as_html, as_json, as_markdown
from migrate02.v2store.planned import CLEAN, TO_CLEAN, UNKNOWN, ClusterMember, PlannedCluster
from migrate02.v2store.runbook import runbook
from server.printable import printable
from tests.migrate02.plan.pages import assert_needs_nothing_else
from tests.migrate02.plan.test_markdown import HOSTILE, PARSER, _tokens, shape, texts


def member(at: int, state: str = TO_CLEAN, **more: str | bool) -> ClusterMember:
    path = "" if state == UNKNOWN else f"m{at}"
    made = ClusterMember(
        f"m{at}", f"{at}a", path, state, "what it holds", client_url=f"http://10.0.0.{at}:2379"
    )
    return made._replace(**more)  # type: ignore[arg-type]


def cluster(*members: ClusterMember, **more: object) -> PlannedCluster:
    return PlannedCluster("c1", "3.5.0", False, members)._replace(**more)  # type: ignore[arg-type]


THREE = cluster(member(1), member(2), member(3), had_requests="3 probes of /health", exports_from=member(2))


def titles(of: PlannedCluster) -> list[str]:
    return [step.title for step in runbook(of)]


def lines(step: Step) -> tuple[str, ...]:
    return (*step.run, *step.check, *step.back)


def commands(of: PlannedCluster, what: str) -> list[str]:
    return [line for step in runbook(of) for line in step.run if what in line]


def test_the_flag_goes_first_then_the_keys_are_written_out_then_each_member_is_cleaned() -> None:
    assert titles(THREE) == [
        "Make a backup of the v3 keys, and see that all members are well",
        "Take --enable-v2 away from every member, and restart them one by one",
        "Write the v2 keys out",
        "m1: stop it, clean its directory, start it as 3.6",
        "m2: stop it, clean its directory, start it as 3.6",
        "m3: stop it, clean its directory, start it as 3.6",
        "See that all is well on 3.6",
        "Before 3.7: look again",
    ]
    assert commands(THREE, "export") == [
        "migrate02 v2store export m2 > v2-keys.jsonl",
        "migrate02 v2store export --as etcdctl m2 > v2-keys.sh",
    ]


def test_a_member_is_cleaned_between_its_stop_and_its_start() -> None:
    for step in runbook(THREE)[3:6]:
        stop, clean, start = step.run
        assert stop.startswith("# stop the member")
        assert clean.startswith("migrate02 v2store clean --write m")
        assert start.startswith("# put etcd 3.6 in place, and start the member")


def test_with_a_ttl_no_member_runs_before_all_are_cleaned() -> None:
    plan = THREE._replace(has_ttl=True)
    (step,) = [step for step in runbook(plan) if "clean --write" in "".join(step.run)]
    kinds = [
        "stop" if "stop the" in line else "start" if "start the" in line else "clean" for line in step.run
    ]
    assert kinds == ["stop"] * 3 + ["clean"] * 3 + ["start"] * 3
    assert "all members have to stop at the same time" in as_markdown(plan)


def test_a_ttl_makes_no_difference_for_one_member_or_where_all_is_clean() -> None:
    one, clean = cluster(member(1)), cluster(member(1, CLEAN), member(2, CLEAN))
    for plan in (one, clean):
        assert titles(plan._replace(has_ttl=True)) == titles(plan)


def test_members_that_are_clean_come_last_and_are_looked_at_again() -> None:
    plan = cluster(member(1, CLEAN), member(2), member(3, UNKNOWN))
    assert [title[:2] for title in titles(plan)[2:5]] == ["m2", "m3", "m1"]
    assert commands(plan, "clean") == [
        "migrate02 v2store clean --write m2",
        "migrate02 v2store check DATA-DIR-OF-m3 || migrate02 v2store clean --write DATA-DIR-OF-m3",
        "migrate02 v2store check m1 || migrate02 v2store clean --write m1",
    ]


def test_every_member_has_its_stop_and_its_start_once() -> None:
    kinds = (
        THREE,
        THREE._replace(has_ttl=True),
        cluster(member(1, CLEAN), member(2, CLEAN), member(3, CLEAN)),
    )
    for plan in kinds:
        for at in (1, 2, 3):
            assert len(commands(plan, f"stop the member m{at} ")) == 1
            assert len(commands(plan, f"start the member m{at} ")) == 1


def test_a_clean_cluster_has_a_short_plan_that_says_so() -> None:
    plan = cluster(member(1, CLEAN), member(2, CLEAN))
    assert titles(plan) == [
        "Make a backup of the v3 keys, and see that all members are well",
        "See that --enable-v2 is off on every member",
        "Start the members as 3.6, one by one",
        "See that all is well on 3.6",
        "Before 3.7: look again",
    ]
    assert "no directory has to be cleaned" in as_markdown(plan)


def test_on_36_the_plan_is_the_way_to_37() -> None:
    plan = cluster(member(1), member(2, CLEAN), is_of_36=True, had_requests="1 write of v2 keys")
    assert titles(plan) == [
        "Make a backup of the v3 keys, and see that all members are well",
        "m1: stop it, clean its directory, start it as 3.7",
        "m2: stop it, check its directory, start it as 3.7",
        "See that all is well on 3.7",
    ]
    assert commands(plan, "check") == [
        "migrate02 v2store check --for 3.7 m2 || migrate02 v2store clean --write m2"
    ]
    assert "--snapshot-count=2" in as_markdown(plan)
    clean = cluster(member(1, CLEAN), is_of_36=True)
    assert titles(clean)[1:2] == ["Start the member as 3.7"]


def test_what_changes_something_has_a_way_back_and_the_old_files_never_come_back_late() -> None:
    for plan in (THREE, THREE._replace(has_ttl=True), THREE._replace(is_of_36=True)):
        for step in runbook(plan):
            assert not step.run or step.back or step.back_in_words, step.title
            if "clean --write" in "".join(step.run):
                assert "tocommit is out of range" in step.back_in_words
                assert "etcdctl member remove" in step.back_in_words


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "The cluster is down while"),
        (2, "Of two members none may be missing"),
        (3, "The other members go on"),
    ],
)
def test_what_goes_on_meanwhile_is_said(count: int, said: str) -> None:
    plan = cluster(*(member(at) for at in range(1, count + 1)))
    (first,) = [step for step in runbook(plan) if step.title.startswith("m1")]
    assert first.why.startswith(said)


def test_a_learner_has_no_vote() -> None:
    plan = cluster(member(1), member(2, is_learner=True))
    (first,) = [step for step in runbook(plan) if step.title.startswith("m1")]
    assert first.why.startswith("The cluster is down while")


def test_all_members_are_asked_where_their_addresses_are_known() -> None:
    (backup, *_) = runbook(THREE)
    assert backup.run == ("etcdctl --endpoints http://10.0.0.1:2379 snapshot save before-3.6.db",)
    urls = "http://10.0.0.1:2379,http://10.0.0.2:2379,http://10.0.0.3:2379"
    assert f"etcdctl --endpoints {urls} endpoint health" in backup.check
    (backup, flag, *_) = runbook(cluster(member(1, client_url=""), member(2, client_url="")))
    assert backup.run == ("etcdctl snapshot save before-3.6.db",)
    assert "etcdctl endpoint health --cluster" in backup.check
    assert flag.check == ()


def test_with_tls_the_tools_are_told_whom_to_trust() -> None:
    assert "--cacert" not in runbook(THREE)[0].why
    assert "--cacert" in runbook(cluster(member(1, client_url="https://10.0.0.1:2379")))[0].why


def test_a_log_in_a_place_of_its_own_is_named() -> None:
    plan = cluster(member(1, wal_dir="/fast disk/wal"), exports_from=member(1, wal_dir="/fast disk/wal"))
    own = [line for step in runbook(plan) for line in lines(step) if line.startswith("migrate02")]
    assert len(own) == 6
    assert all("--wal-dir '/fast disk/wal' m1" in line for line in own)


def hostile(text: str) -> PlannedCluster:
    """The text wherever one of a directory, a file or a command line comes into a plan."""
    one = ClusterMember(text or "m1", "1a", f"{text}/m1", TO_CLEAN, text, text, f"http://{text}")
    told = NOT_GIVEN.finding("", None, name=text)
    return PlannedCluster("c1", "3.5.0", False, (one, member(2, UNKNOWN)), exports_from=one, findings=(told,))


@settings(deadline=None)
@given(texts)
@example("`x`")
def test_no_text_makes_anything_of_a_plan(text: str) -> None:
    assert shape(as_markdown(hostile(text))) == shape(as_markdown(hostile("plain")))
    for token in _tokens(PARSER.parse(as_markdown(hostile(text)))):
        assert token.type not in ("link_open", "image", "html_block", "html_inline", "em_open", "s_open")


@given(texts)
def test_every_line_is_one_line(text: str) -> None:
    for step in runbook(hostile(text)):
        for line in lines(step):
            assert line == printable(line)


@settings(deadline=None)
@given(st.one_of(texts, st.sampled_from(HOSTILE)))
def test_the_page_needs_nothing_else_whatever_is_in_it(text: str) -> None:
    assert_needs_nothing_else(as_html(hostile(text)))
    as_json(hostile(text)).encode()
    as_markdown(hostile(text)).encode()


def test_a_shell_runs_nothing_but_the_commands(tmp_path: Path) -> None:
    """Each line of each plan, with stand-ins for the programs."""
    never = Path("/tmp/never")
    bash = shutil.which("bash")
    assert bash is not None
    names = ("migrate02", "etcdctl", "etcdutl", "curl", "head", "rm")
    stand_ins = "".join(f"{name}() {{ return 0; }}\n" for name in names)
    script = "".join(
        f"{line}\n" for text in HOSTILE for step in runbook(hostile(text)) for line in lines(step)
    )
    run = subprocess.run(
        [bash, "-u", "-c", f"X=value\n{stand_ins}{script}"],
        cwd=tmp_path,
        env={"PATH": "/nonexistent"},
        capture_output=True,
        timeout=60,
    )
    assert (run.returncode, run.stderr) == (0, b"")
    assert not never.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v2-keys.jsonl", "v2-keys.sh"]


def test_a_directory_is_no_option() -> None:
    plan = cluster(member(1, path="--write"))
    assert shlex.split(commands(plan, "clean")[0])[-1] == "./--write"


def test_what_is_to_be_looked_at_makes_the_plan_one_for_a_person() -> None:
    assert NOT_GIVEN.code.severity == REVIEW
    assert hostile("x").needs_review
    assert not THREE.needs_review
