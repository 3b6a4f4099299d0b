"""``cluster-health``: asks every member how it is."""

from __future__ import annotations

import time

from compat.etcdctl02.call import Call
from compat.etcdctl02.client import Member, decoded
from compat.etcdctl02.errors import NOT_HEALTHY, SERVER_ERROR, ClientError, failed
from compat.etcdctl02.transport import Deadlines, Request, Transport
from server.config.urls import redacted

_PAUSE = 10.0
_HEALTHY = ("true", True)


def check(call: Call) -> int:
    """Status 0 when a member at least is healthy. With ``--forever`` until it is interrupted; then 0."""
    try:
        transport = call.transport()
    except ClientError as error:
        raise failed(SERVER_ERROR, error) from error
    client = call.client_as_told()
    call.trace_endpoints(client)
    try:
        members = client.members(call.until())
    except ClientError as error:
        call.console.out("cluster may be unhealthy: failed to list members\n")
        raise failed(SERVER_ERROR, error) from error
    forever = call.options.switch("forever")
    try:
        while True:
            healthy = [_check_member(call, transport, member) for member in members]
            call.console.out(f"cluster is {'healthy' if any(healthy) else 'unhealthy'}\n")
            if not forever:
                return 0 if any(healthy) else NOT_HEALTHY
            call.console.out("\nnext check after 10 second...\n\n")
            time.sleep(_PAUSE)
    except KeyboardInterrupt:
        if forever:
            return 0
        raise


def _check_member(call: Call, transport: Transport, member: Member) -> bool:
    """Prints what the first of its addresses that answers says."""
    if not member.client_urls:
        call.console.out(f"member {member.id} is unreachable: no available published client urls\n")
        return False
    for url in member.client_urls:
        until = call.until()
        try:
            answer = transport.send(Request("GET", f"{url}/health"), Deadlines(until, until))
            healthy = decoded(answer.body).get("health") in _HEALTHY
        except ClientError as error:
            words = f"failed to check the health of member {member.id} on {url}: {_named(url, error)}\n"
            call.console.out(redacted(words))
            continue
        state = "healthy" if healthy else "unhealthy"
        call.console.out(redacted(f"member {member.id} is {state}: got {state} result from {url}\n"))
        return healthy
    urls = redacted(" ".join(member.client_urls))
    call.console.out(f"member {member.id} is unreachable: [{urls}] are all unreachable\n")
    return False


def _named(url: str, error: ClientError) -> str:
    return f'Get "{url}/health": {error}' if error.no_connection else str(error)
