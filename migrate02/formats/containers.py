"""Containers that run etcd, as YAML sets them up: docker-compose and fig, Kubernetes' manifests, JSON alike. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from migrate02.formats import shell, yamlnodes, yamlparsing, yamltexts
from migrate02.formats.format import Context
from migrate02.formats.layers.compose import COMPOSE
from migrate02.formats.reading import ENVIRONMENT, NOTHING, FileNamed, Reading, Runs, Setup, joined
from migrate02.formats.releases import era_of_image
from migrate02.formats.starts import setups, variables
from migrate02.formats.starts.dialects import SHLEX
from migrate02.formats.starts.follow import Start, follow, is_image, volumes_of
from migrate02.formats.starts.variables import Assigned
from migrate02.formats.starts.words import Word, inner, split
from migrate02.formats.view import Edit, View
from migrate02.formats.yamlnodes import Node, ScalarNode, SequenceNode

_MANIFEST = re.compile(r"(?m)^[ \t{,]*[\"']?(?:kind|containers|apiVersion)[\"']?[ \t]*:")


def read(view: View, context: Context) -> Reading:
    era = context.era
    readings = []
    is_manifest = bool(_MANIFEST.search(view.text))
    seen: set[int] = set()
    for root in yamlparsing.documents(view.text):
        if is_manifest or yamlnodes.get(root, "kind") is not None:
            readings += [
                _of_pod(view, container, pod, era) for container, pod in _of_kubernetes(root, root, seen)
            ]
        else:
            services = yamlnodes.get(root, "services") or root
            readings += [
                _of_compose(view, name, service, era) for name, _, service in yamlnodes.entries(services)
            ]
    return joined(readings)


def _of_compose(view: View, name: str, service: Node, era: str) -> Reading:
    image = yamlnodes.text_of(yamlnodes.get(service, "image"))
    hostname = yamlnodes.text_of(yamlnodes.get(service, "hostname"))
    assigned = list(_environment(view, yamlnodes.get(service, "environment")))
    listed = yamlnodes.get(service, "env_file")
    paths = [yamlnodes.text_of(item) for item in yamlnodes.items(listed)] or [yamlnodes.text_of(listed)]
    line = view.line(yamlnodes.start_of(service))
    files = tuple(FileNamed(path, ENVIRONMENT, line) for path in paths if path)
    entry, command = yamlnodes.get(service, "entrypoint"), yamlnodes.get(service, "command")
    words = [*_words(view, entry), *_words(view, command)]
    listed = yamlnodes.get(service, "volumes")
    volumes = volumes_of(yamlnodes.text_of(item) for item in yamlnodes.items(listed))
    return _with_volumes(
        _of_container(
            image, words, assigned, (hostname or name, bool(hostname)), files, era, line, is_compose=True
        ),
        image,
        volumes,
    )


def _of_pod(view: View, container: Node, pod: Node, era: str) -> Reading:
    image = yamlnodes.text_of(yamlnodes.get(container, "image"))
    entry, args = yamlnodes.get(container, "command"), yamlnodes.get(container, "args")
    assigned = list(_named_values(view, yamlnodes.get(container, "env")))
    words = [*_words(view, entry), *_words(view, args)]
    kind = yamlnodes.text_of(yamlnodes.get(pod, "kind"))
    hostname = yamlnodes.text_of(yamlnodes.get(pod, "metadata", "name")) if kind == "Pod" else ""
    line = view.line(yamlnodes.start_of(container))
    reading = _of_container(image, words, assigned, (hostname, bool(hostname)), (), era, line)
    return _with_volumes(reading, image, tuple(_mounted(container, pod)))


def _mounted(container: Node, pod: Node) -> Iterator[tuple[str, str]]:
    """The folders of the host among a container's volumes, which the object of the container has by their names."""
    folders = dict(_host_paths(pod, set()))
    for mount in yamlnodes.items(yamlnodes.get(container, "volumeMounts")):
        name, path = (yamlnodes.text_of(yamlnodes.get(mount, key)) for key in ("name", "mountPath"))
        if name in folders:
            yield folders[name], path


def _host_paths(node: Node, seen: set[int]) -> Iterator[tuple[str, str]]:
    if id(node) in seen:
        return
    seen.add(id(node))
    for volume in yamlnodes.items(yamlnodes.get(node, "volumes")):
        path = yamlnodes.text_of(yamlnodes.get(volume, "hostPath", "path"))
        if path:
            yield yamlnodes.text_of(yamlnodes.get(volume, "name")), path
    for _, _, value in yamlnodes.entries(node):
        yield from _host_paths(value, seen)


def _with_volumes(reading: Reading, image: str, volumes: tuple[tuple[str, str], ...]) -> Reading:
    setups = [setup._replace(runs=Runs(setup.runs.program, image, volumes)) for setup in reading.setups]
    return reading._replace(setups=setups)


def _of_kubernetes(node: Node, pod: Node, seen: set[int]) -> Iterator[tuple[Node, Node]]:
    """Every container below a node, with the object that it is in; once, however many aliases it has."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if yamlnodes.get(node, "kind") is not None:
        pod = node
    for key, _, value in yamlnodes.entries(node):
        if key in ("containers", "initContainers"):
            for item in yamlnodes.items(value):
                yield item, pod
        else:
            yield from _of_kubernetes(value, pod, seen)
    for item in yamlnodes.items(node):
        yield from _of_kubernetes(item, pod, seen)


def _of_container(
    image: str,
    words: Sequence[Word],
    assigned: Sequence[Assigned],
    host: tuple[str, bool],
    files: tuple[FileNamed, ...],
    era: str,
    line: int,
    *,
    is_compose: bool = False,
) -> Reading:
    era = era or era_of_image(image)
    followed = follow(words)
    if followed.start is not None:
        setup = setups.of_start(followed.start, assigned, hostname="", files=files, era=era)
        return Reading([_hosted(setup, *host)], [], [])
    inside = [
        shell.read_commands(
            _for_a_shell(word, is_compose=is_compose), Context(era, assigned=assigned, files=files)
        )
        for word in followed.texts
    ]
    if any(reading.setups for reading in inside):
        return joined(inside)
    if not is_image(image):
        return NOTHING
    if words and words[0].text.startswith("-"):
        setup = _without_program(words, assigned, files, era)
        return Reading([_hosted(setup, *host)], [], [])
    read = variables.read(assigned)
    if words or not read.occurrences:
        return NOTHING
    setup = Setup(line, [], read.occurrences, read.findings, read.insertion, "", files, era=era)
    return Reading([_hosted(setup, *host)], [], [])


def _hosted(setup: Setup, host: str, is_given: bool) -> Setup:
    return setup._replace(host=host or setups.UNNAMED, host_is_given=is_given)


def _for_a_shell(word: Word, *, is_compose: bool) -> View:
    """The text of a command. In a list, compose's own ``$$`` is still in it."""
    said = inner(word)
    return COMPOSE.inside(said, 0, len(said.text)) if is_compose and word.dialect is not SHLEX else said


def _without_program(
    words: Sequence[Word], assigned: Sequence[Assigned], files: tuple[FileNamed, ...], era: str
) -> Setup:
    """The image starts etcd; the words are its flags alone."""
    start = Start(words[0], list(words), [])
    return setups.of_start(start, assigned, alone=True, files=files, era=era)


def _words(view: View, node: Node | None) -> list[Word]:
    if isinstance(node, SequenceNode):
        return yamltexts.words_of(view, node)
    if isinstance(node, ScalarNode) and node.value:
        said = yamltexts.inside(view, node)
        if node.style in ("|", ">"):
            said = said.inside(said.text.replace("\n", " "), range(len(said.text) + 1))
        said = COMPOSE.inside(said, 0, len(said.text))
        return split(said, 0, len(said.text), SHLEX)
    return []


def _environment(view: View, node: Node | None) -> Iterator[Assigned]:
    """``NAME: value`` or ``- NAME=value``."""
    for name, key, value in yamlnodes.entries(node):
        if not isinstance(value, ScalarNode):
            continue
        start, end = yamlnodes.start_of(key), yamlnodes.end_of(view, value)
        raw = view.text[yamlnodes.start_of(value) : end]
        flow = bool(getattr(node, "flow_style", False))

        def write(name: str, text: str, raw: str = raw, flow: bool = flow) -> str:
            return f"{name}: {yamltexts.scalar(text, raw, flow=flow, level=view.depth + 1)}"

        first, after = view.line_around(start, end)
        if flow or view.text[first:start].strip():
            gone, joint = yamltexts.gone_from_flow(view, start, end), ", "
        else:
            gone, joint = variables.commented(view, first, after), view.newline + view.text[first:start]
        yield Assigned(view, start, end, name, yamltexts.said(view, value), write, joint, gone)
    if isinstance(node, SequenceNode):
        for word in yamltexts.words_of(view, node):
            name, equals, text = word.text.partition("=")
            if not equals:
                continue
            if word.lines is not None:
                gone = variables.commented(view, view.line_around(word.start)[0], word.lines[1])
            else:
                gone = yamltexts.gone_from_flow(view, word.start, word.end)

            def listed(name: str, text: str, word: Word = word) -> str:
                return word.quoted(f"{name}={text}", word.raw)

            yield Assigned(view, word.start, word.end, name, text, listed, word.dialect.joint, gone)


def _named_values(view: View, node: Node | None) -> Iterator[Assigned]:
    """Kubernetes' ``- name: NAME`` with its ``value:``, over two lines or in braces."""
    for item in yamlnodes.items(node):
        name, value = yamlnodes.get(item, "name"), yamlnodes.get(item, "value")
        if not isinstance(name, ScalarNode) or not isinstance(value, ScalarNode):
            continue
        start = yamlnodes.start_of(item)
        end = max(yamlnodes.end_of(view, name), yamlnodes.end_of(view, value))
        if getattr(item, "flow_style", False):
            end = int(item.end_mark.index)
        whole = view.text[start:end]
        spans = sorted(
            (yamlnodes.start_of(part) - start, yamlnodes.end_of(view, part) - start, kind)
            for kind, part in (("name", name), ("value", value))
        )

        def write(
            variable: str, text: str, whole: str = whole, spans: list[tuple[int, int, str]] = spans
        ) -> str:
            said = {"name": variable, "value": text}
            for begin, end, kind in reversed(spans):
                flow = "{" in whole[:1]
                new = yamltexts.scalar(said[kind], whole[begin:end], flow=flow, level=view.depth + 1)
                whole = whole[:begin] + new + whole[end:]
            return whole

        lines = yamlnodes.lines_of(view, start, end)
        if lines is not None and len(item.value) == 2:
            gone, joint = Edit(*lines, ""), view.text[lines[0] : start]
        elif len(item.value) == 2:
            gone, joint = yamltexts.gone_from_flow(view, start, end), ", "
        else:
            continue
        yield Assigned(view, start, end, name.value, yamltexts.said(view, value), write, joint, gone)
