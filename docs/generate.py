"""``make docs``: writes the pages that are made from the tables, and the output of console examples.

The tests call the same functions and compare, so a page that is out of date fails.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import yaml

from compat.findings import ERROR, INFO, REVIEW
from compat.flags04 import COMMAND, DROP, FLAGS
from compat.usage import becomes
from migrate02.findings import CODES

ROOT = Path(__file__).parent.parent
CASES = ROOT / "fixtures" / "convert"
"""What convert makes of files, recorded; a folder each."""
TRANSCRIPTS = ROOT / "fixtures" / "findings"
"""Before and after of the findings that take more than one file to convert; a page each, run by ``make docs``."""

_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
_COMMAND = re.compile(r"^\$ .*\n(?:> .*\n)*", re.MULTILINE)
_PRINTED = re.compile(
    r"^(?:(?:etcd02: )?(?:error|review|info)\[(?P<person>[a-z0-9-]+)\]|::[a-z]+ .*,title=(?P<program>[a-z0-9-]+)::).*",
    re.MULTILINE,
)
"""A finding, as a person gets it, or as GitHub does."""


def settings_page() -> str:
    lines = [
        "# Every setting of etcd 0.4",
        "",
        "`make docs` writes this page from `compat/flags04.py`. `migrate02 explain -FLAG` says more about each flag.",
        "",
        "| flag | TOML key | variable | default | becomes | in etcd 2.3.8 itself |",
        "|---|---|---|---|---|---|",
    ]
    for flag in FLAGS:
        if flag.fate == COMMAND:
            continue
        names = " ".join(f"`-{name}`" for name in (flag.name, *flag.short))
        cells = [
            names,
            f"`{flag.toml}`" if flag.toml else "",
            f"`{flag.variable}`" if flag.variable else "",
            flag.default,
            becomes(flag).replace("--", "\\--"),
            flag.in_238,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "## Without a counterpart", ""]
    for flag in FLAGS:
        if flag.fate == DROP:
            lines.append(f"- `-{flag.name}`: {flag.dropped}. {flag.remedy}")
    lines += ["", "## In 0.4's documentation, but never read by 0.4", ""]
    lines += [f"- `{name}` (for `-{flag.name}`)" for flag in FLAGS for name in flag.never_read]
    return "\n".join(lines) + "\n"


def findings_page() -> str:
    lines = [
        "# Every finding",
        "",
        "`make docs` writes this page from the catalogue, `migrate02/findings.py`. A code never changes its meaning. "
        "Each has a page with an explanation, and an example before and after. `migrate02 explain CODE` prints the "
        "explanation.",
    ]
    for severity, what in SEVERITIES.items():
        lines += ["", f"## {severity}: {what}", "", "| code | |", "|---|---|"]
        for code, entry in CODES.items():
            if entry.severity == severity:
                lines.append(f"| [{code}](findings/{code}.md) | {entry.title} |")
    return "\n".join(lines) + "\n"


SEVERITIES = {ERROR: "refused", REVIEW: "needs your attention", INFO: "good to know"}


def finding_page(code: str) -> str:
    """The page of one finding: what the table says of it, and an example that is run by a test."""
    entry = CODES[code]
    transcript = TRANSCRIPTS / f"{code}.md"
    example = transcript.read_text() if transcript.exists() else _example_of(_shortest_case(code), code)
    printed = next(found[0] for found in _PRINTED.finditer(example) if code in found.groups())
    remedy = printed.partition(" -> ")[2]
    lines = [
        f"# {code}: {entry.title}",
        "",
        f"*{entry.severity}: {SEVERITIES[entry.severity]}.* [All findings](../findings.md)",
        "",
        entry.story,
        "",
        *(["## What to do", "", f"In the example below: {remedy.rstrip('.')}.", ""] if remedy else []),
    ]
    return "\n".join([*lines, example])


def codes_of(text: str) -> list[str]:
    """The codes of the findings that are printed in a text."""
    return [found["person"] or found["program"] for found in _PRINTED.finditer(text)]


def _shortest_case(code: str) -> Path:
    """The recorded conversion that shows a finding with the least around it."""

    def around(case: Path) -> tuple[bool, int, int]:
        other = len(set(codes_of(_text(case / "findings"))))
        texts = [
            path.read_bytes().decode(errors="replace") for path in case.iterdir() if path.name != "status"
        ]
        is_plain = not any(mark in text for text in texts for mark in "\r\0\ufffd")
        has_result = CODES[code].severity == ERROR or _is_configuration(_text(case / "expected"))
        has_input = any(path.stat().st_size for path in case.glob("input*")) or not list(case.glob("input*"))
        return not (is_plain and has_result and has_input), other, sum(map(len, texts))

    cases = [case for case in sorted(CASES.iterdir()) if code in codes_of(_text(case / "findings"))]
    if not cases:
        raise SystemExit(f"{code}: show it in a case of {CASES} or in {TRANSCRIPTS / code}.md")
    return min(cases, key=around)


def _is_configuration(result: str) -> bool:
    return bool(result) and not result.startswith(("{", "---"))


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _example_of(case: Path, code: str) -> str:
    inputs = sorted(path.name for path in case.glob("input*"))
    command = " ".join(["$ migrate02 convert", *inputs, *_text(case / "options").split()])
    findings = _text(case / "findings").splitlines(keepends=True)
    shown = [line for line in findings if code in codes_of(line)]
    left_out = ["..."] if len(shown) < len(findings) else []
    status = _text(case / "status").strip() or "0"
    result = _text(case / "expected")
    lines = [
        "## Before",
        "",
        f"[fixtures/convert/{case.name}](../../{case.relative_to(ROOT)}) is a recorded case that the tests run.",
        "",
    ]
    for name in inputs:
        lines += [f"`{name}`:", "", "```", _text(case / name).rstrip("\n"), "```", ""]
    lines += ["```console", command, "".join(shown).rstrip("\n"), *left_out, "```", "", "## After", ""]
    if result:
        lines += [f"Exit status {status}, and:", "", "```", result.rstrip("\n"), "```"]
    else:
        lines += [f"Exit status {status}: nothing is written, and nothing is changed."]
    return "\n".join(lines) + "\n"


def guide_coverage_page() -> str:
    guide = yaml.safe_load((ROOT / "fixtures" / "guide" / "examples.yaml").read_text())
    tests: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests" / "guide").glob("test_*.py")):
        for test, examples in _walked_by(ast.parse(path.read_text())):
            link = f"[{test.removeprefix('test_').replace('_', ' ')}](../{path.relative_to(ROOT)})"
            for example in examples:
                tests.setdefault(example, []).append(link)
    lines = [
        "# The clustering guide of etcd 2, example by example",
        "",
        "`make docs` writes this page from `fixtures/guide/examples.yaml`, which has the guide's commands and "
        "messages, and from the marks of the tests that run them. The tests use network namespaces, with the guide's "
        "own addresses and names, if the machine allows that, and otherwise addresses of 127.0.0.0/8; the main tests "
        "run in both.",
        "",
        "| example | in the guide | what | tests |",
        "|---|---|---|---|",
    ]
    for example in guide["examples"]:
        cells = [
            f"`{example['id']}`",
            example["under"],
            _told(example),
            "; ".join(tests.get(example["id"], [])),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    for row in guide["flags"]:
        told = f"`-{row['old']}` becomes `--{row['new']}`" if "new" in row else f"`-{row['old']}` is refused"
        cells = [f"`{row['id']}`", "0.4 to 2.0+", told, "; ".join(tests.get(row["id"], []))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _walked_by(module: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """The tests of a module, each with the examples that its mark names."""
    for function in module.body:
        if isinstance(function, ast.FunctionDef):
            for mark in function.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.guide":
                    yield function.name, [ast.literal_eval(argument) for argument in mark.args]


def _told(example: dict[str, str]) -> str:
    if "says" in example:
        return example["says"]
    command = example["command"].splitlines()[0].removesuffix("\\").strip()
    ending = f", ends with {example['exit']}" if "exit" in example else ""
    return f"`{command if len(command) < 70 else command[:67] + '...'}`{ending}"


def with_fresh_examples(text: str) -> str:
    """The text with the output of its console examples as it is now. All examples share one empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        return _CONSOLE.sub(lambda block: f"```console\n{_run(block[1], folder)}```", text)


def _run(block: str, folder: str) -> str:
    bin_folder = str(Path(sys.executable).parent)
    environ = {"PATH": f"{bin_folder}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "REPO": str(ROOT)}
    shown = []
    for command in _COMMAND.findall(block):
        done = subprocess.run(
            ["bash", "-c", re.sub("^[$>] ", "", command, flags=re.MULTILINE)],
            cwd=folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        shown.append(f"{command}{done.stdout}")
    return "".join(shown)


PAGES = {
    "docs/settings.md": settings_page,
    "docs/findings.md": findings_page,
    "docs/guide-coverage.md": guide_coverage_page,
    **{f"docs/findings/{code}.md": partial(finding_page, code) for code in CODES},
}

WITH_EXAMPLES = ("README.md", "docs/convert.md", "docs/etcd02.md", "docs/migration.md", "docs/json.md")
"""Pages written by hand, with console examples that are run."""


def main() -> None:
    for transcript in sorted(TRANSCRIPTS.glob("*.md")):
        transcript.write_text(with_fresh_examples(transcript.read_text()))
    (ROOT / "docs" / "findings").mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (ROOT / name).write_text(page())
    for name in WITH_EXAMPLES:
        (ROOT / name).write_text(with_fresh_examples((ROOT / name).read_text()))


if __name__ == "__main__":
    main()
