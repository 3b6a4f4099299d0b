"""Settings that are merged by precedence, in the words of a release of 2.x. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from compat.codes import CARRIED, TOKEN_BESIDE_LIST
from compat.findings import ERROR, INFO, Finding, worst
from compat.flags04 import BY_NAME
from compat.settings import FILE, FLAG, Given, Origin
from compat.translate import ERA_04, Surroundings, Translation, translate
from migrate02.convert.conversion import COMMAND_LINE, Options
from migrate02.convert.findings import LINE_BREAK, NOT_FOR_THIS_MEMBER
from migrate02.convert.members import refusal_of
from migrate02.formats.placeholders import unmask


class TranslatedSettings(NamedTuple):
    """``config`` in the words of the target, ``sources`` the given setting behind each. Nothing is to be written when
    ``refused``."""

    config: dict[str, str]
    sources: dict[str, str]
    findings: list[Finding]
    refused: bool


def translate_settings(
    given: dict[str, Given], reported: Sequence[Finding], options: Options, era: str, name: str, target: str
) -> TranslatedSettings:
    """Translate settings and fit them to a release; ``reported`` is what their reading had to say, ``name`` what the
    input is called."""
    dropped = _discovery_to_drop(given, options, era)
    translation = translate(
        _with_option(given, options, dropped),
        Surroundings(
            options.hostname, options.hostname_given, options.member_has_data, may_be_completed=True
        ),
        era,
    )
    if options.initial_cluster:
        translation.sources["initial-cluster"] = _instead_of(given, dropped)
    findings = [
        *reported,
        *translation.findings,
        *_line_breaks(given),
        *map(_discovery_dropped, dropped),
        *_against_the_member(translation, options, name),
    ]
    if worst(findings) == ERROR:
        return TranslatedSettings({}, {}, [item for item in findings if item.severity != INFO], True)
    fitted = _fitted(translation, given, target)
    findings = [_as_written(finding, translation, fitted) for finding in findings]
    return TranslatedSettings(fitted.config, fitted.sources, [*findings, *fitted.findings], False)


def _with_option(given: dict[str, Given], options: Options, dropped: Collection[Given]) -> dict[str, Given]:
    if not options.initial_cluster:
        return given
    origin = Origin(FLAG, "--initial-cluster")
    kept = {name: item for name, item in given.items() if item not in dropped}
    return {**kept, "initial-cluster": Given("initial-cluster", options.initial_cluster, origin)}


def _discovery_to_drop(given: Mapping[str, Given], options: Options, era: str) -> list[Given]:
    """0.4's token, where the run gives the cluster. Beside a list of its own in the file, etcd refuses it."""
    is_04 = era == ERA_04 or all(name in BY_NAME for name in given)
    if not options.initial_cluster or not is_04 or "initial-cluster" in given:
        return []
    return [given["discovery"]] if "discovery" in given else []


def _instead_of(given: Mapping[str, Given], dropped: Sequence[Given]) -> str:
    """The setting in whose place --initial-cluster goes."""
    names = ("initial-cluster", "peers", "peers-file", *(item.name for item in dropped))
    return next((name for name in names if name in given), "")


def _line_breaks(given: Mapping[str, Given]) -> list[Finding]:
    """No form but JSON could say such a value, and nothing of etcd's takes one."""
    return [
        LINE_BREAK.finding(item.name, item.origin, given=item.origin.name)
        for item in given.values()
        if "\n" in item.value or "\r" in item.value
    ]


def _discovery_dropped(discovery: Given) -> Finding:
    return TOKEN_BESIDE_LIST.finding("discovery", discovery.origin, given=discovery.origin.name)


def _against_the_member(translation: Translation, options: Options, name: str) -> list[Finding]:
    """A refusal of etcd's when the list given by option is not for this member."""
    if not options.initial_cluster or options.member_has_data or translation.refused:
        return []
    config = {key: unmask(value) for key, value in translation.config.items()}
    message, remedy = refusal_of(unmask(options.initial_cluster), config)
    kind, file = (FLAG, "") if name == COMMAND_LINE else (FILE, name)
    origin = Origin(kind, "--initial-cluster", file)
    if not message:
        return []
    return [NOT_FOR_THIS_MEMBER.finding("initial-cluster", origin, reason=message, remedy=remedy)]


class _Fitted(NamedTuple):
    """``sources`` as in a Translation, ``renamed`` as in compat.fit."""

    config: dict[str, str]
    sources: dict[str, str]
    findings: list[Finding]
    renamed: dict[str, str]


def _fitted(translation: Translation, given: Mapping[str, Given], target: str) -> _Fitted:
    """The configuration in the words of the release asked for; 2.3's words are the translation's own."""
    if not target:
        return _Fitted(translation.config, translation.sources, [], {})
    from compat.fit import fit, parse_target

    fitted = fit(translation.config, parse_target(target))
    findings = [_with_origin(finding, translation, given) for finding in fitted.findings]
    sources = {name: translation.sources.get(fitted.renamed.get(name, name), "") for name in fitted.config}
    return _Fitted(fitted.config, sources, findings, fitted.renamed)


def _with_origin(finding: Finding, translation: Translation, given: Mapping[str, Given]) -> Finding:
    source = given.get(translation.sources.get(finding.setting, ""))
    return finding._replace(origin=source.origin) if source else finding


def _as_written(finding: Finding, translation: Translation, fitted: _Fitted) -> Finding:
    """What was carried over is reported by the name that the release asked for has for it."""
    if finding.text is not CARRIED:
        return finding
    fields = dict(finding.fields)
    new = next((new for new, old in fitted.renamed.items() if old == fields["new"]), "")
    if not new or fields["carried"] != translation.config[fields["new"]]:
        return finding
    return finding._replace(fields=tuple((fields | {"new": new, "carried": fitted.config[new]}).items()))
