"""Templates of clouds, with whole files in their texts."""

from __future__ import annotations

import json

import pytest

from tests.migrate02.formats.readers import Settings, converted, read, starts

SCRIPT = "#!/bin/sh\nexec etcd -name m1\n"
FOUND: list[tuple[Settings, Settings]] = [({"name": "m1"}, {})]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"UserData": {"Fn::Base64": SCRIPT}}),
        "UserData: |\n  #!/bin/sh\n  exec etcd -name m1\n",
        "UserData:\n  Fn::Sub: |\n    #!/bin/sh\n    exec etcd -name m1\n",
        'user_data = "#!/bin/sh\\nexec etcd -name m1\\n"\n',
        "user_data = <<EOF\n#!/bin/sh\nexec etcd -name m1\nEOF\n",
        "user_data = <<-EOF\n    #!/bin/sh\n    exec etcd -name m1\n    EOF\n",
    ],
)
def test_a_script_in_a_text_is_read(text: str) -> None:
    assert starts("cloud-templates", text) == FOUND


def test_what_is_filled_in_stands_for_itself() -> None:
    text = "user_data = <<EOF\n#!/bin/sh\nexec etcd -name ${var.name}\nEOF\n"
    assert starts("cloud-templates", text) == [({"name": "${var.name}"}, {})]


@pytest.mark.parametrize(
    "text", ['a = "etcd -name m1"\n', json.dumps({"Command": "etcd -name m1"}), "etcd\n"]
)
def test_a_text_that_is_no_file_is_left(text: str) -> None:
    assert read("cloud-templates", text).is_empty


def test_the_text_around_stays() -> None:
    after = converted('# mine\na   = 1\nuser_data = "#!/bin/sh\\nexec etcd -name m1 -f\\n"\n')
    assert after.startswith('# mine\na   = 1\nuser_data = "#!/bin/sh\\nexec etcd ')
    assert after.endswith('\\n"\n')
