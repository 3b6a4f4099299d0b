"""Builds the sdist and the wheels: setuptools, and mypy beside it when the server's cores are to be compiled.

All else stands in pyproject.toml and setup.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403  # the other hooks, as they are

COMPILER = "mypy>=2.1"
"""Has mypyc, which makes C of Python."""


def get_requires_for_build_wheel(config_settings: Mapping[str, Any] | None = None) -> list[str]:
    needed: list[str] = build_meta.get_requires_for_build_wheel(config_settings)
    return [*needed, COMPILER] if os.environ.get("MIGRATE02_COMPILE") == "always" else needed
