"""What etcd 2.3's own documentation shows with curl gets the same answers from the bundled server as from a real etcd.

Each story follows the examples of one page in their order, with what a reader tries beside them.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.clients.side_by_side import Pair, Side, difference
from tests.clients.stories import Teller
from tests.support.real_etcd import required_tool

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]

API = {
    "the version": """
        -L {url}/version
        {url}/version/
        {url}/version -XPOST
        {url}/version -I
    """,
    "a key": """
        {url}/v2/keys/message -XPUT -d value="Hello world"
        {url}/v2/keys/message
        {url}/v2/keys/message -XPUT -d value="Hello etcd"
        {url}/v2/keys/message -XDELETE
        {url}/v2/keys/message -XDELETE
        {url}/v2/keys/message
        {url}/v2/keys/message -I
        {url}/v2/keys/message -XPUT
        {url}/v2/keys/message -I
        -L {url}/v2//keys/message
        -L {url}/v2//keys/message -XPUT -d value=x
        {url}/v2/keys/message -XPATCH -d value=x
        {url}/v2/keys/message -XOPTIONS
    """,
    "time to live": """
        {url}/v2/keys/foo -XPUT -d value=bar -d ttl=1000
        {url}/v2/keys/foo
        {url}/v2/keys/foo -XPUT -d value=bar -d ttl= -d prevExist=true
        {url}/v2/keys/foo
        {url}/v2/keys/foo -XPUT -d value=bar -d ttl=1
        sleep 3
        {url}/v2/keys/foo
        {url}/v2/keys/foo -XPUT -d value=bar -d ttl=1000
        {url}/v2/keys/foo -XPUT -d ttl=1000 -d refresh=true -d prevExist=true
        {url}/v2/keys/foo
        {url}/v2/keys/foo -XPUT -d ttl=1000 -d refresh=true -d prevExist=true -d value=x
        {url}/v2/keys/foo -XPUT -d refresh=true -d prevExist=true
        {url}/v2/keys/foo -XPUT -d ttl=1000 -d refresh=true
        {url}/v2/keys/nowhere -XPUT -d ttl=1000 -d refresh=true -d prevExist=true
        {url}/v2/keys/foo -XPUT -d value=bar -d ttl=five
        {url}/v2/keys/foo -XPUT -d value=bar -d ttl=-1
    """,
    "waiting for a change": """
        {url}/v2/keys/foo -XPUT -d value=bar
        & {url}/v2/keys/foo?wait=true
        {url}/v2/keys/foo -XPUT -d value=bar
        ends
        {url}/v2/keys/foo?wait=true&waitIndex={now}
        {url}/v2/keys/other -XPUT -d value=x
        & {url}/v2/keys/foo?wait=true&waitIndex={now}
        {url}/v2/keys/foo -XPUT -d value=again
        ends
        & {url}/v2/keys/?wait=true&recursive=true
        {url}/v2/keys/deep/foo -XPUT -d value=bar
        ends
        & -N {url}/v2/keys/foo?wait=true&stream=true
        {url}/v2/keys/foo -XPUT -d value=first
        {url}/v2/keys/foo -XDELETE
        {url}/v2/keys/foo -XPUT -d value=last
        until last
        stop
        {url}/v2/keys/foo?wait=true -XPUT -d value=bar
        {url}/v2/keys/foo?wait=perhaps
        {url}/v2/keys/foo?wait=true&waitIndex=soon
    """,
    "waiting for what has been forgotten": """
        {url}/v2/keys/foo -XPUT -d value=bar
        {url}/v2/keys/other?[1-2000] -XPUT -d value=bar -o /dev/null
        {url}/v2/keys/foo?wait=true&waitIndex={now-1999}
        {url}/v2/keys/foo?wait=true&waitIndex={now-1000}
        {url}/v2/keys/other?wait=true&waitIndex={now-999}
        {url}/v2/keys/foo
        & {url}/v2/keys/foo?wait=true&waitIndex={now+1}
        {url}/v2/keys/foo -XDELETE
        ends
    """,
    "keys in order": """
        {url}/v2/keys/queue -XPOST -d value=Job1
        {url}/v2/keys/queue -XPOST -d value=Job2
        {url}/v2/keys/queue?recursive=true&sorted=true
        {url}/v2/keys/queue -XPOST -d value=Job3 -d ttl=1000
        {url}/v2/keys/queue?sorted=true
        {url}/v2/keys/ -XPOST -d value=Job4
    """,
    "a directory with a time to live": """
        {url}/v2/keys/dir -XPUT -d ttl=30 -d dir=true -o /dev/null
        {url}/v2/keys/dir -XPUT -d ttl=1000 -d dir=true -d prevExist=true -o /dev/null
        {url}/v2/keys/dir
        {url}/v2/keys/dir/foo -XPUT -d value=bar
        {url}/v2/keys/dir -XPUT -d ttl=4 -d dir=true -d prevExist=true -o /dev/null
        & {url}/v2/keys/dir?wait=true
        ends
        {url}/v2/keys/dir/foo
        {url}/v2/keys/dir2 -XPUT -d ttl=4 -d dir=true
        {url}/v2/keys/dir2/foo -XPUT -d value=bar
        & {url}/v2/keys/dir2/foo?wait=true
        ends
    """,
    "compare and swap": """
        {url}/v2/keys/foo -XPUT -d value=one
        {url}/v2/keys/foo?prevExist=false -XPUT -d value=three
        {url}/v2/keys/foo?prevValue=two -XPUT -d value=three
        {url}/v2/keys/foo?prevValue=one -XPUT -d value=two
        {url}/v2/keys/foo?prevIndex=0 -XPUT -d value=two
        {url}/v2/keys/foo?prevIndex={now} -XPUT -d value=four
        {url}/v2/keys/foo?prevIndex={now-1} -XPUT -d value=five
        {url}/v2/keys/foo?prevIndex={now-1}&prevValue=x -XPUT -d value=five
        {url}/v2/keys/foo?prevValue= -XPUT -d value=five
        {url}/v2/keys/foo?prevExist=true -XPUT -d value=six
        {url}/v2/keys/nowhere?prevExist=true -XPUT -d value=six
        {url}/v2/keys/dir -XPUT -d dir=true
        {url}/v2/keys/dir?prevValue=one -XPUT -d value=two
    """,
    "compare and delete": """
        {url}/v2/keys/foo -XPUT -d value=one
        {url}/v2/keys/foo?prevValue=two -XDELETE
        {url}/v2/keys/foo?prevIndex={now-1} -XDELETE
        {url}/v2/keys/foo?prevValue=one -XDELETE
        {url}/v2/keys/foo?prevValue=one -XDELETE
        {url}/v2/keys/dir -XPUT -d dir=true
        {url}/v2/keys/dir?prevValue=one -XDELETE
    """,
    "directories": """
        {url}/v2/keys/dir -XPUT -d dir=true
        {url}/v2/keys/dir -XPUT -d dir=true
        {url}/v2/keys/foo_dir/foo -XPUT -d value=bar
        {url}/v2/keys/foo -XPUT -d value=two
        ~ {url}/v2/keys/
        {url}/v2/keys/?sorted=true
        ~ {url}/v2/keys/?recursive=true
        {url}/v2/keys/?recursive=true&sorted=true
        {url}/v2/keys?sorted=true
        {url}/v2/keys/foo_dir?dir=true -XDELETE
        {url}/v2/keys/foo_dir/foo -XDELETE
        {url}/v2/keys/foo_dir -XDELETE
        {url}/v2/keys/foo_dir?dir=true -XDELETE
        {url}/v2/keys/dir/a/b -XPUT -d value=bar
        {url}/v2/keys/dir?recursive=true -XDELETE
        {url}/v2/keys/?recursive=true -XDELETE
    """,
    "a hidden key": """
        {url}/v2/keys/_hidden -XPUT -d value="Hello hidden world"
        {url}/v2/keys/message -XPUT -d value="Hello world"
        ~ {url}/v2/keys/
        {url}/v2/keys/_hidden
        {url}/v2/keys/_hidden -XDELETE
    """,
    "a key from a file": """
        {url}/v2/keys/afile -XPUT --data-urlencode value@- <<< Hello\\nWorld & others = 50%\\n
        {url}/v2/keys/afile
        {url}/v2/keys/raw -XPUT --data-binary @- <<< value=Hello\\nWorld\\n
        {url}/v2/keys/json -XPUT -H "Content-Type: application/json" -d '{"value": "x"}'
        {url}/v2/keys/multipart -XPUT -F value=x
        {url}/v2/keys/bad -XPUT -d value=50%
    """,
    "a linearized read": """
        {url}/v2/keys/foo -XPUT -d value=bar
        {url}/v2/keys/foo?quorum=true
        {url}/v2/keys/nowhere?quorum=true
        {url}/v2/keys/foo?quorum=perhaps
    """,
    "statistics": """
        {url}/v2/stats/leader
        {url}/v2/stats/self
        {url}/v2/stats/store
        {url}/v2/stats/nothing
        {url}/v2/stats/
        {url}/v2/stats/store -XPUT
        {url}/v2/machines
        {url}/v2/leader
    """,
    "members": """
        {url}/v2/members
        {url}/v2/members/
        {url}/v2/members/leader
        {url}/v2/members/{member}
        {url}/v2/members -XPOST -d '{"peerURLs":["http://10.0.0.10:2380"]}'
        {url}/v2/members -XPOST -H "Content-Type: application/json" -d '{"peerURLs":["10.0.0.10"]}'
        {url}/v2/members -XPOST -H "Content-Type: application/json" -d '{"peerURLs":[]}'
        {url}/v2/members -XPOST -H "Content-Type: application/json" -d '{}'
        {url}/v2/members/272e204152 -XDELETE
        {url}/v2/members/notanid -XDELETE
        {url}/v2/members -XDELETE
        {url}/v2/members/272e204152 -XPUT -H "Content-Type: application/json" -d '{"peerURLs":["http://10.0.0.10:2380"]}'
        {url}/v2/members/272e204152 -XPUT -d '{"peerURLs":["http://10.0.0.10:2380"]}'
        {url}/v2/members -XPATCH
    """,
    "health and the log": """
        {url}/health
        {url}/health -XPUT
        {url}/config/local/log -XPUT -d '{"Level":"DEBUG"}'
        {url}/config/local/log -XPUT -d '{"Level":"INFO"}'
        {url}/config/local/log -XPUT -d '{"Level":"LOUD"}'
        {url}/config/local/log -XPUT -d 'Level'
        {url}/config/local/log
        {url}/
        {url}/v2
        {url}/v1/keys/foo
    """,
}

OF_ITS_OWN = {
    "two tenants": """
        {url}/v2/auth/enable
        {url}/v2/auth/enable -XPUT
        {url}/v2/auth/enable -XDELETE
        {url}/v2/auth/users
        {url}/v2/auth/roles
        {url}/v2/auth/users/root -XPUT -d '{"user" : "root", "password": "betterRootPW!"}'
        {url}/v2/auth/enable -XPUT
        {url}/v2/auth/enable -XPUT
        {url}/v2/auth/enable -XPUT -u root:betterRootPW!
        {url}/v2/auth/enable
        {url}/v2/auth/users
        {url}/v2/auth/users -u root:betterRootPW!
        {url}/v2/auth/users -u root:wrong
        {url}/v2/auth/users -I -u root:betterRootPW!
        {url}/v2/auth/roles/guest -u root:betterRootPW! -XPUT -d '{"role":"guest","revoke":{"kv":{"write":["/*"]}}}'
        {url}/v2/auth/roles/guest -u root:betterRootPW!
        {url}/v2/keys/message -XPUT -d value=x
        {url}/v2/keys/message
        {url}/v2/auth/roles/rkt -u root:betterRootPW! -XPUT -d '{"role":"rkt","permissions":{"kv":{"read":["/rkt/*"],"write":["/rkt/*"]}}}'
        {url}/v2/auth/roles/fleet -u root:betterRootPW! -XPUT -d '{"role":"fleet"}'
        {url}/v2/auth/roles/fleet -u root:betterRootPW! -XPUT -d '{"role":"fleet","grant":{"kv":{"read":["/rkt/fleet","/fleet/*"]}}}'
        {url}/v2/auth/roles/fleet -u root:betterRootPW! -XPUT -d '{"role":"fleet","grant":{"kv":{"read":["/fleet/*"]}}}'
        {url}/v2/auth/users/rktuser -u root:betterRootPW! -XPUT -d '{"user":"rktuser","password":"rktpw","roles":["rkt"]}'
        {url}/v2/auth/users/fleetuser -u root:betterRootPW! -XPUT -d '{"user":"fleetuser","password":"fleetpw"}'
        {url}/v2/auth/users/fleetuser -u root:betterRootPW! -XPUT -d '{"user":"fleetuser","grant":["fleet"]}'
        {url}/v2/auth/users/fleetuser -u root:betterRootPW! -XPUT -d '{"user":"fleetuser","grant":["fleet"]}'
        {url}/v2/auth/users/fleetuser -u root:betterRootPW! -XPUT -d '{"user":"other","grant":["rkt"]}'
        {url}/v2/auth/users/fleetuser -u root:betterRootPW! -XPUT -d '{"user":'
        {url}/v2/auth/users/nobody -u root:betterRootPW! -XPUT -d '{"user":"nobody","grant":["rkt"]}'
        {url}/v2/auth/users/fleetuser -u root:betterRootPW!
        {url}/v2/auth/users -u root:betterRootPW!
        {url}/v2/auth/roles -u root:betterRootPW!
        {url}/v2/keys/rkt/RktData -u rktuser:rktpw -XPUT -d value=launch
        {url}/v2/keys/rkt/RktData -u rktuser:rktpw
        {url}/v2/keys/other -u rktuser:rktpw -XPUT -d value=launch
        {url}/v2/keys/rkt/RktData -u fleetuser:fleetpw -XPUT -d value=launch
        {url}/v2/keys/rkt/fleet -u fleetuser:fleetpw
        {url}/v2/keys/fleet/a -u fleetuser:fleetpw
        {url}/v2/keys/fleet/ -u fleetuser:fleetpw
        {url}/v2/keys/rkt?recursive=true -u rktuser:rktpw
        {url}/v2/keys/rkt/?recursive=true -u rktuser:rktpw
        {url}/v2/keys/rkt/a -u rktuser:wrong -XPUT -d value=launch
        {url}/v2/keys/rkt/a -H "Authorization: Basic nonsense"
        {url}/v2/keys/rkt/a -H "Authorization: Bearer rktuser"
        {url}/v2/auth/users/rktuser -u rktuser:rktpw
        {url}/v2/auth/users/rktuser -u rktuser:rktpw -XDELETE
        {url}/v2/auth/users/rktuser -u root:betterRootPW! -XDELETE
        {url}/v2/auth/users/rktuser -u root:betterRootPW! -XDELETE
        {url}/v2/auth/users/root -u root:betterRootPW! -XDELETE
        {url}/v2/auth/roles/rkt -u root:betterRootPW! -XDELETE
        {url}/v2/auth/roles/rkt -u root:betterRootPW! -XDELETE
        {url}/v2/auth/roles/root -u root:betterRootPW! -XDELETE
        {url}/v2/members -XPOST -H "Content-Type: application/json" -d '{"peerURLs":["http://10.0.0.10:2380"]}'
        {url}/v2/auth/enable -XDELETE
        {url}/v2/auth/enable -XDELETE -u fleetuser:fleetpw
        {url}/v2/auth/enable -XDELETE -u root:betterRootPW!
        {url}/v2/auth/enable -XDELETE
        {url}/v2/auth/nothing
        {url}/v2/auth
    """,
    "a member's address is changed, and a member added": """
        {url}/v2/members/{member} -XPUT -H "Content-Type: application/json" -d '{"peerURLs":["http://10.0.0.10:2380"]}'
        {url}/v2/members
        {url}/v2/members -XPOST -H "Content-Type: application/json" -d '{"peerURLs":["http://10.0.0.10:2380"]}'
        {url}/v2/members -XPOST -H "Content-Type: application/json" -d '{"peerURLs":["http://10.0.0.11:2380"]}'
        ~ {url}/v2/members
    """,
}

_OWN_HEADERS = ("date:", "content-length:", "x-raft-", "access-control-allow-")
"""What depends on the time, on the length of an index, or is sent with ``--cors`` alone (by 3.x always)."""

_VARIES = [
    (r'"(startTime|uptime)":"[^"]*"', r'"\1":"TIME"'),
    (r'"(etcdserver|etcdcluster)":"[\d.]+"', r'"\1":"VERSION"'),
    (r'"(\w+(?:Success|Fail|Count|Cnt)|watchers)":\d+', r'"\1":COUNT'),
    (r"curl/\S+", "curl"),
]


@pytest.fixture(scope="module")
def curl() -> Path:
    return required_tool("curl")


def plain(printed: str) -> str:
    """Without what differs from answer to answer; headers in alphabetical order."""
    head, blank, body = printed.partition("\r\n\r\n")
    if blank:
        status, *headers = head.split("\r\n")
        headers = sorted(header for header in headers if not header.lower().startswith(_OWN_HEADERS))
        printed = "\n".join([status, *headers, plain(body) if body.startswith("HTTP/") else body])
    for pattern, instead in _VARIES:
        printed = re.sub(pattern, instead, printed)
    return printed


def compare(curl: Path, both: Pair, story: str) -> None:
    def tell(side: Side) -> list[str]:
        told = Teller(side, curl, ("-s", "-i", "--max-time", "20"), plain=plain).tell(story)
        assert not told.surprises
        return told.transcript

    with ThreadPoolExecutor(2) as pool:
        ours, real = pool.map(tell, (both.ours, both.real))
    assert ours == real, difference(ours, real)


@pytest.mark.parametrize("name", API)
def test_the_examples_get_the_same_answers(curl: Path, both: Pair, name: str) -> None:
    compare(curl, both, API[name])


@pytest.mark.parametrize("name", OF_ITS_OWN)
def test_the_examples_get_the_same_answers_on_a_member_of_its_own(
    curl: Path, own_pair: Pair, name: str
) -> None:
    own_pair.ours.start_over()
    own_pair.real.start_over()
    compare(curl, own_pair, OF_ITS_OWN[name])
