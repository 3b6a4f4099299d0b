"""From a configuration to a running process, its log lines, its signals and its exit status.

``run`` is the one way in. Everything heavy (aiohttp, uvloop, protobuf) is imported in ``server.process``,
late.
"""

import logging
import os
import platform
import signal
from collections.abc import Iterable

from server.config import SETTINGS, Config
from server.config.gateway import GatewaySettings
from server.log import NOTICE, configure
from server.signals import heed_signals_as_etcd_does
from server.version import VERSION

logger = logging.getLogger(__name__)


def run(config: Config, *, notices: Iterable[str] = (), gateway: GatewaySettings | None = None) -> int:
    """Runs the member until a signal stops it, or the ``gateway``. ``notices`` are lines to log after the banner.

    Returns the exit status of a member that could not start or go on: 1. SIGTERM and SIGINT end the member in
    order, and then the process by that same signal, as etcd ends (a shell sees 143 or 130).
    """
    heed_signals_as_etcd_does()
    configure(debug=config.debug, package_levels=config.log_package_levels)
    logger.info("etcd Version: %s", VERSION)
    logger.info("this is the bundled server of migrate02, on Python %s", platform.python_version())
    for notice in notices:
        logger.log(NOTICE, "%s", notice)
    for setting in SETTINGS:
        if setting.bundled == "no effect" and setting.name in config.given:
            logger.warning("--%s has no effect in the bundled server", setting.name)
    if "data-dir" not in config.given and gateway is None:
        logger.warning("no data-dir provided, using default data-dir ./%s", config.data_dir)

    from server.process import (  # late: this imports what the commands that start nothing do without
        Ended,
        serve,
    )

    ended = serve(config, gateway)
    if isinstance(ended, Ended):
        return ended.status
    return die_by(ended)


def leave_gateway(settings: GatewaySettings) -> tuple[str, int]:
    """Makes of gateways' keys a plain key space of v3: what there is to say, and the exit status."""
    from server.gateway.layout import LayoutError  # late, as above
    from server.gateway.offline import leave
    from server.gateway.v3 import V3Error

    try:
        left = leave(settings)
    except (LayoutError, V3Error, OSError) as error:
        return str(error), 1
    said = f"{left.keys} keys remain, {left.leased} of them with a lease"
    if left.ended:
        said += f"; {left.ended} had ended"
    if left.users:
        said += (
            f"; {left.users} records of v2's users and roles are gone: make users of v3 with etcdctl user add"
        )
    return said, 0


def die_by(number: signal.Signals) -> int:
    """Ends the process by a signal that it has caught, so that the parent process sees why it ended."""
    logging.shutdown()
    if os.getpid() == 1:
        return 0  # the kernel would not end an init process by it; etcd exits 0 then too
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number
