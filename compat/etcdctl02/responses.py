"""What the key space answers: read from JSON, and printed in the three output forms."""

from __future__ import annotations

from typing import Any, NamedTuple

from compat.etcdctl02.console import Console
from compat.etcdctl02.errors import ClientError, EtcdError
from compat.etcdctl02.gotext import json_of
from compat.etcdctl02.transport import BOUNDS, BoundedAnswer
from server.bounded import index_in, parse_json

_NO_JSON = "client: response is invalid json. The endpoint is probably not valid etcd cluster endpoint."


class Node(NamedTuple):
    key: str
    directory: bool
    value: str
    nodes: list[Node] | None
    created_index: int
    modified_index: int
    expiration: str
    ttl: int


class Response(NamedTuple):
    """``store_index`` is the store's, from the answer's head; 0 if it had none."""

    action: str
    node: Node
    previous: Node | None
    store_index: int


class EmptyBody(ClientError):
    """A watch that the server ended without an event."""

    def __init__(self) -> None:
        super().__init__("client: response body is empty")


def read_response(answer: BoundedAnswer) -> Response:
    """Raises ClientError: what etcd's error says, or that it is no answer of etcd."""
    if answer.status in (200, 201) and not answer.body:
        raise EmptyBody
    try:
        content = parse_json(answer.body.decode("utf-8", "replace"), BOUNDS.depth)
        if answer.status not in (200, 201):
            raise _error(content)
        previous = content.get("prevNode")
        return Response(
            str(content.get("action", "")),
            _node(content["node"]),
            None if previous is None else _node(previous),
            index_in(answer.headers.get("x-etcd-index", "")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ClientError(_NO_JSON) from error


def _error(content: dict[str, Any]) -> EtcdError:
    code, index = int(content.get("errorCode", 0)), int(content.get("index", 0))
    return EtcdError(code, str(content.get("message", "")), str(content.get("cause", "")), index)


def _node(record: dict[str, Any]) -> Node:
    nodes = record.get("nodes")
    return Node(
        str(record.get("key", "")),
        bool(record.get("dir")),
        str(record.get("value") or ""),
        None if nodes is None else [_node(each) for each in nodes],
        int(record.get("createdIndex", 0)),
        int(record.get("modifiedIndex", 0)),
        str(record.get("expiration") or ""),
        int(record.get("ttl") or 0),
    )


def show(response: Response, form: str, console: Console) -> None:
    """``form`` is simple, extended or json; any other is complained of, and no error."""
    printer = _FORMS.get(form)
    if printer is None:
        console.err(f"Unsupported output format: {form}\n")
    else:
        console.out(printer(response))


def _simple(response: Response) -> str:
    if response.action == "delete":
        return f"PrevNode.Value: {response.previous.value if response.previous else ''}\n"
    return f"{response.node.value}\n"


def _extended(response: Response) -> str:
    node = response.node
    lines = [
        f"Key: {node.key}",
        f"Created-Index: {node.created_index}",
        f"Modified-Index: {node.modified_index}",
    ]
    if response.previous is not None:
        lines.append(f"PrevNode.Value: {response.previous.value}")
    lines += [f"TTL: {node.ttl}", f"Index: {response.store_index}"]
    if response.action != "delete":
        lines += ["", node.value]
    return "\n".join(lines) + "\n"


def _json(response: Response) -> str:
    node, previous = _node_json(response.node), _node_json(response.previous)
    return f'{{"action":{json_of(response.action)},"node":{node},"prevNode":{previous}}}\n'


def _node_json(node: Node | None) -> str:
    if node is None:
        return "null"
    nodes = "null" if node.nodes is None else f"[{','.join(map(_node_json, node.nodes))}]"
    members = [f'"key":{json_of(node.key)}']
    if node.directory:
        members.append('"dir":true')
    members += [
        f'"value":{json_of(node.value)}',
        f'"nodes":{nodes}',
        f'"createdIndex":{node.created_index}',
        f'"modifiedIndex":{node.modified_index}',
    ]
    if node.expiration:
        members.append(f'"expiration":{json_of(node.expiration)}')
    if node.ttl:
        members.append(f'"ttl":{node.ttl}')
    return f"{{{','.join(members)}}}"


_FORMS = {"simple": _simple, "extended": _extended, "json": _json}
