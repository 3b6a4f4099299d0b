"""Makes an environment whose commands run from these sources: ``python packaging/from_source.py .venv``.

Nothing is built: what the commands need is installed, and small scripts start them from here. That takes seconds. Needs
Python 3.11 and its venv, nothing else.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = """\
#!{python}
import sys
sys.path.insert(0, {root!r})
from {module} import {function}
sys.exit({function}())
"""


def main(venv: Path) -> int:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    needed = venv / "requirements.txt"
    needed.write_text("\n".join(project["dependencies"]) + "\n")
    install = [
        "install",
        "-q",
        "--disable-pip-version-check",
        "-c",
        str(ROOT / "constraints.txt"),
        "-r",
        str(needed),
    ]
    subprocess.run([*_pip(python), *install], check=True)
    for name, place in project["scripts"].items():
        module, _, function = place.partition(":")
        script = python.parent / name
        words = {"python": python.absolute(), "root": str(ROOT), "module": module, "function": function}
        script.write_text(SCRIPT.format(**words))
        script.chmod(0o755)
    return 0


def _pip(python: Path) -> list[str]:
    """The pip of this Python, if it can install elsewhere, since to install another one takes longer than all else."""
    here = [sys.executable, "-m", "pip", "--python", str(python)]
    if subprocess.run([*here, "--version"], capture_output=True, check=False).returncode == 0:
        return here
    subprocess.run([str(python), "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL)
    return [str(python), "-m", "pip"]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
