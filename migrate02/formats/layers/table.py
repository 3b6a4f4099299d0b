"""All layers by name, for what is true of every one of them. Pure."""

from __future__ import annotations

from migrate02.formats.layers.cloudtemplates import FN_SUB, TERRAFORM_HERE, TERRAFORM_QUOTED
from migrate02.formats.layers.compose import COMPOSE
from migrate02.formats.layers.dockerfile import DOCKERFILE
from migrate02.formats.layers.jsonstrings import JSON
from migrate02.formats.layers.layer import Layer
from migrate02.formats.layers.printing import ECHO, PRINTF
from migrate02.formats.layers.python import SHLEX_DOUBLE
from migrate02.formats.layers.shells import ANSI_C, BARE, DOUBLE, HERE, QUOTED_HERE, SINGLE, here
from migrate02.formats.layers.systemd import systemd
from migrate02.formats.layers.yamlscalars import YAML_DOUBLE, YAML_PLAIN, YAML_SINGLE, literal_block

LAYERS: dict[str, Layer] = {
    "here-document": HERE,
    "quoted here-document": QUOTED_HERE,
    "here-document behind tabs": here(quoted=False, tabs="\t"),
    "quoted here-document behind tabs": here(quoted=True, tabs="\t"),
    "double quotes": DOUBLE,
    "single quotes": SINGLE,
    "double quotes of Python": SHLEX_DOUBLE,
    "compose": COMPOSE,
    "$'...'": ANSI_C,
    "bare word": BARE,
    "systemd, double quotes": systemd('"'),
    "systemd, single quotes": systemd("'"),
    "systemd, $$": systemd('"', doubled=True),
    "YAML, double quotes": YAML_DOUBLE,
    "YAML, single quotes": YAML_SINGLE,
    "YAML, plain": YAML_PLAIN,
    "YAML, literal": literal_block(2),
    "JSON": JSON,
    "Dockerfile": DOCKERFILE,
    "Terraform here-document": TERRAFORM_HERE,
    "Terraform quotes": TERRAFORM_QUOTED,
    "Fn::Sub": FN_SUB,
    "printf": PRINTF,
    "echo -e": ECHO,
}
"""Those that depend on an indentation stand here with one."""
