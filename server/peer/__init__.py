"""The peer protocol: etcd 2.3's rafthttp, so that real members and bundled ones can be in one cluster.

How it is driven ---------------- ``Transport`` is this member's half of all conversations. It knows messages, ids and
URLs; what the messages do is the business of its owner, a ``Host``.

    me = Identity(local id, cluster id, own peer URLs)       in clusters with 3.x: other ``versions``, and a
                                                             ``database`` for the transport
    transport = Transport(me, host, tls=client_context(peer files), connect_timeout=1 + election / 5)
    await transport.start()                                  before peers are added and sockets served
    handler = PeerHandler(transport, PeerApi(node).handle)   for the peer sockets: serve(handler.handle, ...)
    transport.add_peer(id, urls)                             each member but this one, as the log or snapshot has them

and from then on:

    transport.send(ready.messages)           each round, after the save, or before it when ``ready.send_first``;
                                             a SNAPSHOT must have got its ``snapshot`` first
    transport.add_peer / update_peer /       when a conf change that does so is applied; after a snapshot has
      remove_peer                            replaced the members, for the difference to ``transport.peers``
    await transport.stop()                   before the sockets' ``cleanup()``, so that streams end in order; the
                                             host still hears what was lost

What comes in is passed to the host, on the loop: ``receive`` (step every message, then see to a ready),
``unreachable``, ``snapshot_ended``, ``removed``, ``failed``. ``is_removed`` answers from the member table. None of
them may raise or wait; the host turns a LogError out of ``Raft.step`` into its own end, as it does elsewhere.

For /v2/stats: ``transport.sent`` and ``received`` (APPENDs, with rates), ``latencies()`` of the followers; for health
and the check before a change of members, ``active_since``.

A member that joins a running cluster calls ``add_remote`` for the members that it has the cluster from, or its answers
would reach nobody until its own log lists them.

Rooms within: ``codec`` and ``checks`` are pure; ``stream`` holds what a connection is about to take; ``dialer`` alone
knows an HTTP client; ``peer`` is one other member; ``handler`` is what others ask of this one.
"""

from server.peer.checks import ETCD_2_3, ETCD_3, Identity, Versions
from server.peer.handler import PeerHandler
from server.peer.host import Host
from server.peer.transport import Transport

__all__ = ["ETCD_2_3", "ETCD_3", "Host", "Identity", "PeerHandler", "Transport", "Versions"]
