"""``python -P tests/soak.py MODULE ...``: runs a module below ``tests`` against the package that is installed, with its
cores compiled, and not against the sources beside it. That is what people run, and it gets through several times as
many seeds."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
