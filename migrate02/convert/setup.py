"""One etcd as it is set up, translated: its settings merged as they would run, and an edit for each that changes. Pure.

What cannot be told is left as it is, with a finding that says where and what to do.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from compat.findings import Finding
from compat.settings import FILE, Given, Origin, first_wins
from compat.translate import ERA_04, era_of
from migrate02.convert.conversion import Options, carry_over, dead_lines, unclear_setup, unmasked
from migrate02.convert.guesses import defaults_left_out, is_moot, without_guesses
from migrate02.convert.rendering import MARKS_04, MARKS_2X, Result, render
from migrate02.formats.document import Document
from migrate02.formats.layers.layer import CannotHold
from migrate02.formats.placeholders import HIDDEN_PORT, INNERMOST, filled_back, placeholder, restore, unmask
from migrate02.formats.reading import Occurrence, Setup
from migrate02.formats.templates import Statement
from migrate02.formats.templates import blocks as blocks_of
from migrate02.formats.view import Edit

_OF_THE_HOST = frozenset(("name", "data-dir"))


class Layer(NamedTuple):
    """A file of settings that a setup takes in: an environment file, or 0.4's own. ``name`` is where it is here,
    ``path`` what it is called on its machine."""

    name: str
    document: Document
    path: str


class Settled(NamedTuple):
    """What comes of one setup. ``given`` are its merged settings with their origins, ``config`` the 2.x ones. ``edits``
    are of whole files, by name; ``texts`` the new text of each layer that changes."""

    setup: Setup
    given: Mapping[str, Given]
    config: Mapping[str, str]
    edits: list[tuple[str, Edit]]
    texts: dict[str, str]
    findings: list[Finding]
    refused: bool = False


def _of_layers(setup: Setup, layers: Sequence[Layer]) -> list[Finding]:
    """What the files had to say, but for variables in them whose flags are seen."""
    seen = {(place.view.name, place.given.origin.line) for place in setup.flags}
    return [
        finding
        for layer in layers
        for finding in layer.document.findings
        if finding.code != "flags-elsewhere"
        or (layer.name, finding.origin and finding.origin.line) not in seen
    ]


def _is_config(layer: Layer, setup: Setup) -> bool:
    """0.4's own file, or what it was converted to: 2.x has to be told of it as an environment file."""
    named = setup.config is not None and setup.config.value == layer.path
    return named or layer.document.whole


def _has_no_place(layer: Layer, setup: Setup) -> bool:
    """2.x would not read it, and nothing here can make it."""
    return _is_config(layer, setup) and setup.add_environment_file is None


def _moves(
    key: str, sources: Mapping[str, str], given: Mapping[str, Given], setup: Setup, moved: set[str]
) -> bool:
    """Whether a setting comes from a file that 2.x does not read, and from nothing stronger."""
    source = sources.get(key, "")
    places = (*setup.flags, *setup.variables)
    return source in moved and not any(place.given == given.get(source) for place in places)


def _moved(layer: Layer, name: str, setup: Setup) -> Finding:
    message = f"{layer.path}: its settings are written here, because etcd 2.x reads no file"
    return Finding(
        "file-moved", "config", Origin(FILE, layer.path, name, setup.line), message, f"remove {layer.path}"
    )


def named_files(setup: Setup) -> list[str]:
    """The files whose settings belong to a setup, the strongest first: a later environment file wins."""
    files = [file.path for file in reversed(setup.files)]
    return [*files, setup.config.value] if setup.config is not None else files


def settle(setup: Setup, name: str, options: Options, layers: Sequence[Layer] = ()) -> Settled:
    """Translate one setup. Nothing is edited when it is refused or its era cannot be told, or when a text around it
    cannot hold what would have to be written there."""
    try:
        return _settle(setup, name, options, layers)
    except CannotHold as error:
        message = f"not changed: {unmask(str(error))}"
        remedy = "convert it by itself, migrate02 convert -- etcd FLAGS, and put the result in"
        finding = Finding("not-converted", "", Origin(FILE, "etcd", name, setup.line), message, remedy)
        return Settled(setup, merged(setup, layers), {}, [], {}, [finding])


def _settle(setup: Setup, name: str, options: Options, layers: Sequence[Layer]) -> Settled:
    told_missing = missing(setup, name, layers)
    setup = setup._replace(unseen=setup.unseen or bool(told_missing))
    given = merged(setup, layers)
    told = [*setup.findings, *told_missing, *_of_layers(setup, layers)]
    if by_a_template := decided_by_a_template(setup, name):
        told = [finding for finding in told if finding.code != "words-ignored"]  # which are the template's
        return Settled(setup, given, {}, [], {}, [*map(unmasked, told), by_a_template])
    era = options.era or _around(setup, given) or _era(given, layers)
    options = options._replace(form="")
    if setup.hostname:
        options = options._replace(hostname=placeholder(setup.hostname), hostname_given=True)
    elif setup.host and (setup.host_is_given or not options.hostname_given):
        options = options._replace(hostname=setup.host, hostname_given=True)
    if setup.only_variables and not given:
        return Settled(setup, given, {}, [], {}, [unmasked(finding) for finding in told])
    hidden = [item for item in given.values() if _hides_its_port(item)]
    if hidden:
        findings = [*(unmasked(finding) for finding in told), *(_value_elsewhere(item) for item in hidden)]
        return Settled(setup, given, {}, [], {}, findings)
    outcome = carry_over(dict(given), told, options, era, name, options.target)
    findings = [_placed(unmasked(finding), name, setup.line) for finding in outcome.findings]
    if outcome.refused:
        return Settled(setup, given, {}, [], {}, findings, refused=True)
    config = {
        key: _filled_again(value.replace(HIDDEN_PORT, ""), setup) for key, value in outcome.config.items()
    }
    sources = outcome.sources
    if setup.hostname:
        findings = [_by_the_host(finding, setup) for finding in findings]
    config, left_out = without_guesses(config, sources, given, setup.fixed, unseen=setup.unseen)
    if left_out and not (setup.only_variables and not any(sources.get(key) for key in left_out)):
        findings.append(defaults_left_out(Origin(FILE, name, name, setup.line), left_out))
    kept = set(config)
    findings = [item for item in findings if not is_moot(item, kept, outcome.config)]
    if not (options.era or setup.era or setup.unseen) and unclear_setup(given):
        line = setup.line
        findings.append(_unclear(name, line))
    edits = _edits(setup, given, config, sources)
    moved = {item.name for layer in layers if _has_no_place(layer, setup) for item in layer.document.given}
    homeless = [key for key in config if not sources.get(key) or _moves(key, sources, given, setup, moved)]
    texts = {}
    for layer in layers:
        if _has_no_place(layer, setup):
            findings.append(_moved(layer, name, setup))
            continue
        if _is_config(layer, setup) and setup.add_environment_file is not None:
            edits.append((name, setup.add_environment_file(layer.path)))
        text = _layer_text(layer, given, config, sources, findings, era)
        if text is not None:
            texts[layer.name] = text
    if homeless:
        if setup.insertion is not None:
            edits.append(
                (setup.insertion.view.name, setup.insertion.insert([(key, config[key]) for key in homeless]))
            )
        else:
            findings.append(_nowhere(setup, name, config, homeless))
    return Settled(setup, given, config, edits, texts, findings)


def decided_by_a_template(setup: Setup, name: str) -> Finding | None:
    """Says so where a template's statements decide which settings there are."""
    statement = setup.decided_by or _between_settings(setup, name)
    if statement is None:
        return None
    remedy = "convert what the template makes, for each case, and put the results into it by hand"
    return Finding("not-converted", "", Origin(FILE, name, name, setup.line), statement.words, remedy)


def _between_settings(setup: Setup, name: str) -> Statement | None:
    """A statement that tells the settings apart: not all of them stand in one block, with the start."""
    places = [*setup.flags, *setup.variables]
    blocks = {place.view.name: place.view.whole.once(blocks_of) for place in places}
    if all(of_file.is_empty for of_file in blocks.values()):
        return None
    deciding = {blocks[place.view.name].of(place.view.offset(place.start)) for place in places}
    if name in blocks:
        deciding.add(blocks[name].of_line(setup.line))
    return next(filter(None, deciding), None) if len(deciding) > 1 else None


def _hides_its_port(given: Given) -> bool:
    """An advertised address that is one variable as a whole: where to listen is told by its port."""
    return given.value.endswith(HIDDEN_PORT)


def _value_elsewhere(given: Given) -> Finding:
    value = f"{given.origin.name} {unmask(given.value)}"
    message = f"left as it is: the port in {value} is not seen here, and 2.x has to be told it"
    return Finding(
        "value-elsewhere", given.name, given.origin, message, "write it as HOST:PORT, and convert again"
    )


def _filled_again(value: str, setup: Setup) -> str:
    for said, variable in setup.filled:
        value = value.replace(said, variable)
    return value


def missing(setup: Setup, name: str, layers: Sequence[Layer]) -> list[Finding]:
    """What the setup takes in that is not at hand. A file without etcd in its name is taken for others'."""
    seen = {layer.path for layer in layers}
    findings = []
    for file in setup.files:
        if file.path not in seen and "etcd" in file.path.lower():
            origin = Origin(FILE, file.path, name, file.line)
            message = f"the start also reads {file.path}, which was not given"
            remedy = f"Add that file to this run: migrate02 convert {_operands(name, file.path)}"
            findings.append(Finding("environment-elsewhere", "", origin, message, remedy))
    if setup.config is not None and setup.config.value not in seen:
        path = setup.config.value
        message = f"0.4 also read {path}, which was not given; {setup.config.origin.name} is removed: 2.x reads no file"
        remedy = f"Add that file to this run: migrate02 convert {_operands(name, path)}"
        origin = Origin(FILE, setup.config.origin.name, name, setup.line)
        findings.append(Finding("config-elsewhere", "config", origin, message, remedy))
    return findings


def _operands(name: str, path: str) -> str:
    """A file and the one that it names, as a shell takes them; what is written in a file runs nothing."""
    beside = (
        path if path.startswith("/") else posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    )
    return f"{shlex.quote(name)} {shlex.quote(beside)}"


def is_whole(setup: Setup, layers: Sequence[Layer]) -> bool:
    """Whether all that it is set up with is seen. A file that need not be there is taken for one that is not."""
    needed = setup._replace(files=tuple(file for file in setup.files if not file.optional))
    return not setup.unseen and not missing(needed, "", layers)


def merged(setup: Setup, layers: Sequence[Layer] = ()) -> dict[str, Given]:
    """The settings as they would run, each with where it stands: flags over variables over files."""
    flags = [place.given for place in setup.flags if place.given.name]
    variables = [place.given for place in setup.variables if place.given.name]
    return first_wins(flags, variables, *(layer.document.given for layer in layers))


def _era(given: Mapping[str, Given], layers: Sequence[Layer]) -> str:
    era = era_of(given)
    whole = any(layer.document.whole and layer.document.given for layer in layers)
    return ERA_04 if whole and not any(_is_new(item) for item in given.values()) else era


def _around(setup: Setup, given: Mapping[str, Given]) -> str:
    """The era that stands around the settings; 0.4 knows none of 2.x's, so a file that has some is not for it."""
    return "" if setup.era == ERA_04 and any(map(_is_new, given.values())) else setup.era


def _is_new(given: Given) -> bool:
    from compat.flags04 import BY_NAME

    return given.name not in BY_NAME


def _by_the_host(finding: Finding, setup: Setup) -> Finding:
    if finding.code != "name-from-hostname":
        return finding
    hostname = unmask(setup.hostname)
    message = (
        f"0.4 took the host name when no -name was given; it is written as {hostname}, which is the same"
    )
    return Finding("host-name-kept", "name", finding.origin, message, "")


def _placed(finding: Finding, name: str, line: int) -> Finding:
    """What no line gave is said of where etcd is started."""
    return finding if finding.origin else finding._replace(origin=Origin(FILE, "etcd", name, line))


def _unclear(name: str, line: int) -> Finding:
    message = "left as it is: all settings here exist in etcd 0.4 and in 2.x, but what is not set differs"
    remedy = "if it was written for 0.4, add --from 0.4"
    return Finding("era-unclear", "", Origin(FILE, name, name, line), message, remedy)


def _nowhere(setup: Setup, name: str, config: Mapping[str, str], keys: Sequence[str]) -> Finding:
    words = unmask(" ".join(f"--{key}={config[key]}" for key in keys))
    return Finding(
        "flags-elsewhere",
        "",
        Origin(FILE, name, name, setup.line),
        f"there is no place here for what etcd 0.4 did by default: {words}",
        "put it where etcd is started",
    )


def _edits(
    setup: Setup, given: Mapping[str, Given], config: Mapping[str, str], sources: Mapping[str, str]
) -> list[tuple[str, Edit]]:
    of_source: dict[str, list[str]] = {}
    for key in config:
        of_source.setdefault(sources.get(key, ""), []).append(key)
    edits: list[tuple[str, Edit]] = []
    for place in (*setup.flags, *setup.variables):
        item = place.given
        keys = of_source.get(item.name, []) if given.get(item.name) == item else []
        if _stays(place, keys, given, config):
            continue
        edits.append((place.view.name, place.becomes([(key, config[key]) for key in keys])))
    return edits


def _stays(
    place: Occurrence, keys: Sequence[str], given: Mapping[str, Given], config: Mapping[str, str]
) -> bool:
    """Said already as 2.x says it; or passed over by etcd already, by a rule that 2.x has too."""
    item = place.given
    spelled = item.origin.name.lstrip("-").removeprefix("ETCD_").lower().replace("_", "-")
    if list(keys) == [item.name] and spelled == item.name:
        return unmask(item.value) == unmask(config[item.name])
    return not keys and item.name in config and given.get(item.name) != item and spelled == item.name


def _layer_text(
    layer: Layer,
    given: Mapping[str, Given],
    config: Mapping[str, str],
    sources: Mapping[str, str],
    findings: list[Finding],
    era: str,
) -> str | None:
    """The file anew with the settings that it gave, None when none of them changes."""
    document = layer.document
    own = {item.name: item for item in document.given if given.get(item.name) == item}
    part = {key: value for key, value in config.items() if sources.get(key) in own}
    here = [item for item in findings if item.origin is not None and item.origin.file == layer.name]
    shadowed = [item for item in document.given if given.get(item.name) != item and item.name not in config]
    dead = dead_lines(document, own, dict(config), here) | {item.origin.line for item in shadowed}
    part = {key: filled_back(value, INNERMOST) for key, value in part.items()}
    as_given = {item.name: filled_back(item.value, INNERMOST) for item in document.given}
    if document.form == "env" and part == as_given and not dead:
        return None
    marks = MARKS_04 if era == ERA_04 else MARKS_2X
    return restore(render(document, Result(part, sources, own, dead, marks), "env"), INNERMOST)
