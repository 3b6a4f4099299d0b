"""The client: etcd 2.3.8's ``etcdctl`` for the v2 API, its words, its streams and its exit statuses.

``cli`` takes a command line apart by the table in ``tree`` and calls one function of ``commands``, imported only then,
for the start of a ``get`` should cost no more than it must. ``client`` sends requests to a cluster, ``transport`` one
to one server. Works when installed under the name ``etcdctl``.

It talks HTTP and reads what it is told to; it never opens a server's files, but ``backup`` does.
"""
