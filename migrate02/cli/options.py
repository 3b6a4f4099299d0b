"""Options that several commands have."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace


def add_json(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_wal_dir(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--wal-dir", metavar="DIR", default="", help="where the log is, if not in the data directory"
    )


def add_choice_of_files(parser: ArgumentParser) -> None:
    for name, text in (("include", "only files that match"), ("exclude", "no files that match")):
        parser.add_argument(
            f"--{name}",
            metavar="GLOB",
            action="append",
            default=[],
            help=f"in directories, read {text}; may be given again",
        )


def add_of_a_project(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--within",
        metavar="DIR",
        default="",
        help="the files are in this directory: read all of it, report findings about the files",
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        default="",
        help="read the project's settings there (default: .migrate02.toml or pyproject.toml)",
    )


def add_amount_of_findings(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--severity",
        metavar="LEVEL",
        choices=("error", "review", "info"),
        default="info",
        help="report only findings of this severity or worse: error, review or info (default)",
    )
    amounts = parser.add_mutually_exclusive_group()
    for letter, name, text in (
        ("-q", "quiet", "report only errors"),
        ("-v", "verbose", "report every finding separately, also with several files"),
    ):
        amounts.add_argument(letter, f"--{name}", action="store_true", help=text)


def add_hidden(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--hidden",
        metavar="KEY",
        action="append",
        default=[],
        help="a hidden key or directory to read from a running cluster, which does not list them; may be given again",
    )


def add_overwrite(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--overwrite", action="store_true", help="replace keys that exist (default: do not change them)"
    )


class TlsArguments(Namespace):
    """The paths of PEM files; empty where none is given."""

    ca_file: str
    cert_file: str
    key_file: str


def add_tls(parser: ArgumentParser) -> None:
    for name, text in (
        ("ca", "CA certificates that the server's certificate must come from"),
        ("cert", "the client certificate"),
        ("key", "the key of the client certificate"),
    ):
        parser.add_argument(f"--{name}-file", metavar="PATH", default="", help=text)
