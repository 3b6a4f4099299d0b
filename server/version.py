"""The etcd release this server takes the place of. It answers, publishes and logs as that one."""

VERSION = "2.3.8"
CLUSTER_VERSION = "2.3.0"
"""What a cluster of such servers agrees on: major and minor, patch 0."""
