"""The parts of a plan as a page of HTML, whatever it plans: its frame, a table, findings, a runbook. Pure.

The page needs nothing else: no script, no font, no picture from elsewhere. Its own script may be missing, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from html import escape as escape_html

from compat.findings import Finding
from migrate02.plan.page_script import POLICY, SCRIPT
from migrate02.plan.page_style import STYLE
from migrate02.plan.step import Step
from server.printable import printable


def escape(text: str) -> str:
    """A text as it may stand in HTML and in SVG, in one line."""
    return escape_html(printable(text))


def framed(heading: str, lead: str, body: Iterable[str]) -> str:
    """The whole page."""
    return "\n".join(_framed(heading, lead, body)) + "\n"


def _framed(heading: str, lead: str, body: Iterable[str]) -> Iterator[str]:
    content = "\n".join(body)
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    yield f"<title>{escape(heading)}</title>\n<style>{STYLE}</style>\n</head>"
    yield f'<body data-plan="{_digest(heading, lead, content)}">\n<main>'
    yield f"<h1>{escape(heading)}</h1>"
    yield f'<p class="lead">{escape(lead)}</p>'
    yield content
    yield f"</main>\n<script>{SCRIPT}</script>\n</body>\n</html>"


def _digest(*texts: str) -> str:
    """Names the plan: its ticks are not those of another one at the same address."""
    return sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The first cell of a row says what it is about. On a narrow screen each cell shows its heading."""
    yield '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>\n<thead><tr>'
    yield "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    yield "</tr></thead>\n<tbody>"
    for first, *others in rows:
        cells = (
            f'<td data-heading="{escape(heading)}">{_in_paths(cell)}</td>'
            for heading, cell in zip(headings[1:], others, strict=True)
        )
        yield f'<tr><th scope="row">{escape(first)}</th>{"".join(cells)}</tr>'
    yield "</tbody></table></div>"


def _in_paths(text: str) -> str:
    """A path may go on in the next line behind a slash, a list behind a comma, and nothing behind a hyphen."""
    pieces = re.sub(r"(?:https?://|\.{1,2}/)?[^\s/,]+[/,]?", r"<span>\g<0></span><wbr/>", escape(text))
    are_files = all("/" in part for part in text.split(", "))
    return pieces.replace(",</span><wbr/> ", ",</span><br/>") if are_files else pieces


def _in_text(text: str) -> str:
    """Long paths may go on in the next line, and are not cut elsewhere."""
    return re.sub(r"(?<=[^/:\s])/(?=[^/\s])", "/<wbr/>", escape(text))


def findings_html(findings: Iterable[Finding], level: str = "h3") -> Iterator[str]:
    items = "".join(map(_finding, findings))
    if items:
        yield f'<{level}>To look at</{level}>\n<ul class="findings">{items}</ul>'


def _finding(finding: Finding) -> str:
    severity = finding.severity
    parts = [f"<b>{severity}</b><code>{finding.code}</code> {_in_text(finding.message)}"]
    if finding.remedy:
        parts.append(f'<span class="remedy">→ {_in_text(finding.remedy)}</span>')
    if finding.place:
        parts.append(f'<span class="place">{_in_text(finding.place)}</span>')
    return f'<li class="{severity}">{"".join(parts)}</li>'


def runbook_html(how_to_go_back: str, steps: Iterable[Step]) -> Iterator[str]:
    yield f'<h3>Runbook</h3>\n<p class="why">{escape(how_to_go_back)}</p>\n<ol class="runbook">'
    for number, step in enumerate(steps, 1):
        yield from _step(number, step)
    yield "</ol>"


def _step(number: int, step: Step) -> Iterator[str]:
    title = f"{number}. {escape(step.title)}"
    yield f'<li><h4 class="step"><label><input type="checkbox"/><span>{title}</span></label></h4>'
    yield '<div class="step-body">'
    if step.why:
        yield f'<p class="why">{escape(step.why)}</p>'
    for name, lines in step.sets:
        yield f"<h5>{escape(name)}</h5>{text(lines)}"
    if step.run:
        yield commands(step.run)
    if step.see:
        yield f'<p class="check"><b>{"Check" if step.check else "See"}</b> {escape(step.see)}.</p>'
    if step.check:
        yield commands(step.check)
    if step.back:
        yield f'<details class="back"><summary>The way back, which loses {escape(step.loses)}</summary>'
        yield f"{commands(step.back)}</details>"
    elif step.back_in_words:
        yield f'<p class="why">{escape(step.back_in_words)}</p>'
    yield "</div></li>"


def commands(lines: Iterable[str]) -> str:
    """Each is copied by itself."""
    return f'<div class="lines">{"".join(f"<pre>{_in_whole_words(line)}</pre>" for line in lines)}</div>'


def _in_whole_words(line: str) -> str:
    """A browser would end a line behind each hyphen of an option. What is longer than a line ends behind a comma."""
    return re.sub(r"\S*[-,=]\S+", _in_pieces, escape(line))


def _in_pieces(word: re.Match[str]) -> str:
    option = re.match(r"(?:&#x27;)?-[\w-]+=|[A-Z_]+=", word[0])
    at = option.end() if option else 0
    pieces = [*filter(None, [word[0][:at]]), *re.findall("[^,]*,|[^,]+", word[0][at:])]
    return f"<span>{''.join(f'<span>{piece}</span>' for piece in pieces)}</span>"


def text(lines: Iterable[str]) -> str:
    """All are copied together."""
    return f'<div class="lines"><pre>{chr(10).join(map(_in_whole_words, lines))}</pre></div>'
