"""``member``: the cluster's members, listed and changed."""

from __future__ import annotations

from compat.etcdctl02.call import Call
from compat.etcdctl02.client import Action, Member, decoded, document, expect, message_unless
from compat.etcdctl02.errors import BAD_ARGUMENTS, ClientError, Stop, plain
from compat.etcdctl02.gotext import clean_path, quoted
from server.config.urls import redacted

_DOCUMENTATION = (
    "https://github.com/coreos/etcd/blob/master/Documentation/runtime-configuration.md#remove-a-member"
)


def show(call: Call) -> None:
    if call.words:
        raise Stop(BAD_ARGUMENTS, "No arguments accepted\n")
    client, until = call.client(), call.until()
    try:
        members = client.members(until)
    except ClientError as error:
        raise plain(error) from error
    try:
        answer = client.do(Action("GET", "/v2/members/leader"), until)
        expect(answer, 200)
        leader = decoded(answer.body).get("id")
    except ClientError as error:
        raise Stop(BAD_ARGUMENTS, f"Failed to get leader:  {error}\n") from error
    call.console.out("".join(_line(member, member.id == leader) for member in members))


def _line(member: Member, leads: bool) -> str:
    peers, clients = redacted(",".join(member.peer_urls)), redacted(",".join(member.client_urls))
    if not member.name:
        return f"{member.id}[unstarted]: peerURLs={peers}\n"
    return f"{member.id}: name={member.name} peerURLs={peers} clientURLs={clients} isLeader={str(leads).lower()}\n"


def add(call: Call) -> None:
    """Prints what the new member has to be started with."""
    if len(call.words) != 2:
        raise Stop(BAD_ARGUMENTS, "Provide a name and a single member peerURL\n")
    name, url = call.words
    client, until = call.client(), call.until()
    try:
        answer = client.do(document("POST", "/v2/members", {"peerURLs": _peer_urls([url])}), until)
        expect(answer, 201, 409)
        message_unless(answer, 201)
        new_id = str(decoded(answer.body).get("id", ""))
        call.console.out(f"Added member named {name} with ID {new_id} to cluster\n")
        members = client.members(until)
    except ClientError as error:
        raise plain(error) from error
    cluster = ",".join(
        f"{name if member.id == new_id else member.name}={peer_url}"
        for member in members
        for peer_url in member.peer_urls
    )
    call.console.out(
        f"\nETCD_NAME={quoted(name)}\nETCD_INITIAL_CLUSTER={quoted(cluster)}\n"
        'ETCD_INITIAL_CLUSTER_STATE="existing"\n'
    )


def remove(call: Call) -> None:
    """Only by id; a name gets a hint."""
    if len(call.words) != 1:
        raise Stop(BAD_ARGUMENTS, "Provide a single member ID\n")
    (wanted,) = call.words
    client, until = call.client(), call.until()
    try:
        members = client.members(until)
    except ClientError as error:
        raise Stop(BAD_ARGUMENTS, f"Error while verifying ID against known members: {error}\n") from error
    for member in members:
        if member.name == wanted:
            call.console.err(
                f"Found a member named {member.name}; if this is correct, please use its ID, eg:\n"
                f"\tetcdctl member remove {member.id}\n"
                f"For more details, read the documentation at {_DOCUMENTATION}\n\n"
            )
    if wanted not in (member.id for member in members):
        raise Stop(BAD_ARGUMENTS, f"Couldn't find a member in the cluster with an ID of {wanted}.\n")
    try:
        expect(client.do(Action("DELETE", _path(wanted)), until), 204, 410)
    except ClientError as error:
        raise Stop(BAD_ARGUMENTS, f"Received an error trying to remove member {wanted}: {error}") from error
    call.console.out(f"Removed member {wanted} from cluster\n")


def update(call: Call) -> None:
    if len(call.words) != 2:
        raise Stop(
            BAD_ARGUMENTS,
            "Provide an ID and a list of comma separated peerURL (0xabcd http://example.com,http://example1.com)\n",
        )
    member_id, urls = call.words
    client = call.client()
    try:
        request = document("PUT", _path(member_id), {"peerURLs": _peer_urls(urls.split(","))})
        answer = client.do(request, call.until())
        expect(answer, 204, 404, 409)
        message_unless(answer, 204)
    except ClientError as error:
        raise plain(error) from error
    call.console.out(f"Updated member with ID {member_id} in cluster\n")


def _path(member_id: str) -> str:
    return clean_path(f"/v2/members/{member_id}")


def _peer_urls(texts: list[str]) -> list[str]:
    """Checked as the server would check them. Raises ClientError."""
    from server.config.urls import UrlError, parse_url

    try:
        return sorted(str(parse_url(text)) for text in texts)
    except UrlError as error:
        raise ClientError(str(error)) from error
