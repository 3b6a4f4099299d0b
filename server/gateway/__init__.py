"""What a member is to the API, over a real etcd 3 that is used as an ordered, replicated log.

The contract of this room:

- ``server.store`` decides everything. A gateway appends requests to the log, applies all that come in the order of the
  etcd's revisions, and answers what came of its own. So every gateway has the same keys, with the same indexes.
- What lies in the etcd is in ``layout``, and nowhere else. The published keys have the form that ``etcdctl migrate``
  makes: ``/foo`` with its raw value.
- Only ``grpc3`` knows a socket. All else asks a ``v3.V3``, and has the time that is passed in.

From the ground up: ``layout`` and ``v3`` say what there is, ``changes`` and ``replica`` are pure, ``loading`` reads
what a gateway begins with, ``gateways``, ``appending``, ``reading`` and ``tending`` do one thing each, and ``node``
joins them.
"""
