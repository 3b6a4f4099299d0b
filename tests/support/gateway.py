"""A gateway in a process of its own, to an etcd 3 that is given."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.etcd3 import Node
from tests.support.ports import free_ports
from tests.support.process import Member, Process

_RUN = "import sys; from compat.etcd02 import main; import os; sys.exit(main(['etcd02', *sys.argv[1:]], os.environ, ''))"


def launch(
    endpoints: Sequence[str],
    *flags: str,
    name: str = "g1",
    port: int = 0,
    env: Mapping[str, str] | None = None,
) -> Process:
    """Starts ``etcd02 --engine gateway`` on a free port, and does not wait for anything."""
    port = port or free_ports(1)[0]
    url = f"http://127.0.0.1:{port}"
    argv = ["--engine=gateway", f"--gateway-endpoints={','.join(endpoints)}", f"--name={name}"]
    argv += [f"--listen-client-urls={url}", f"--advertise-client-urls={url}", *flags]
    others = dict.fromkeys((name for name in os.environ if name.startswith("ETCD")), "")
    return Process([sys.executable, "-P", "-c", _RUN, *argv], port, env={**others, **(env or {})})


def start(
    endpoints: Sequence[str],
    *flags: str,
    name: str = "g1",
    port: int = 0,
    env: Mapping[str, str] | None = None,
) -> Process:
    """The same, and waits until it serves."""
    process = launch(endpoints, *flags, name=name, port=port, env=env)
    try:
        return process.wait_until_serving()
    except BaseException:
        process.kill()
        raise


class GatewayMember(Member):
    """A gateway that stands where a member would, with an etcd 3 of its own, ``keeper``, of that binary."""

    def __init__(self, data_dir: Path, keeper: str, **settings: str) -> None:
        super().__init__(data_dir, **settings)
        self.keeper = Node(data_dir.with_name("keeper"))
        self._binary = Path(keeper)

    def launch(self, env: Mapping[str, str] | None = None, *, under: tuple[str, ...] = ()) -> Process:
        if not self.keeper.runs:
            self.keeper.start(self._binary)
        settings = {
            name: value
            for name, value in self.settings.items()
            if "peer" not in name and "cluster" not in name
        }
        argv = [f"--{name}={value}" for name, value in settings.items()]
        argv += ["--engine=gateway", f"--gateway-endpoints={self.keeper.url}"]
        return Process([*under, sys.executable, "-P", "-c", _RUN, *argv], self.client_port, env=env)
