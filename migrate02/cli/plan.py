"""``migrate02 plan``: what is printed, and with which status. The work is done in ``plan``."""

from __future__ import annotations

import sys

from compat.findings import ERROR
from migrate02.cli.arguments import Misuse
from migrate02.cli.exits import DONE, REFUSED, RESIDUE
from migrate02.cli.plan_arguments import PlanArguments, read_plan_arguments
from migrate02.datadir.errors import DataError
from migrate02.plan.nodes import Found
from migrate02.plan.planning import Plan, make_plan
from migrate02.plan.planning import PlanOptions as Wishes
from server.config import redacted
from server.printable import shown


def plan(argv: list[str]) -> int:
    """``migrate02 plan``; returns the exit status."""
    try:
        args = read_plan_arguments(argv)
        made = _planned(args)
    except (Misuse, DataError) as error:
        print(shown(f"migrate02 plan: {error}"), file=sys.stderr)
        return REFUSED
    sys.stderr.write("".join(f"{finding}\n" for finding in made.all_findings))
    if not made.clusters:
        print("migrate02 plan: no node of etcd 0.4 was found", file=sys.stderr)
        return REFUSED
    print(redacted(_written(made, args)), end="")
    if made.worst == ERROR:
        return REFUSED
    return RESIDUE if made.needs_review else DONE


def _planned(args: PlanArguments) -> Plan:
    members = tuple((name, url) for name, _, url in (text.partition("=") for text in args.member))
    wishes = Wishes(
        args.ports, args.token, tuple(args.standby), members, tuple(args.gone), together=args.together
    )
    described, running = _described(args), _running(args)
    if args.inputs and args.live:
        from migrate02.plan.reconcile import reconcile

        found = reconcile(described.nodes, running.nodes)
        found.findings.extend([*described.findings, *running.findings])
    else:
        found = described if args.inputs else running
        wishes = wishes._replace(together=wishes.together or not args.inputs)
    return make_plan(found.nodes, wishes, found.findings)


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
