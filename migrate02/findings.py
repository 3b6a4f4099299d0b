"""The catalogue of all findings, by their codes: compat's, and those that only the migration tool raises."""

from __future__ import annotations

from compat import codes
from compat.findings import catalogue
from migrate02.convert import findings as of_conversions
from migrate02.formats import findings as of_formats
from migrate02.plan import findings as of_plans
from migrate02.v2store import findings as of_v2store

CODES = catalogue(*map(vars, (codes, of_formats, of_conversions, of_plans, of_v2store)))
