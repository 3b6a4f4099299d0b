"""Commands that read and write the key space; ``watch`` has a module of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from compat.etcdctl02.call import Call
from compat.etcdctl02.client import Action, form, key_path
from compat.etcdctl02.errors import BAD_ARGUMENTS, SERVER_ERROR, ClientError, Stop, failed
from compat.etcdctl02.gotext import as_uint64
from compat.etcdctl02.responses import Node, Response, read_response, show


def get(call: Call) -> None:
    response = _ask(call, lambda: _read(call, _key(call), recursive=False))
    if response.node.directory:
        raise Stop(BAD_ARGUMENTS, f"{response.node.key}: is a directory\n")
    _show(call, response)


def list_directory(call: Call) -> None:
    key = call.words[0] if call.words else "/"
    response = _ask(call, lambda: _read(call, key, recursive=call.options.switch("recursive")))
    node = response.node
    below = "".join(
        f"{line}\n" for child in node.nodes or () for line in _names(child, call.options.switch("p"))
    )
    call.console.out(below if node.directory else f"{node.key}\n{below}")


def set_value(call: Call) -> None:
    def action() -> Action:
        query = {}
        if previous := call.options.text("swap-with-value"):
            query["prevValue"] = previous
        if index := call.options.number("swap-with-index"):
            query["prevIndex"] = str(as_uint64(index))
        return form("PUT", key_path(_key(call)), query, _value(call))

    _show(call, _ask(call, action))


def make(call: Call) -> None:
    def action() -> Action:
        path = key_path(_key(call))
        if call.options.switch("in-order"):
            return form("POST", path, {}, _value(call))
        return form("PUT", path, {"prevExist": "false"}, _value(call))

    _show(call, _ask(call, action))


def update(call: Call) -> None:
    _show(call, _ask(call, lambda: form("PUT", key_path(_key(call)), {"prevExist": "true"}, _value(call))))


def make_directory(call: Call) -> None:
    _put_directory(call, {"prevExist": "false"})


def set_directory(call: Call) -> None:
    _put_directory(call, {})


def update_directory(call: Call) -> None:
    _put_directory(call, {"prevExist": "true"})


def remove(call: Call) -> None:
    def action() -> Action:
        query = {name: "true" for name in ("dir", "recursive") if call.options.switch(name)}
        if previous := call.options.text("with-value"):
            query["prevValue"] = previous
        if index := call.options.number("with-index"):
            query["prevIndex"] = str(as_uint64(index))
        return _delete(call, query)

    _show_removed(call, _ask(call, action))


def remove_directory(call: Call) -> None:
    _show_removed(call, _ask(call, lambda: _delete(call, {"dir": "true"})))


def _ask(call: Call, action: Callable[[], Action]) -> Response:
    """Finds the cluster, then looks at the arguments, and only then counts the time: the order of etcdctl's errors."""
    client = call.client()
    request = action()
    try:
        return read_response(client.do(request, call.until()))
    except ClientError as error:
        raise failed(SERVER_ERROR, error) from error


def _key(call: Call) -> str:
    if not call.words:
        raise failed(BAD_ARGUMENTS, "key required")
    return call.words[0]


def _value(call: Call) -> dict[str, str]:
    """The form with the second argument, or all of standard input, and with the time to live."""
    value = call.words[1] if len(call.words) > 1 else call.console.read_all()
    if len(call.words) < 2 and not value:
        raise failed(BAD_ARGUMENTS, "value required")
    return {"value": value, **_ttl(call)}


def _ttl(call: Call) -> dict[str, str]:
    ttl = call.options.number("ttl")
    return {"ttl": str(ttl)} if ttl > 0 else {}


def _read(call: Call, key: str, *, recursive: bool) -> Action:
    switches = {
        "recursive": recursive,
        "sorted": call.options.switch("sort"),
        "quorum": call.options.switch("quorum"),
    }
    return Action("GET", key_path(key), {name: str(on).lower() for name, on in switches.items()})


def _delete(call: Call, query: dict[str, str]) -> Action:
    return Action("DELETE", key_path(_key(call)), query, None, "application/x-www-form-urlencoded")


def _put_directory(call: Call, query: dict[str, str]) -> None:
    _ask(call, lambda: form("PUT", key_path(_key(call)), {"dir": "true", **query}, _ttl(call)))


def _show(call: Call, response: Response) -> None:
    show(response, call.output_form, call.console)


def _show_removed(call: Call, response: Response) -> None:
    if not response.node.directory:
        _show(call, response)


def _names(node: Node, with_slash: bool) -> Iterator[str]:
    yield f"{node.key}/" if node.directory and with_slash else node.key
    for child in node.nodes or ():
        yield from _names(child, with_slash)
