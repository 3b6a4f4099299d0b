"""The YAML file of etcd 3.0 and later. Only 2.x and 3.x settings can stand in it: there is nothing of 0.4 to find."""

from __future__ import annotations

from compat.flags2x import FLAGS
from compat.settings import FILE, Given, Origin
from migrate02.formats.document import Document, UnusableInput, newline_of


def read(text: str, name: str) -> Document:
    """Raises UnusableInput when it is no YAML mapping, or none of etcd's."""
    import yaml

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UnusableInput(f"broken YAML: {problem}", mark.line + 1 if mark else 0) from None
    if not isinstance(document, dict):
        raise UnusableInput("no setting of etcd in it")
    by_key = {flag.yaml_key: flag for flag in FLAGS if flag.yaml_key}
    given = []
    for key, value in _flattened(document):
        flag = by_key.get(key)
        if flag is not None and value is not None:
            given.append(Given(flag.name, _text(value), Origin(FILE, key, name)))
    if not given:
        raise UnusableInput("no setting of etcd in it")
    return Document("yaml", "yaml", [], given, [], newline_of(text))


def _flattened(document: dict[object, object]) -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = []
    for key, value in document.items():
        if isinstance(value, dict):
            pairs += [(f"{key}.{inner}", inner_value) for inner, inner_value in value.items()]
        else:
            pairs.append((str(key), value))
    return pairs


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
