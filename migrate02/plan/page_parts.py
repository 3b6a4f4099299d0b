"""The parts of a plan as a page of HTML, whatever it plans: its frame, a table, findings, a runbook. Pure.

The page needs nothing else: no script, no font, no picture from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape as escape_html

from compat.findings import Finding
from migrate02.plan.step import Step
from server.printable import printable

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #f5f6f8; --card: #fff; --edge: #d9dee5;
  --code: #f1f3f6; --old: #8a6d1f; --old-fill: #fdf6e0; --lead: #b4540a; --lead-fill: #fdebdc; --new: #14683f;
  --new-fill: #e3f5ea; --proxy: #28599c; --proxy-fill: #e6effb; --away: #76808d; --away-fill: #eef0f3; --bad: #b3261e;
  --bad-fill: #fdeceb; --doubt: #8a5a00; --doubt-fill: #fff5de; --note: #35608f; --note-fill: #eaf2fb }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #9aa5b4; --paper: #12161c; --card: #1a2029;
  --edge: #303945; --code: #11161d; --old: #d9bb66; --old-fill: #2c2616; --lead: #f0a15e; --lead-fill: #36230f;
  --new: #6fcf97; --new-fill: #13291d; --proxy: #86b4f0; --proxy-fill: #16253a; --away: #8e99a8; --away-fill: #222933;
  --bad: #ff8a80; --bad-fill: #351a19; --doubt: #f2c063; --doubt-fill: #30260f; --note: #8fbdf0; --note-fill: #16253a }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 80px }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3em; letter-spacing: -.015em }
h2 { font-size: 1.4rem; margin: 0 0 1em } h3 { font-size: 1.05rem; margin: 2.2em 0 .8em }
p { margin: .5em 0 } .lead, .why, dt { color: var(--soft) }
section { background: var(--card); border: 1px solid var(--edge); border-radius: 14px; padding: 28px; margin-top: 28px }
nav a { display: inline-block; margin: .6em .6em 0 0; padding: .2em .8em; border: 1px solid var(--edge);
  border-radius: 99px; color: inherit; text-decoration: none; background: var(--card) }
nav a.refused { border-color: var(--bad); color: var(--bad) }
.scroll { overflow-x: auto } svg { display: block; width: 100%; height: auto; margin: 0 auto 24px }
table { border-collapse: collapse; width: 100%; font-size: .92rem }
th { text-align: left; font-weight: 600; color: var(--soft) }
th, td { padding: .45em .9em .45em 0; border-bottom: 1px solid var(--edge); vertical-align: top }
td, .place { overflow-wrap: anywhere }
code, pre { font: .86rem/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
pre { background: var(--code); border: 1px solid var(--edge); border-radius: 8px; padding: .8em 1em; margin: .6em 0;
  white-space: pre-wrap; overflow-wrap: anywhere }
.findings { list-style: none; padding: 0; margin: 0 }
.findings li { border-left: 4px solid; border-radius: 6px; padding: .6em 1em; margin: .5em 0 }
.findings .place { display: block; font-size: .86rem; color: var(--soft) }
.findings .remedy { display: block }
.findings b { margin-right: .5em }
.findings .error { border-color: var(--bad); background: var(--bad-fill) } .error b { color: var(--bad) }
.findings .review { border-color: var(--doubt); background: var(--doubt-fill) } .review b { color: var(--doubt) }
.findings .info { border-color: var(--note); background: var(--note-fill) } .info b { color: var(--note) }
ol.runbook { list-style: none; padding: 0; margin: 0 }
ol.runbook > li { border-top: 1px solid var(--edge); padding: 1.1em 0 .6em }
label.step { display: flex; gap: .7em; align-items: baseline; font-weight: 600; font-size: 1.05rem; cursor: pointer }
label.step input { width: 1.05em; height: 1.05em; accent-color: var(--new); flex: none }
li:has(> label > input:checked) label { color: var(--soft); text-decoration: line-through }
.step-body { margin-left: 1.8em } .step-body h4 { margin: 1em 0 .2em; font-size: .92rem }
.check { margin-top: 1em } .check b { color: var(--new) }
.back summary { cursor: pointer; color: var(--soft); margin: .8em 0 .2em; font-size: .92rem }
.panel { fill: none; stroke: var(--edge); stroke-width: 1.5 }
.heading { font: 600 19px system-ui, sans-serif; fill: var(--soft) }
.peers { stroke: var(--soft); stroke-width: 1.4; opacity: .5 }
.follows { stroke: var(--away); stroke-width: 1.4; stroke-dasharray: 5 5 }
.arrow { fill: none; stroke: var(--soft); stroke-width: 3; stroke-linecap: round; stroke-linejoin: round }
.node rect { stroke-width: 1.8 } .node text { fill: var(--ink) }
.name { font: 600 15px system-ui, sans-serif } .node .role { font: 12px system-ui, sans-serif; text-anchor: end }
.node .address { font: 11.5px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: var(--soft) }
.node.member rect { fill: var(--old-fill); stroke: var(--old) } .node.member .role { fill: var(--old) }
.node.leader rect { fill: var(--lead-fill); stroke: var(--lead); stroke-width: 2.6 }
.node.leader .role { fill: var(--lead); font-weight: 600 }
.node.standby rect { fill: var(--away-fill); stroke: var(--away); stroke-dasharray: 6 4 }
.node.standby .role { fill: var(--away) }
.node.new rect { fill: var(--new-fill); stroke: var(--new) } .node.new .role { fill: var(--new) }
.node.proxy rect { fill: var(--proxy-fill); stroke: var(--proxy); stroke-dasharray: 6 4 }
.node.proxy .role { fill: var(--proxy) }
@media print { body { background: none } section { border: 0; padding: 0 } pre { white-space: pre-wrap } }
@media (max-width: 640px) { main { padding: 20px 12px } section { padding: 16px } svg { min-width: 640px } }
"""


def escape(text: str) -> str:
    """A text as it may stand in HTML and in SVG, in one line."""
    return escape_html(printable(text))


def framed(heading: str, lead: str, body: Iterable[str]) -> str:
    """The whole page."""
    return "\n".join(_framed(heading, lead, body)) + "\n"


def _framed(heading: str, lead: str, body: Iterable[str]) -> Iterator[str]:
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    yield f"<title>{escape(heading)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>"
    yield f"<h1>{escape(heading)}</h1>"
    yield f'<p class="lead">{escape(lead)}</p>'
    yield from body
    yield "</main>\n</body>\n</html>"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield '<div class="scroll"><table>\n<thead><tr>'
    yield "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    yield "</tr></thead>\n<tbody>"
    for row in rows:
        yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
    yield "</tbody></table></div>"


def findings_html(findings: Iterable[Finding]) -> Iterator[str]:
    items = [
        f'<li class="{finding.severity}"><b>{finding.severity}</b><code>{finding.code}</code> {escape(finding.message)}'
        + (f'<span class="remedy">→ {escape(finding.remedy)}</span>' if finding.remedy else "")
        + (f'<span class="place">{escape(finding.place)}</span>' if finding.place else "")
        + "</li>"
        for finding in findings
    ]
    if items:
        yield f'<h3>To look at</h3>\n<ul class="findings">{"".join(items)}</ul>'


def runbook_html(how_to_go_back: str, steps: Iterable[Step]) -> Iterator[str]:
    yield f'<h3>Runbook</h3>\n<p class="why">{escape(how_to_go_back)}</p>\n<ol class="runbook">'
    for number, step in enumerate(steps, 1):
        yield from _step(number, step)
    yield "</ol>"


def _step(number: int, step: Step) -> Iterator[str]:
    yield f'<li><label class="step"><input type="checkbox"/><span>{number}. {escape(step.title)}</span></label>'
    yield '<div class="step-body">'
    if step.why:
        yield f'<p class="why">{escape(step.why)}</p>'
    for name, lines in step.sets:
        yield f"<h4>{escape(name)}</h4>{code(lines)}"
    if step.run:
        yield code(step.run)
    if step.see:
        yield f'<p class="check"><b>{"Check" if step.check else "See"}</b> {escape(step.see)}.</p>'
    if step.check:
        yield code(step.check)
    if step.back:
        yield f'<details class="back"><summary>The way back, which loses {escape(step.loses)}</summary>'
        yield f"{code(step.back)}</details>"
    elif step.back_in_words:
        yield f'<p class="why">{escape(step.back_in_words)}</p>'
    yield "</div></li>"


def code(lines: Iterable[str]) -> str:
    return "<pre>" + "\n".join(map(escape, lines)) + "</pre>"
