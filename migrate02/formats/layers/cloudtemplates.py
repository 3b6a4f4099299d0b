"""Terraform's here-documents and quoted texts, and CloudFormation's ``Fn::Sub``. Pure."""

from __future__ import annotations

import re

from migrate02.formats.layers.escapes import of_c, without_backslash
from migrate02.formats.layers.layer import Layer, token

_HCL_STRING = r'"(?:\\.|\$\{[^{}"]*\}|[^"\\])*+"'
_HCL_INSIDE = rf"(?:[^{{}}\"]|{_HCL_STRING}|\{{(?:[^{{}}\"]|{_HCL_STRING}|\{{[^{{}}]*+\}})*+\}})*+"
TERRAFORM_PLACEHOLDER = rf"[$%]\{{{_HCL_INSIDE}\}}"


def _doubled(found: re.Match[str]) -> str:
    return found[0][0] + found[0]


def _in_template(text: str) -> str:
    """``${`` and ``%{`` as they stand for themselves."""
    return re.sub(r"[$%](?=\{)", _doubled, text)


TERRAFORM_HERE = Layer(
    "a here-document of Terraform",
    token(rf"(?P<escape>\$\$(?=\{{)|%%(?=\{{))|(?P<placeholder>{TERRAFORM_PLACEHOLDER})"),
    without_backslash,
    _in_template,
    refused=(r"[$%]{2}(?=\{)|[$%]\Z"),
)
TERRAFORM_QUOTED = Layer(
    "a text of Terraform in quotes",
    token(
        rf"(?P<escape>\$\$(?=\{{)|%%(?=\{{)|\\(?:u[0-9a-fA-F]{{4}}|U[0-9a-fA-F]{{8}}|.))|(?P<placeholder>{TERRAFORM_PLACEHOLDER})"
    ),
    lambda said: (
        said[1:] if said[0] != "\\" else of_c(said, {"n": "\n", "r": "\r", "t": "\t"}, without_backslash)
    ),
    lambda text: _in_template(
        text.replace("\\", "\\\\")
        .replace('"', '\\"')
        .replace("\n", "\\n")
        .replace("\r", "\\r")
        .replace("\t", "\\t")
    ),
    refused=(r"[$%]{2}(?=\{)|[$%]\Z"),
)
FN_SUB = Layer(
    "CloudFormation's Fn::Sub",
    token(r"(?P<escape>\$\{!)|(?P<placeholder>\$\{[^!{}][^{}]*\})"),
    lambda _found: "${",
    lambda text: re.sub(r"\$\{", "${!", text),
    refused=(r"\$\Z"),
)
