"""Waiting for changes of keys: printing them, or running a program for each."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping

from compat.etcdctl02.call import Call
from compat.etcdctl02.client import Action, Client, key_path
from compat.etcdctl02.errors import BAD_ARGUMENTS, SERVER_ERROR, ClientError, Stop, failed
from compat.etcdctl02.gotext import as_uint64, quoted
from compat.etcdctl02.responses import EmptyBody, Response, read_response, show


def watch(call: Call) -> None:
    """Ends after the first change, or with ``--forever`` when it is interrupted; then with 0."""
    client = call.client()
    if not call.words:
        raise failed(BAD_ARGUMENTS, "key required")
    recursive = call.options.switch("recursive")
    try:
        for response in _changes(client, call.words[0], call.options.number("after-index"), recursive):
            if response.node.directory:
                continue
            if recursive:
                call.console.out(f"[{response.action}] {response.node.key}\n")
            show(response, call.output_form, call.console)
            if not call.options.switch("forever"):
                return
    except KeyboardInterrupt:
        return


def exec_watch(call: Call) -> None:
    """Starts the program for every change and does not wait for it, until it is interrupted; then ends with 0.

    Begins with the change after the given index; etcdctl 2.3.8 counted that step twice and missed one.
    """
    client = call.client()
    key, program = _key_and_program(call.words)
    after, recursive = call.options.number("after-index"), call.options.switch("recursive")
    running: list[subprocess.Popen[bytes]] = []
    try:
        for response in _changes(client, key, after, recursive):
            running = [each for each in running if each.poll() is None]
            if response.node.directory:
                call.console.err(f"Ignored dir {response.node.key} change")
            else:
                running.append(_start(program, _environment(response, call.environ)))
    except KeyboardInterrupt:
        return


def _changes(client: Client, key: str, after_index: int, recursive: bool) -> Iterator[Response]:
    """Every change, one request each; the index of each says where the next begins."""
    index = as_uint64(after_index + 1) if after_index else 0
    while True:
        query = {"wait": "true", "waitIndex": str(index), "recursive": str(recursive).lower()}
        try:
            response = read_response(client.do(Action("GET", key_path(key), query, wait=True), None))
        except EmptyBody:
            continue
        except ClientError as error:
            raise failed(SERVER_ERROR, error) from error
        index = response.node.modified_index + 1
        yield response


def _key_and_program(words: list[str]) -> tuple[str, list[str]]:
    """The key is in front when a ``--`` follows it; otherwise an option stood in between, and it went to the end."""
    separated = "--" in words[1:]
    key, program = (words[:1], words[2:]) if separated else (words[-1:], words[:-1])
    if not program:
        raise failed(BAD_ARGUMENTS, "key and command to exec required")
    return key[0], program


def _environment(response: Response, environ: Mapping[str, str]) -> dict[str, str]:
    return {
        **environ,
        "ETCD_WATCH_ACTION": response.action,
        "ETCD_WATCH_MODIFIED_INDEX": str(response.node.modified_index),
        "ETCD_WATCH_KEY": response.node.key,
        "ETCD_WATCH_VALUE": response.node.value,
    }


def _start(program: list[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    encoded = {name: value.encode("utf-8", "surrogateescape") for name, value in environ.items()}
    try:
        return subprocess.Popen(
            [word.encode("utf-8", "surrogateescape") for word in program],
            env=encoded,
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        if "/" not in program[0] and isinstance(error, FileNotFoundError):
            raise Stop(
                BAD_ARGUMENTS, f"exec: {quoted(program[0])}: executable file not found in $PATH"
            ) from error
        why = os.strerror(error.errno or 0).lower()
        raise Stop(BAD_ARGUMENTS, f"fork/exec {program[0]}: {why}") from error
