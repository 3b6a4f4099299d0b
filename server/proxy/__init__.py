"""Proxy mode: no member, but one that passes clients' requests on to the members of a cluster.

How it is driven
----------------
    proxy = Proxy(config, most)         reads the certificates
    await proxy.start(find_peers)       asks for peer URLs, if no former run left them in ``data-dir/proxy``; then for
                                        the members' client URLs; then listens
    await proxy.stop()

``find_peers`` yields the peer URLs of some members, however long that takes. ``peers.find_peers`` is the one there is,
from --initial-cluster.

Rooms within: ``director`` (which endpoints there are, which have failed) and ``requests`` (what of a head goes on) are
pure; ``upstream`` holds the connections to members; ``refresh`` asks who they are; ``clusterfile`` remembers it;
``handler`` answers clients; ``process`` joins them.

Never decides what a request means, and never repeats a write that may have been carried out.
"""
