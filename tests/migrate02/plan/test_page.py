"""The page is well-formed, complete, and needs nothing from elsewhere."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from migrate02.plan.page import as_html
from migrate02.plan.planning import Plan, PlanOptions, make_plan
from tests.migrate02.plan import pages
from tests.migrate02.plan.described import node, three
from tests.migrate02.plan.pages import SVG, assert_needs_nothing_else


def parsed(plan: Plan) -> ElementTree.Element:
    return pages.parsed(as_html(plan))


def crowd(count: int) -> list[object]:
    return [node(f"n{at}", f"10.0.0.{at}", peers="10.0.0.1:7001") for at in range(1, count + 1)]


WIDTHS = ["wide", "medium", "narrow"]
"""Of a page, with a picture for each."""

PLANS = {
    "three": make_plan(three()),
    "with a proxy": make_plan(three(), PlanOptions(standbys=("infra3",), ports="both")),
    "two clusters, one refused": make_plan([*three(), node("<b>&", "10.0.0.1", peers="10.0.0.2:7001")]),
    "one": make_plan([node("a", "10.0.0.1")]),
    "none": make_plan([]),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_it_is_well_formed_and_needs_nothing_else(plan: Plan) -> None:
    assert_needs_nothing_else(as_html(plan))


def pictures(plan: Plan) -> dict[str, ElementTree.Element]:
    """Of a single cluster: the picture for each width of the page."""
    found = {kind: each for each in parsed(plan).iter(f"{SVG}svg") for kind in each.attrib["class"].split()}
    assert list(found) == WIDTHS
    return found


def names(picture: ElementTree.Element) -> list[str | None]:
    return [text.text for text in picture.iter(f"{SVG}text") if text.attrib["class"] == "name"]


@pytest.mark.parametrize("which", WIDTHS)
def test_every_node_is_drawn_before_and_after(which: str) -> None:
    picture = pictures(PLANS["with a proxy"])[which]
    nodes = [group.attrib["class"] for group in picture.iter(f"{SVG}g")]
    assert nodes == ["node member", "node member", "node standby", "node new", "node new", "node proxy"]
    assert names(picture) == ["infra1", "infra2", "infra3"] * 2


@pytest.mark.parametrize("which", WIDTHS)
@pytest.mark.parametrize("count", range(1, 16))
def test_no_two_nodes_of_a_picture_touch(count: int, which: str) -> None:
    plan = make_plan(crowd(count), PlanOptions(standbys=tuple(f"n{at}" for at in range(10, 13))))  # type: ignore[arg-type]
    picture = pictures(plan)[which]
    width, height = map(float, picture.attrib["viewBox"].split()[2:])
    boxes = []
    for group in picture.iter(f"{SVG}g"):
        at = group.find(f"{SVG}rect")
        assert at is not None
        x, y, wide, high = (float(at.attrib[name]) for name in ("x", "y", "width", "height"))
        assert 0 < x < x + wide < width
        assert 0 < y < y + high < height
        boxes.append((x, y, x + wide, y + high))
    assert len(boxes) == 2 * count
    for place, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[place + 1 :]:
            assert right < other[0] or other[2] < left or bottom < other[1] or other[3] < top


@pytest.mark.parametrize("count", [3, 5, 9, 15, 40])
def test_a_picture_is_never_too_wide_to_be_read(count: int) -> None:
    """Of 15 pixels a name has more than 9 on a desk, where 1076 are for the picture, on paper, and on a phone."""
    for which, room in (("wide", 1076), ("medium", 690), ("narrow", 330)):
        picture = pictures(make_plan(crowd(count)))[which]  # type: ignore[arg-type]
        assert float(picture.attrib["viewBox"].split()[2]) <= 15 / 9 * room


def test_addresses_are_drawn_as_long_as_they_can_be_read() -> None:
    """What is not drawn stands in the table."""
    shown = {}
    for count in (3, 9):
        plan = make_plan(crowd(count))  # type: ignore[arg-type]
        shown[count] = sum(
            text.attrib["class"] == "address" for text in pictures(plan)["wide"].iter(f"{SVG}text")
        )
        assert "http://10.0.0.3:7001" in "".join(parsed(plan).itertext())
    assert shown == {3: 12, 9: 0}


@pytest.mark.parametrize(
    ("given", "drawn"),
    [
        ("{}-a.example.com", ["1-a.example.c…", "2-a.example.c…", "3-a.example.c…"]),
        ("etcd.example.com.{}", ["etcd.ex….com.1", "etcd.ex….com.2", "etcd.ex….com.3"]),
        ("short{}", ["short1", "short2", "short3"]),
    ],
)
def test_long_names_are_shortened_and_still_differ(given: str, drawn: list[str]) -> None:
    nodes = [node(given.format(at), f"10.0.0.{at}", peers="10.0.0.1:7001") for at in (1, 2, 3)]
    assert names(pictures(make_plan(nodes))["narrow"])[:3] == drawn


def test_a_table_says_what_its_rows_and_columns_are_about() -> None:
    page = parsed(PLANS["three"])
    headings = [(each.text, each.attrib["scope"]) for each in page.iter("th")]
    assert headings[0] == ("node", "col")
    assert headings[-1] == ("infra3", "row")
    cells = {each.attrib["data-heading"]: "".join(each.itertext()) for each in page.iter("td")}
    assert cells["peer URL"] == "http://10.7.0.13:7001"


def test_each_command_stands_by_itself_and_settings_together() -> None:
    page = parsed(make_plan(three(), PlanOptions(ports="both")))
    lines = ["".join(each.itertext()) for each in page.iter("pre")]
    assert "curl -s http://10.7.0.11:4001/v2/leader; echo" in lines
    assert any(line.count("\nETCD_") for line in lines)
    assert not any("\n" in line for line in lines if not line.startswith("ETCD_"))


def test_the_ticks_of_a_page_are_of_its_plan_alone() -> None:
    plans = [make_plan(three()), make_plan(three()), make_plan(three(), PlanOptions(ports="both"))]
    first, again, other = (next(parsed(plan).iter("body")).attrib["data-plan"] for plan in plans)
    assert first == again != other


def test_start_lines_and_steps_are_on_it() -> None:
    page = "".join(parsed(PLANS["three"]).itertext())
    assert "etcd02 --name=infra2" in page
    assert "migrate02 data old-infra1/infra1 old-infra1/infra2 old-infra1/infra3 --out new-infra1" in page


def test_a_refused_cluster_shows_why_and_no_start_line() -> None:
    page = parsed(make_plan([node("<b>&", "10.0.0.1", peers="10.0.0.2:7001")]))
    text = "".join(page.itertext())
    assert "10.0.0.2:7001 in -peers of <b>& is not the address of any node" in text
    assert "etcd02 --name=" not in text
