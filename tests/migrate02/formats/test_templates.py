"""Statements of templates: which of them decide what is there, and what stands together in one block."""

import pytest

from migrate02.formats.templates import Blocks, comments_for_lines, deciding, statements
from tests.migrate02.running import migrate02


@pytest.mark.parametrize(
    "statement",
    [
        "{% if x %}",
        "{%- for x in y -%}",
        "{% endif %}",
        "{% else %}",
        "<% if @x -%>",
        "<%- unless x -%>",
        "<% @peers.each do |peer| %>",
        "<% if $x { -%>",
        "<% } -%>",
        "<% end %>",
        "{{if .X}}",
        "{{- range .Y -}}",
        "{{ end }}",
        "{{#x}}",
        "{{^x}}",
        "{{/x}}",
    ],
)
def test_what_opens_divides_or_closes_a_block_decides(statement: str) -> None:
    found = deciding(f"a {statement} b")
    assert found is not None
    assert found.text == statement


@pytest.mark.parametrize(
    "text",
    [
        "{{ name }}",
        "{{ endpoint }}",
        "{{ ifname }}",
        "<%= @x %>",
        "<%# a comment %>",
        "{# a comment #}",
        "{% set x = 1 %}",
        "{% include 'x' %}",
        "{% raw %}{% endraw %}",
        "<% x = 1 %>",
        "$IP %H",
    ],
)
def test_what_puts_a_value_in_or_sets_one_does_not(text: str) -> None:
    assert deciding(text) is None


def test_blocks_within_blocks_and_their_branches_are_told_apart() -> None:
    text = "0\n{% if a %}\n1\n{% if b %}\n2\n{% endif %}\n3\n{% else %}\n4\n{% endif %}\n5\n"
    blocks = Blocks(text)
    by_digit = {digit: blocks.of(text.index(digit)) for digit in "012345"}
    assert by_digit["0"] is by_digit["5"] is None
    assert len({by_digit[digit] for digit in "0124"}) == 4
    assert by_digit["1"] == by_digit["3"]
    assert blocks.of_line(3) == by_digit["1"]
    assert [one.depth for one in statements(text)] == [1, 2, 1, 1, 0]


def test_lines_of_nothing_but_templates_are_comments_of_the_same_length() -> None:
    text = "a:\n  {% if x %}\n  b: {{ c }}\n  {{- end }} \r\nd: 1 {% x %}\n"
    expected = "a:\n  ##########\n  b: {{ c }}\n  ########## \r\nd: 1 {% x %}\n"
    assert comments_for_lines(text) == expected


def test_a_plan_says_that_a_template_decides() -> None:
    run = migrate02("plan", "fixtures/convert/systemd-template-condition/input.service")
    assert "not-converted" in run.codes
    assert "decides which settings exist" in run.err
