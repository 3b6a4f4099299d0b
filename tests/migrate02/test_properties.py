"""What holds for every conversion, whatever goes in."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from compat.flags04 import BY_NAME
from compat.placeholder import OTHERS
from migrate02.cli.listings import as_json, typed
from migrate02.cli.report import diff, finding_lines
from migrate02.convert.conversion import Conversion, Options
from migrate02.convert.deployment import convert_text
from migrate02.convert.inputs import convert_words
from migrate02.formats import settings as settings_alone
from tests.migrate02.configurations import FORMS, TARGETS, Configuration, configurations
from tests.migrate02.running import HOST

SAID_AS = {"v": ("log-level",), "vv": ("log-level",), "vvv": ("log-level",)} | {
    name: (name,) for name in ("ca-file", "peer-ca-file")
}
"""What some releases call it, beside what 2.3 does."""

pytestmark = pytest.mark.slow
few = settings(max_examples=50)

KINDS = ("toml", "env", "export", "command")


def text_of(configuration: Configuration, kind: str) -> str:
    if kind == "export":
        return configuration.env(lead="export ")
    return {"toml": configuration.toml, "env": configuration.env, "command": configuration.command}[kind]()


def converted(text: str, form: str = "", target: str = "") -> Conversion:
    return convert_text(text, "input", Options(form=form, target=target, hostname=HOST))


def result(text: str, form: str = "", target: str = "") -> str:
    conversion = converted(text, form, target)
    assert conversion.text is not None, finding_lines(conversion.findings)
    return conversion.text


def fits(form: str, target: str) -> bool:
    return not (form == "yaml" and target.startswith("2"))


@pytest.mark.parametrize("kind", KINDS)
@few
@given(
    configuration=configurations(),
    way=st.tuples(st.sampled_from(FORMS), st.sampled_from(TARGETS)).filter(lambda way: fits(*way)),
)
def test_converting_a_converted_text_changes_nothing(
    kind: str, configuration: Configuration, way: tuple[str, str]
) -> None:
    form, target = way
    once = result(text_of(configuration, kind), form, target)
    assert result(once) == once
    assert result(once, form, target) == once
    assert result(once, "", target) == once


@pytest.mark.parametrize("kind", KINDS)
@few
@given(configuration=configurations(), form=st.sampled_from(FORMS))
def test_text_says_what_the_json_says(kind: str, configuration: Configuration, form: str) -> None:
    conversion = converted(text_of(configuration, kind), form)
    assert conversion.text is not None
    read_back = {given.name: given.value for given in settings_alone.read(conversion.text, "output").given}
    assert typed(read_back) == typed(conversion.config)


@few
@given(configuration=configurations())
def test_the_same_settings_give_the_same_result_in_all_ways(configuration: Configuration) -> None:
    """0.4 read a file, its variables and its flags into one configuration."""
    configs = [converted(text_of(configuration, kind)).config for kind in KINDS]
    configs.append(convert_words(configuration.words(), Options(hostname=HOST)).config)
    assert configs == [configs[0]] * len(configs)


@pytest.mark.parametrize("kind", KINDS)
@few
@given(configuration=configurations(), form=st.sampled_from(("flags", "env", "yaml")))
def test_no_comment_is_lost(kind: str, configuration: Configuration, form: str) -> None:
    text = result(text_of(configuration, kind), form)
    found = [line.strip() for line in text.splitlines()]
    for comment in configuration.comments:
        assert any(line.endswith(comment.strip()) and line.startswith("#") for line in found), comment


@pytest.mark.parametrize("kind", KINDS)
@few
@given(configuration=configurations(peers=True), form=st.sampled_from(FORMS), target=st.sampled_from(TARGETS))
def test_every_setting_is_carried_or_told(
    kind: str, configuration: Configuration, form: str, target: str
) -> None:
    assume(fits(form, target))
    conversion = converted(text_of(configuration, kind), form, target)
    told = {finding.setting for finding in conversion.findings}
    for name in configuration.settings:
        carried = any(new in conversion.config for new in (*BY_NAME[name].becomes, *SAID_AS.get(name, ())))
        assert carried or name in told or set(BY_NAME[name].becomes) & told, name


@pytest.mark.parametrize("kind", KINDS)
@few
@given(configuration=configurations(), form=st.sampled_from(FORMS))
def test_line_ends_stay(kind: str, configuration: Configuration, form: str) -> None:
    text = text_of(configuration, kind)
    with_crlf = result(text.replace("\n", "\r\n"), form)
    assert with_crlf == result(text, form).replace("\n", "\r\n")


@few
@given(configuration=configurations(), kind=st.sampled_from(KINDS))
def test_a_refused_input_has_no_result(configuration: Configuration, kind: str) -> None:
    """An address that is none beside anything."""
    conversion = converted(text_of(_with_bad_address(configuration), kind))
    assert (conversion.text, conversion.config, conversion.changed) == (None, {}, False)


def _with_bad_address(configuration: Configuration) -> Configuration:
    return Configuration({**configuration.settings, "addr": "http://10.0.0.1:7001"}, configuration.comments)


@pytest.mark.parametrize("kind", KINDS)
@few
@given(configuration=configurations(peers=True), form=st.sampled_from(FORMS))
def test_others_to_join_through_give_a_list_that_a_person_completes(
    kind: str, configuration: Configuration, form: str
) -> None:
    """For every release and in every form that it is written in, and it is reported for as long as it stands there."""
    assume({"peers", "peers-file"} & configuration.settings.keys())
    given_text = text_of(configuration, kind)
    for target in (each for each in TARGETS if fits(form, each)):
        conversion = converted(given_text, form, target)
        text = str(conversion.text)
        assert text.count(OTHERS) == 1, target
        assert "NAME-OF" not in text
        again = converted(text)
        for item in (conversion, again):
            assert "incomplete-cluster" in {finding.code for finding in item.findings}
            assert item.needs_review
        assert OTHERS in again.config["initial-cluster"]


def says_something_or_converts(text: str) -> None:
    for form in ("", *FORMS):
        conversion = converted(text, form)
        lines = finding_lines(conversion.findings)
        assert all(line == line.replace("\n", "").replace("\r", "") for line in lines)
        if conversion.refused:
            assert any(line.startswith("error[") for line in lines)
        elif conversion.text != text:
            assert converted(str(conversion.text)).text == conversion.text
        as_json([conversion])
        diff(conversion)


_ALPHABET = st.sampled_from(
    [
        *"\n\r\t \"'\\#=[]{}()$`;&|<>:-,.0aé\x00\x0b\x0c\x85\u2028\ufeff\udcff",
        *(
            "ETCD_ADDR=",
            "ETCD_NAME=",
            "export ",
            "addr = ",
            "[peer]\n",
            "etcd -addr ",
            "-name ",
            "10.0.0.9:4001",
        ),
        *(
            "name: ",
            "listen-client-urls: ",
            "http://h:1",
            "client-transport-security:\n",
            "  cert-file: ",
            '["',
            '"]',
        ),
    ]
)


@settings(max_examples=300)
@given(text=st.lists(_ALPHABET, max_size=25).map("".join))
@example("name: \udcff\nlisten-client-urls: x")
@example("[" * 100_000)
@example("a = " + "[" * 100_000)
@example("name: " + "[" * 5_000)
@example("name: 0b_")
@example("name: 2014-99-99\ndata-dir: 1")
@example("etcd -addr 10.0.0.9:4001 \\")
@example("ETCD_NAME=a\\")
@example("ETCD_NAME==\n\t")
@example('ETCD_NAME==\n\r"')
@example("ETCD_NAME=a\nETCD_ADDR=10.0.0.9:4001\n\t# x\n")
@example("\ufeffname = 'm1'\naddr = '10.0.0.9:4001'\n")
def test_odd_texts_give_a_result_or_a_reason(text: str) -> None:
    says_something_or_converts(text)


@settings(max_examples=200)
@given(data=st.binary(max_size=60))
def test_any_bytes_give_a_result_or_a_reason(data: bytes) -> None:
    says_something_or_converts(data.decode("utf-8", "surrogateescape"))


@settings(max_examples=200)
@given(
    configuration=configurations(peers=True),
    kind=st.sampled_from(KINDS),
    place=st.integers(0, 400),
    insert=st.sampled_from("\"'\\\n#=[ $\x00"),
)
def test_damaged_configurations_give_a_result_or_a_reason(
    configuration: Configuration, kind: str, place: int, insert: str
) -> None:
    text = text_of(configuration, kind)
    says_something_or_converts(text[:place] + insert + text[place:])
    says_something_or_converts(text[:place])


def test_codes_in_findings_are_known() -> None:
    line = re.compile(r"(error|review|info)\[[a-z0-9-]+\] ")
    conversion = converted('addr = "10.0.0.9:4001"\nhttp_read_timeout = 5.0\n')
    assert all(line.match(text) for text in finding_lines(conversion.findings))
