"""One etcd as it is set up, converted: its settings merged as they would run, and an edit for each that changes. Pure.

What cannot be known is not changed, with a finding that says where and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from compat.findings import Finding
from compat.settings import FILE, Given, Origin
from migrate02.convert import setup_files
from migrate02.convert.conversion import Options, unmasked
from migrate02.convert.era import era_of_setup, is_unclear, unclear_setup
from migrate02.convert.findings import CANNOT_HOLD, NAME_OF_THE_HOST, PORT_NOT_SEEN
from migrate02.convert.guesses import defaults_left_out, is_moot, without_guesses
from migrate02.convert.setup_edits import edits_in_place, homeless, nowhere_to_write
from migrate02.convert.setup_files import SettingsFile, merged, missing
from migrate02.convert.templated import decided_by_a_template
from migrate02.convert.translating import TranslatedSettings, translate_settings
from migrate02.formats.layers.layer import CannotHold
from migrate02.formats.placeholders import HIDDEN_PORT, placeholder, unmask
from migrate02.formats.reading import Setup
from migrate02.formats.view import Edit


class ConvertedSetup(NamedTuple):
    """What comes of one setup. ``given`` are its merged settings with their origins, ``config`` the 2.x ones. ``edits``
    are of whole files, by name; ``texts`` the new text of each file of settings that changes."""

    setup: Setup
    given: Mapping[str, Given]
    config: Mapping[str, str]
    edits: list[tuple[str, Edit]]
    texts: dict[str, str]
    findings: list[Finding]
    refused: bool = False


def convert_setup(
    setup: Setup, name: str, options: Options, files: Sequence[SettingsFile] = ()
) -> ConvertedSetup:
    """Convert one setup; ``name`` is its file, ``files`` those it takes in, the strongest first. Nothing is edited when
    it is refused or its era cannot be known, or when a text around it cannot hold what would have to be written."""
    try:
        return _convert(setup, name, options, files)
    except CannotHold as error:
        origin = Origin(FILE, "etcd", name, setup.line)
        finding = CANNOT_HOLD.finding("", origin, reason=unmask(str(error)))
        return _unchanged(setup, merged(setup, files), [finding])


def _unchanged(
    setup: Setup, given: Mapping[str, Given], findings: Iterable[Finding], *, refused: bool = False
) -> ConvertedSetup:
    return ConvertedSetup(setup, given, {}, [], {}, list(findings), refused)


def _convert(setup: Setup, name: str, options: Options, files: Sequence[SettingsFile]) -> ConvertedSetup:
    not_given = missing(setup, name, files)
    setup = setup._replace(unseen=setup.unseen or bool(not_given))
    given = merged(setup, files)
    reported = [*setup.findings, *not_given, *setup_files.findings_in(setup, files)]
    if (by_a_template := decided_by_a_template(setup, name)) is not None:
        reported = [item for item in reported if item.code != "words-ignored"]  # which are the template's
        return _unchanged(setup, given, [*map(unmasked, reported), by_a_template])
    if setup.only_variables and not given:
        return _unchanged(setup, given, map(unmasked, reported))
    if hidden := [item for item in given.values() if _hides_its_port(item)]:
        return _unchanged(setup, given, [*map(unmasked, reported), *map(_value_elsewhere, hidden)])
    has_04_file = any(file.document.whole and file.document.given for file in files)
    era = era_of_setup(setup, given, options, has_04_file=has_04_file)
    options = _with_host_name(setup, options._replace(form=""))
    translated = translate_settings(given, reported, options, era, name, options.target)
    translated = translated._replace(
        findings=[_with_a_line(unmasked(finding), name, setup.line) for finding in translated.findings]
    )
    if translated.refused:
        return _unchanged(setup, given, translated.findings, refused=True)
    config, findings = _to_write(setup, name, given, translated)
    if not (options.era or setup.era or setup.unseen) and is_unclear(given):
        findings.append(unclear_setup(name, setup.line))
    return _written(setup, name, files, translated._replace(config=config, findings=findings), given, era)


def _with_host_name(setup: Setup, options: Options) -> Options:
    """0.4 took its host's name where it had none: as the file can say it, or as it is."""
    if setup.hostname:
        return options._replace(hostname=placeholder(setup.hostname), hostname_given=True)
    if setup.host and (setup.host_is_given or not options.hostname_given):
        return options._replace(hostname=setup.host, hostname_given=True)
    return options


def _to_write(
    setup: Setup, name: str, given: Mapping[str, Given], translated: TranslatedSettings
) -> tuple[dict[str, str], list[Finding]]:
    """The settings as they are to stand in the file, without 0.4's defaults where they may be set elsewhere; and what
    is to be said of them."""
    sources, findings = translated.sources, translated.findings
    if setup.hostname:
        findings = [_by_the_host(finding, setup) for finding in findings]
    config = {key: _filled_again(value, setup) for key, value in translated.config.items()}
    config, left_out = without_guesses(config, sources, given, setup.fixed, unseen=setup.unseen)
    if left_out and not (setup.only_variables and not any(sources.get(key) for key in left_out)):
        findings = [*findings, defaults_left_out(Origin(FILE, name, name, setup.line), left_out)]
    return config, [item for item in findings if not is_moot(item, set(config), translated.config)]


def _written(
    setup: Setup,
    name: str,
    files: Sequence[SettingsFile],
    new: TranslatedSettings,
    given: Mapping[str, Given],
    era: str,
) -> ConvertedSetup:
    """Every setting where it is to stand: in place, in a file of settings, or where etcd is started."""
    config, sources, findings = new.config, new.sources, list(new.findings)
    edits = edits_in_place(setup, given, config, sources)
    texts = {}
    for file in files:
        if file.is_lost_to(setup):
            findings.append(setup_files.moved(file, name, setup))
            continue
        if file.is_config_of(setup) and setup.add_environment_file is not None:
            edits.append((name, setup.add_environment_file(file.path)))
        text = setup_files.new_text(file, given, config, sources, findings, era)
        if text is not None:
            texts[file.name] = text
    if keys := homeless(setup, given, config, sources, files):
        if setup.insertion is not None:
            edits.append(
                (setup.insertion.view.name, setup.insertion.insert([(key, config[key]) for key in keys]))
            )
        else:
            findings.append(nowhere_to_write(setup, name, config, keys))
    return ConvertedSetup(setup, given, config, edits, texts, findings)


def _hides_its_port(given: Given) -> bool:
    """An advertised address that is one variable as a whole: its port says where to listen."""
    return given.value.endswith(HIDDEN_PORT)


def _value_elsewhere(given: Given) -> Finding:
    setting = f"{given.origin.name} {unmask(given.value)}"
    return PORT_NOT_SEEN.finding(given.name, given.origin, setting=setting)


def _filled_again(value: str, setup: Setup) -> str:
    """With the variables that the file had for its addresses."""
    value = value.replace(HIDDEN_PORT, "")
    for address, variable in setup.filled:
        value = value.replace(address, variable)
    return value


def _by_the_host(finding: Finding, setup: Setup) -> Finding:
    if finding.code != "name-from-hostname":
        return finding
    return NAME_OF_THE_HOST.finding("name", finding.origin, hostname=unmask(setup.hostname))


def _with_a_line(finding: Finding, name: str, line: int) -> Finding:
    """What no line gave is said of where etcd is started."""
    return finding if finding.origin else finding._replace(origin=Origin(FILE, "etcd", name, line))
