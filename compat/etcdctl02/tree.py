"""Every option and command of etcdctl 2.3.8, and the two options that are ours: a table, no more."""

from __future__ import annotations

from compat.etcdctl02.arguments import (
    HELP_OPTION,
    NUMBER,
    SECONDS,
    SWITCH,
    TEXT,
    TEXTS,
    VERSION_OPTION,
    Command,
    Option,
)

NAME = "etcdctl"
USAGE = "A simple command line client for etcd."

_OUTPUT = "output response in the given format (`simple`, `extended` or `json`)"
_PEERS = 'DEPRECATED - "--endpoints" should be used instead'
_ENDPOINTS = (
    "a comma-delimited list of machine addresses in the cluster "
    '(default: "http://127.0.0.1:2379,http://127.0.0.1:4001")'
)

GLOBAL_OPTIONS = (
    Option(("debug",), SWITCH, "output cURL commands which can be used to reproduce the request"),
    Option(("no-sync",), SWITCH, "don't synchronize cluster information before sending request"),
    Option(("output", "o"), TEXT, _OUTPUT, "simple"),
    Option(("discovery-srv", "D"), TEXT, "domain name to query for SRV records describing cluster endpoints"),
    Option(("discovery-srv-name",), TEXT, "suffix of the service names to query with --discovery-srv"),
    Option(("dns-server",), TEXT, "HOST[:PORT] of the DNS server to ask instead of the system's"),
    Option(("peers", "C"), TEXT, _PEERS),
    Option(("endpoint",), TEXT, _PEERS),
    Option(("endpoints",), TEXT, _ENDPOINTS),
    Option(("cert-file",), TEXT, "identify HTTPS client using this SSL certificate file"),
    Option(("key-file",), TEXT, "identify HTTPS client using this SSL key file"),
    Option(("ca-file",), TEXT, "verify certificates of HTTPS-enabled servers using this CA bundle"),
    Option(("username", "u"), TEXT, "provide username[:password] and prompt if password is not supplied."),
    Option(("timeout",), SECONDS, "connection timeout per request", "1s"),
    Option(("total-timeout",), SECONDS, "timeout for the command execution (except watch)", "5s"),
    HELP_OPTION,
    VERSION_OPTION,
)

OURS = frozenset(("discovery-srv-name", "dns-server"))
"""What 2.3.8 does not have."""

_KEY, _KEY_AND_VALUE, _NOTHING = "<key>", "<key> <value>", " "
_TTL = Option(("ttl",), NUMBER, "key time-to-live", "0")
_SORT = Option(("sort",), SWITCH, "returns result in sorted order")
_QUORUM = Option(("quorum",), SWITCH, "require quorum for get request", later="q")
_AFTER_INDEX = Option(("after-index",), NUMBER, "watch after the given index", "0")
_ROLES = (Option(("roles",), TEXTS, "List of roles to grant or revoke"),)

_SET = """\
Set sets the value of a key.

   When <value> begins with '-', <value> is interpreted as a flag.
   Insert '--' for workaround:

   $ set -- <key> <value>"""


def _permissions(done: str, doing: str, kinds: tuple[str, str, str]) -> tuple[Option, ...]:
    read, write, both = (f"{doing} {kind} access" for kind in kinds)
    return (
        Option(("path",), TEXT, f"Path {done} for the role to access"),
        Option(("read",), SWITCH, read),
        Option(("write",), SWITCH, write),
        Option(("readwrite",), SWITCH, both, later="rw"),
    )


_MEMBER = (
    Command("list", "enumerate existing cluster members", "members:show", _NOTHING),
    Command("add", "add a new member to the etcd cluster", "members:add", "<name> <peerURL>"),
    Command("remove", "remove an existing member from the etcd cluster", "members:remove", "<memberID>"),
    Command(
        "update", "update an existing member in the etcd cluster", "members:update", "<memberID> <peerURLs>"
    ),
)
_USER = (
    Command("add", "add a new user for the etcd cluster", "users:add", "<user>"),
    Command("get", "get details for a user", "users:get", "<user>"),
    Command("list", "list all current users", "users:show", "<user>"),
    Command("remove", "remove a user for the etcd cluster", "users:remove", "<user>"),
    Command("grant", "grant roles to an etcd user", "users:grant", "<user>", _ROLES),
    Command("revoke", "revoke roles for an etcd user", "users:revoke", "<user>", _ROLES),
    Command("passwd", "change password for a user", "users:passwd", "<user>"),
)
_ROLE = (
    Command("add", "add a new role for the etcd cluster", "roles:add", "<role> "),
    Command("get", "get details for a role", "roles:get", "<role>"),
    Command("list", "list all roles", "roles:show", _NOTHING),
    Command("remove", "remove a role from the etcd cluster", "roles:remove", "<role>"),
    Command(
        "grant",
        "grant path matches to an etcd role",
        "roles:grant",
        "<role>",
        _permissions("granted", "Grant", ("read-only", "write-only", "read-write")),
    ),
    Command(
        "revoke",
        "revoke path matches for an etcd role",
        "roles:revoke",
        "<role>",
        _permissions("revoked", "Revoke", ("read", "write", "read-write")),
    ),
)
_AUTH = (
    Command("enable", "enable auth access controls", "auth:enable", _NOTHING),
    Command("disable", "disable auth access controls", "auth:disable", _NOTHING),
)

HELP_COMMAND = Command(
    "help", "Shows a list of commands or help for one command", "", "[command]", aliases=("h",)
)
"""What groups of commands, and the program, have beside their own."""

COMMANDS = (
    Command(
        "backup",
        "backup an etcd directory",
        "backup:backup",
        _NOTHING,
        (
            Option(("data-dir",), TEXT, "Path to the etcd data dir"),
            Option(("wal-dir",), TEXT, "Path to the etcd wal dir"),
            Option(("backup-dir",), TEXT, "Path to the backup dir"),
            Option(("backup-wal-dir",), TEXT, "Path to the backup wal dir"),
        ),
    ),
    Command(
        "cluster-health",
        "check the health of the etcd cluster",
        "health:check",
        _NOTHING,
        (Option(("forever",), SWITCH, "forever check the health every 10 second until CTRL+C", later="f"),),
    ),
    Command(
        "mk",
        "make a new key with a given value",
        "keys:make",
        _KEY_AND_VALUE,
        (Option(("in-order",), SWITCH, "create in-order key under directory <key>"), _TTL),
    ),
    Command("mkdir", "make a new directory", "keys:make_directory", _KEY, (_TTL,)),
    Command(
        "rm",
        "remove a key or a directory",
        "keys:remove",
        _KEY,
        (
            Option(("dir",), SWITCH, "removes the key if it is an empty directory or a key-value pair"),
            Option(
                ("recursive",), SWITCH, "removes the key and all child keys(if it is a directory)", later="r"
            ),
            Option(("with-value",), TEXT, "previous value"),
            Option(("with-index",), NUMBER, "previous index", "0"),
        ),
    ),
    Command(
        "rmdir",
        "removes the key if it is an empty directory or a key-value pair",
        "keys:remove_directory",
        _KEY,
    ),
    Command("get", "retrieve the value of a key", "keys:get", _KEY, (_SORT, _QUORUM)),
    Command(
        "ls",
        "retrieve a directory",
        "keys:list_directory",
        "[key]",
        (
            _SORT,
            Option(("recursive",), SWITCH, "returns all key names recursively for the given path", later="r"),
            Option(("p",), SWITCH, "append slash (/) to directories"),
            _QUORUM,
        ),
    ),
    Command(
        "set",
        "set the value of a key",
        "keys:set_value",
        _KEY_AND_VALUE,
        (
            _TTL,
            Option(("swap-with-value",), TEXT, "previous value"),
            Option(("swap-with-index",), NUMBER, "previous index", "0"),
        ),
        _SET,
    ),
    Command(
        "setdir",
        "create a new directory or update an existing directory TTL",
        "keys:set_directory",
        _KEY,
        (_TTL,),
    ),
    Command("update", "update an existing key with a given value", "keys:update", _KEY_AND_VALUE, (_TTL,)),
    Command("updatedir", "update an existing directory", "keys:update_directory", _KEY_AND_VALUE, (_TTL,)),
    Command(
        "watch",
        "watch a key for changes",
        "watch:watch",
        _KEY,
        (
            Option(("forever",), SWITCH, "forever watch a key until CTRL+C", later="f"),
            _AFTER_INDEX,
            Option(("recursive",), SWITCH, "returns all values for key and child keys", later="r"),
        ),
    ),
    Command(
        "exec-watch",
        "watch a key for changes and exec an executable",
        "watch:exec_watch",
        "<key> <command> [args...]",
        (_AFTER_INDEX, Option(("recursive",), SWITCH, "watch all values for key and child keys", later="r")),
    ),
    Command("member", "member add, remove and list subcommands", commands=_MEMBER),
    Command(
        "import",
        "import a snapshot to a cluster",
        "import04:import_snapshot",
        _NOTHING,
        (
            Option(("snap",), TEXT, "Path to the valid etcd 0.4.x snapshot."),
            Option(("hidden",), TEXTS, "Hidden key spaces to import from snapshot"),
            Option(("c",), NUMBER, "Number of concurrent clients to import the data", "10"),
        ),
    ),
    Command("user", "user add, grant and revoke subcommands", commands=_USER),
    Command("role", "role add, grant and revoke subcommands", commands=_ROLE),
    Command("auth", "overall auth controls", commands=_AUTH),
)
