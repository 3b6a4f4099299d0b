"""The kinds of report that ``convert --output`` makes for other programs, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from migrate02.cli.gitlab import as_gitlab
from migrate02.cli.junit import as_junit
from migrate02.cli.listings import as_github
from migrate02.cli.sarif import as_sarif
from migrate02.convert.conversion import Conversion

MACHINES: Mapping[str, Callable[[list[Conversion]], str]] = {
    "sarif": as_sarif,
    "github": as_github,
    "junit": as_junit,
    "gitlab": as_gitlab,
}
