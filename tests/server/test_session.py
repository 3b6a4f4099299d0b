"""Asking with aiohttp, within bounds; and that of aiohttp nothing is used but what it documents."""

import ast
import asyncio
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from server.session import bounded_session

ROOT = Path(__file__).parents[2]


async def _ask(*answers: bytes) -> list[bytes]:
    """What a session gets that asks as often, all over one connection."""
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    got = []
    async with server, bounded_session() as session:
        for _ in answers:
            async with session.get(url) as response:
                got.append(await response.read())
    assert connections == 1
    return got


INTERIM = b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_a_few_interim_answers_are_passed_over_with_each_request_of_a_connection() -> None:
    body = b"HTTP/1.1 100 Continue\r\n\r\n" * 1000  # which is none in a body
    long = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    got = asyncio.run(_ask(INTERIM * 16 + ANSWER, INTERIM * 16 + long, ANSWER))
    assert got == [b"ok", body, b"ok"]


def test_one_more_ends_the_connection() -> None:
    with pytest.raises(aiohttp.ClientError, match=r"more than 16 answers that are none \(1xx\)"):
        asyncio.run(_ask(INTERIM * 17 + ANSWER))


def _files() -> list[Path]:
    return [
        path for room in ("server", "compat", "migrate02", "bench") for path in (ROOT / room).rglob("*.py")
    ]


def _names_of_aiohttp() -> frozenset[str]:
    """Every underscore name in aiohttp's classes and modules."""
    folder = Path(aiohttp.__file__).parent
    return frozenset(
        name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _defined(node)
        if name.startswith("_") and not name.startswith("__")
    )


def _defined(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield node.attr


def undocumented(code: str, known: frozenset[str]) -> list[str]:
    """Underscore names of aiohttp that a module uses: of another object than itself, or of itself where it is one of
    aiohttp's classes; and modules of aiohttp with an underscore."""
    tree = ast.parse(code)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "aiohttp":
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            found += [name for name in names if name.startswith("_")]
        elif isinstance(node, ast.ClassDef) and any(
            "aiohttp" in ast.unparse(base) or "web." in ast.unparse(base) for base in node.bases
        ):
            found += [
                each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute) and each.attr in known
            ]
        elif (
            isinstance(node, ast.Attribute)
            and node.attr in known
            and ast.unparse(node.value) not in ("self", "cls")
        ):
            found.append(node.attr)
    return found


def test_of_aiohttp_nothing_is_used_that_it_does_not_document() -> None:
    known = _names_of_aiohttp()
    uses = [path for path in _files() if "aiohttp" in path.read_text()]
    assert ROOT / "server/session.py" in uses
    for path in uses:
        code = path.read_text()
        assert (path.name, undocumented(code, known)) == (path.name, [])
        assert '"UNKNOWN"' not in code


def test_such_a_name_would_be_seen() -> None:
    known = frozenset(("_factory", "_payload", "_prepare_hook"))
    assert undocumented("connector._factory = make", known) == ["_factory"]
    assert undocumented("from aiohttp._http_parser import X", known) == ["_http_parser"]
    assert undocumented("class C(aiohttp.TCPConnector):\n def f(self): self._payload", known) == ["_payload"]
    assert undocumented("class C:\n def f(self): self._payload", known) == []


def test_the_server_is_served_without_aiohttp() -> None:
    for path in (ROOT / "server/http").rglob("*.py"):
        assert "aiohttp" not in path.read_text()


def test_any_release_of_aiohttp_3_from_the_oldest_that_is_known_on_may_be_installed() -> None:
    assert '"aiohttp>=3.14,<4",' in (ROOT / "pyproject.toml").read_text()
    assert importlib.metadata.version("aiohttp").startswith("3.")
