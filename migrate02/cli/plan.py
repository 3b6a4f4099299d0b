"""``migrate02 plan``: its arguments, what is printed, and the exit status. The work is done in ``plan``."""

from __future__ import annotations

import argparse

from compat.findings import ERROR
from migrate02.cli import values
from migrate02.cli.exits import DONE, REFUSED, RESIDUE
from migrate02.cli.gateway_options import OPTIONS, add_gateway, read_gateway
from migrate02.cli.options import TlsArguments, add_amount_of_findings, add_choice_of_files, add_tls
from migrate02.cli.output import tell, tell_findings
from migrate02.cli.parsing import Misuse
from migrate02.cli.report import Manner, as_bad_as, told_of_many
from migrate02.datadir.errors import DataError
from migrate02.plan.nodes import Found
from migrate02.plan.planning import Plan, PlanOptions, make_plan
from migrate02.plan.ports import CHOICES, KEEP
from server.config import redacted

REFUSALS = (DataError,)

USAGE = """\
%(prog)s [options] DIR|FILE ...
       %(prog)s [options] --live URL [DIR|FILE ...]
       %(prog)s [options] --gateway URL,... DIR|FILE ..."""
DESCRIPTION = """\
Plan the move of whole clusters from etcd 0.4 to 2.x: which nodes become members and which proxies, --initial-cluster
and the token, the start line of every node, what does not fit together, and a runbook. Each step of it has commands, a
check and the way back. The plan is Markdown. It is made from the files of all nodes, or from a running 0.4 cluster, or
best from both: the cluster knows its members, and the files have the settings of each node. With --gateway, the keys of
a cluster go into an etcd 3, and its nodes become gateways that serve them to the old clients."""
EPILOG = """\
exit status:
  0  done
  2  done, but something needs your attention (see "To look at")
  3  a cluster cannot be planned, or no node was found"""


_OF_GATEWAYS = tuple(option for option in OPTIONS if option != "gateway-user")
"""A plan is passed around, so there is no password in it."""


class PlanArguments(TlsArguments):
    """What was asked of ``plan``. ``member`` are names and URLs."""

    inputs: list[str]
    live: list[str]
    include: list[str]
    exclude: list[str]
    ports: str
    token: str
    standby: list[str]
    member: list[tuple[str, str]]
    gone: list[str]
    together: bool
    gateway: str
    html: bool
    json: bool
    severity: str
    quiet: bool
    verbose: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage, parser.description, parser.epilog = USAGE, DESCRIPTION, EPILOG
    parser.add_argument("inputs", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument(
        "--live",
        metavar="URL",
        type=values.live_url,
        action="append",
        default=[],
        help="a client or peer URL of a running 0.4 cluster; give it again for each standby",
    )
    add_choice_of_files(parser)
    parser.add_argument(
        "--ports",
        metavar="CHOICE",
        choices=CHOICES,
        default=KEEP,
        help="keep: use 4001 and 7001; move: use 2379 and 2380; both: move, and keep 4001 open until the clients "
        "have followed (default: %(default)s)",
    )
    parser.add_argument(
        "--token", metavar="TOKEN", default="", help="--initial-cluster-token (default: etcd-cluster-NAME)"
    )
    for name, metavar, kind, text in (
        ("--standby", "NAME", str, "this node was a standby, and becomes a proxy"),
        ("--member", "NAME=URL", values.member, "a member that no file describes"),
        ("--gone", "HOST:PORT", str, "this address in -peers no longer exists"),
    ):
        parser.add_argument(
            name, metavar=metavar, type=kind, action="append", default=[], help=f"{text}; may be given again"
        )
    parser.add_argument("--together", action="store_true", help="treat all nodes as one cluster")
    outputs = parser.add_mutually_exclusive_group()
    outputs.add_argument(
        "--html", action="store_true", help="write a printable page, with a picture of before and after"
    )
    outputs.add_argument("--json", action="store_true", help="write one JSON object")
    add_amount_of_findings(parser)
    add_tls(parser)
    add_gateway(
        parser,
        "into an etcd 3, instead of 2.x",
        "its endpoints: plan to bring the keys of one cluster there, and to start gateways in the place of its nodes",
        _OF_GATEWAYS,
    )


def run(args: PlanArguments) -> int:
    if not args.inputs and not args.live:
        raise Misuse("nothing to plan; give the files of all nodes, or --live URL")
    made = _planned(args)
    tell_findings(_said(made, args))
    if not made.clusters:
        tell(["migrate02 plan: no node of etcd 0.4 was found"])
        return REFUSED
    if args.gateway and len(made.clusters) > 1:
        names = ", ".join(cluster.name for cluster in made.clusters)
        raise Misuse(f"--gateway is for one cluster, and these are several: {names}; give the files of one")
    print(redacted(_written(made, args)), end="")
    if made.worst == ERROR:
        return REFUSED
    return RESIDUE if made.needs_review else DONE


def _said(made: Plan, args: PlanArguments) -> list[str]:
    """The findings for a person. The plan itself has all of them, each with its cluster."""
    manner = Manner(args.severity, args.quiet, args.verbose)
    return told_of_many(as_bad_as(made.all_findings, ERROR if args.quiet else args.severity), manner)


def _planned(args: PlanArguments) -> Plan:
    gateway = read_gateway(args)
    if gateway is not None and (args.token or args.ports != KEEP):
        raise Misuse(
            "--gateway keeps the clients' addresses, and has no members: leave out --ports and --token"
        )
    options = PlanOptions(
        args.ports,
        args.token,
        tuple(args.standby),
        tuple(args.member),
        tuple(args.gone),
        together=args.together,
        gateway=gateway,
    )
    described, running = _described(args), _running(args)
    if args.inputs and args.live:
        from migrate02.plan.reconcile import reconcile

        found = reconcile(described.nodes, running.nodes)
        found.findings.extend([*described.findings, *running.findings])
    else:
        found = described if args.inputs else running
        options = options._replace(together=options.together or not args.inputs)
    return make_plan(found.nodes, options, found.findings)


def _described(args: PlanArguments) -> Found:
    if not args.inputs:
        return Found([], [])
    from migrate02.files.walking import Choice
    from migrate02.plan.files import find_nodes

    return find_nodes(args.inputs, Choice(args.include, args.exclude))


def _running(args: PlanArguments) -> Found:
    if not args.live:
        return Found([], [])
    from migrate02.datadir.live import Tls
    from migrate02.plan.live import ask_cluster

    return ask_cluster(args.live, Tls(args.ca_file, args.cert_file, args.key_file))


def _written(made: Plan, args: PlanArguments) -> str:
    if args.json:
        from migrate02.plan.listing import as_json

        return as_json(made) + "\n"
    if args.html:
        from migrate02.plan.page import as_html

        return as_html(made)
    from migrate02.plan.markdown import as_markdown

    return as_markdown(made)
