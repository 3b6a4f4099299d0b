"""The settings of a gateway to an etcd 3, which no etcd has. Named as etcdctl names them."""

from typing import NamedTuple


class GatewaySettings(NamedTuple):
    """``endpoints`` are URLs of the etcd's members, the files are for its TLS. ``data_prefix`` comes before the keys
    that clients see, ``meta_prefix`` before the gateways' own."""

    endpoints: tuple[str, ...]
    cacert: str = ""
    cert: str = ""
    key: str = ""
    user: str = ""
    password: str = ""
    data_prefix: str = ""
    meta_prefix: str = "etcd02/"
