"""Procfiles."""

from __future__ import annotations

from tests.migrate02.formats.readers import converted, starts


def test_each_line_has_a_command() -> None:
    text = "web: rails server\na: etcd -name a\nb: ETCD_CORS=x exec bin/etcd -name b > log\n"
    assert starts("procfile", text) == [({"name": "a"}, {}), ({"name": "b"}, {"cors": "x"})]


def test_lines_of_others_stay() -> None:
    after = converted("# mine\nweb: rails server -p 1\netcd: etcd -name m1 -f\nworker: rake -x\n")
    assert after.startswith("# mine\nweb: rails server -p 1\netcd: etcd ")
    assert after.endswith("\nworker: rake -x\n")
