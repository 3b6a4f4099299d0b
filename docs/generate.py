"""``make docs``: writes the pages that are made from the tables, and the output of README's console examples.

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
from pathlib import Path

import yaml

from compat.findings import CODES, ERROR, INFO, REVIEW
from compat.flags04 import COMMAND, DROP, FLAGS
from compat.usage import becomes

ROOT = Path(__file__).parent.parent
_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)


def settings_page() -> str:
    lines = [
        "# Every setting of etcd 0.4",
        "",
        "Written by `make docs` from `compat/flags04.py`. `migrate02 explain -FLAG` says more about each.",
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
            lines.append(f"- `-{flag.name}`: {flag.dropped}. Instead: {flag.remedy}.")
    lines += ["", "## Named by 0.4's documentation, never read by 0.4", ""]
    lines += [f"- `{name}` (for `-{flag.name}`)" for flag in FLAGS for name in flag.never_read]
    return "\n".join(lines) + "\n"


def findings_page() -> str:
    lines = [
        "# Every finding",
        "",
        "Written by `make docs` from `compat/findings.py`. A code never changes its meaning.",
    ]
    for severity, what in ((ERROR, "refused"), (REVIEW, "left for a person"), (INFO, "worth knowing")):
        lines += ["", f"## {severity}: {what}"]
        for code, entry in CODES.items():
            if entry.severity == severity:
                lines += ["", f"### {code}", "", f"*{entry.title}*", "", entry.story]
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
        "Written by `make docs` from `fixtures/guide/examples.yaml`, which has the guide's commands and words, and "
        "from the marks of the tests that walk through them: in network namespaces, with the guide's own addresses and "
        "names, where the machine allows that, else on addresses of 127.0.0.0/8; the main ones in both.",
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
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    bin_folder = str(Path(sys.executable).parent)
    environ = {"PATH": f"{bin_folder}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    shown = []
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command[2:]],
            cwd=folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        shown.append(f"{command}\n{done.stdout}")
    return "".join(shown)


PAGES = {
    "docs/settings.md": settings_page,
    "docs/findings.md": findings_page,
    "docs/guide-coverage.md": guide_coverage_page,
}


def main() -> None:
    for name, page in PAGES.items():
        (ROOT / name).write_text(page())
    readme = ROOT / "README.md"
    readme.write_text(with_fresh_examples(readme.read_text()))


if __name__ == "__main__":
    main()
