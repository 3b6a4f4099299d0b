"""An etcd 2.x member. Knows nothing of etcd 0.4 and nothing of the packages beside it."""

ETCD_VERSION = "2.3.8"
"""The etcd release this server behaves as; reported by ``/version`` and to peers."""
