"""What ``etcd02 -help`` prints, made from the tables."""

from __future__ import annotations

from compat import flags04, gateway
from server.config import SETTINGS

HEAD = """\
usage: etcd02 [flags]
  start an etcd 2.x server from 0.4 or 2.x flags and ETCD_* variables
       etcd02 discovery-service [flags]
  serve the tokens with which members of a new cluster find each other
       etcd02 gateway leave --gateway-endpoints URL,...
  make the gateways' keys a plain key space of etcd 3

etcd02's own flags:
  --engine PATH|auto|bundled|gateway
      start a real etcd instead of the bundled server, or serve the keys of an etcd 3 (ETCD02_ENGINE)
  --auto-migrate
      convert a data directory of 0.4 before the start; its files are kept (ETCD02_AUTO_MIGRATE)
  --print-config
      print the effective 2.x configuration as JSON and exit
  -version, -help
"""

GATEWAY = "\nof a gateway, each also as a variable, ETCD02_GATEWAY_ENDPOINTS and so on:"


def usage() -> str:
    lines = [HEAD.rstrip("\n"), GATEWAY]
    for name, text in gateway.FLAGS.items():
        lines += [f"  --{name}", f"      {text}"]
    lines += ["", "2.x flags:"]
    for setting in SETTINGS:
        default = f" (default {setting.default})" if setting.default else ""
        lines += [f"  --{setting.name}", f"      {setting.help}{default}"]
    lines += ["", "0.4 flags, and their new names:"]
    for flag in flags04.FLAGS:
        if flag.fate == flags04.COMMAND:
            continue
        names = " ".join(f"-{name}" for name in (flag.name, *flag.short))
        lines += [f"  {names}", f"      {flag.meaning}: {becomes(flag)}"]
    return "\n".join(lines) + "\n"


def becomes(flag: flags04.Flag04) -> str:
    """In a few words, what happens to a 0.4 setting."""
    if flag.becomes:
        return " and ".join(f"--{name}" for name in flag.becomes)
    if flag.fate == flags04.BOOTSTRAP:
        return "refused; list the members in --initial-cluster"
    if flag.fate == flags04.READ:
        return "the file is read"
    return "removed"
