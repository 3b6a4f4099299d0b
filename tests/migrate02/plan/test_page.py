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


def test_every_node_is_drawn_before_and_after() -> None:
    plan = PLANS["with a proxy"]
    (picture,) = parsed(plan).iter(f"{SVG}svg")
    nodes = [group.attrib["class"] for group in picture.iter(f"{SVG}g")]
    assert nodes == ["node member", "node member", "node standby", "node new", "node new", "node proxy"]
    names = [text.text for text in picture.iter(f"{SVG}text") if text.attrib["class"] == "name"]
    assert names == ["infra1", "infra2", "infra3"] * 2


@pytest.mark.parametrize("count", range(1, 13))
def test_no_two_nodes_of_a_picture_touch(count: int) -> None:
    plan = make_plan(crowd(count), PlanOptions(standbys=tuple(f"n{at}" for at in range(10, 13))))  # type: ignore[arg-type]
    (picture,) = parsed(plan).iter(f"{SVG}svg")
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


def test_start_lines_and_steps_are_on_it() -> None:
    page = "".join(parsed(PLANS["three"]).itertext())
    assert "etcd02 --name=infra2" in page
    assert "migrate02 data old-infra1/infra1 old-infra1/infra2 old-infra1/infra3 --out new-infra1" in page


def test_a_refused_cluster_shows_why_and_no_start_line() -> None:
    page = parsed(make_plan([node("<b>&", "10.0.0.1", peers="10.0.0.2:7001")]))
    text = "".join(page.itertext())
    assert "10.0.0.2:7001 in -peers of <b>& is the address of no node" in text
    assert "etcd02 --name=" not in text
