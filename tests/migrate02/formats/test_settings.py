"""Texts of settings and nothing else: which of five formats, and what is said of what is none."""

from __future__ import annotations

import pytest

from migrate02.formats import settings
from migrate02.formats.document import NothingToConvert, NotRead, TemplateInput, UnusableInput
from migrate02.formats.format import Text
from migrate02.formats.registry import named

FORMS = [
    ('name = "m1"\n[peer]\naddr = "10.0.0.9:7001"\n', "toml"),
    ("ETCD_NAME=m1\n", "env"),
    ("export ETCD_NAME=m1\n", "env"),
    ('ETCD_OPTS="-name m1"\n', "env"),
    ("ETCD_CORS=* etcd -name m1\n", "flags"),
    ("# a member\netcd -name m1\n", "flags"),
    ("-name m1 -addr 10.0.0.9:4001\n", "flags"),
    ("etcd\n", "flags"),
    ('["etcd", "-name", "m1"]\n', "args-json"),
    ("listen-client-urls: http://10.0.0.9:2379\n", "yaml"),
    ("# nothing yet\n", settings.ONLY_COMMENTS),
]


@pytest.mark.parametrize(("text", "form"), FORMS)
def test_the_content_tells_the_format(text: str, form: str) -> None:
    assert settings.read(text, "etcd.conf").form == form


NOT_READ = [
    ("", NothingToConvert, "empty"),
    ("\0", UnusableInput, "binary"),
    ("words and words\n", NothingToConvert, "no setting"),
    ('addr = "10.0.0.9:4001\n[peer]\naddr = "a"\n', UnusableInput, "broken TOML"),
    ("listen-client-urls: [a\n", UnusableInput, "broken YAML"),
    ("[Unit] # of mine\nExecStart=etcd -name m1\n", UnusableInput, "a systemd unit, which is not converted"),
    ("[Unit] # of mine\n", NothingToConvert, "a systemd unit"),
    ("command ['etcd', '-peer-addr', ip]\n", NotRead, "in line 1"),
    ("ETCD_NAME=a\n{% if x %}\nETCD_ADDR=10.0.0.9:4001\n{% endif %}\n", TemplateInput, "if x"),
]


@pytest.mark.parametrize(("text", "error", "words"), NOT_READ)
def test_what_cannot_be_read_says_why(text: str, error: type[UnusableInput], words: str) -> None:
    with pytest.raises(error, match=words):
        settings.read(text, "input")


def test_a_file_that_is_toml_by_its_name_is_broken_toml() -> None:
    with pytest.raises(UnusableInput, match="broken TOML"):
        settings.read("name = m1\n", "etcd.conf")


def test_a_format_that_a_person_names_is_not_guessed() -> None:
    assert settings.read("OTHER=1\n", "input", format=named("env")).form == "env"
    with pytest.raises(UnusableInput, match="not a JSON list"):
        settings.read("ETCD_NAME=m1\n", "input", format=named("args-json"))


@pytest.mark.parametrize(
    ("text", "is_etcds"),
    [
        ("ETCD_ANYTHING=1\n", True),
        ("[peer]\n", True),
        ('["etcd"]\n', True),
        ("exec etcd -name m1\n", True),
        ("advertise-client-urls: a\n", True),
        ("NAME=m1\n", False),
        ("[server]\n", False),
        ('["consul"]\n', False),
        ("exec consul -name m1\n", False),
        ("name: m1\n", False),
        ("#!/bin/sh\nETCD_NAME=m1\n", False),
    ],
)
def test_settings_of_etcds_are_told_from_others(text: str, is_etcds: bool) -> None:
    assert settings.looks_like_etcds(Text(text)) == is_etcds
