"""Reports to systemd how the service is doing (sd_notify), over the socket named by NOTIFY_SOCKET. Needs no
library."""

import os
import socket

PATIENCE = 1.0
"""Seconds to wait for a receiver whose queue is full: systemd empties it at once unless it is stuck, and the start
must go on."""


def notify(state: str) -> bool:
    """Sends one state, such as ``READY=1``. False when nobody asked for it, or the receiver no longer exists or does
    not listen; it waits a second at most.

    A name that starts with ``@`` is in Linux's abstract namespace.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(PATIENCE)
        try:
            channel.sendto(state.encode(), address)
        except OSError:
            return False
    return True
