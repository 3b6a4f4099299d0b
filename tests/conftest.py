"""How all tests run: hypothesis without time limits on single examples, which a busy machine would break; on CI with
the same examples at every run, so that a red run is about the change."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
