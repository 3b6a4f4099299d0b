"""What a member is to the API, over a real etcd 3 that is used as an ordered, replicated log.

The rules of this package:

- ``server.store`` decides everything. A gateway appends requests to the log, applies all records in the order of the
  etcd's revisions, and answers its own clients with the results. So every gateway has the same keys, with the same
  indexes.
- ``layout`` alone defines the keys in the etcd. The published keys have the form that ``etcdctl migrate`` makes:
  ``/foo`` with its raw value.
- Only ``grpc3`` opens sockets. All other modules call a ``v3.V3``, and get the clock as an argument.

From the ground up: ``layout`` and ``v3`` define keys and calls, ``changes`` and ``replica`` are pure, ``loading`` reads
what a gateway begins with, ``gateways``, ``appending``, ``reading`` and ``tending`` do one thing each, and ``node``
joins them.
"""
