"""Proxy mode: no member, but one that passes clients' requests on to the members of a cluster.

How it is driven
----------------
    peers = known_peers(config, find_peers)     where to ask: what a former run left in ``data-dir/proxy``, else what
                                                ``find_peers`` yields, however long that takes
    proxy = Proxy(config, peers, ...)           reads the certificates
    await proxy.start()                         asks for the members' client URLs, then listens
    await proxy.stop()

``peers.find_peers`` goes the way that the configuration names: discovery, DNS or --initial-cluster.

Rooms within: ``director`` (which endpoints there are, which have failed) and ``requests`` (what of a head is passed on)
are pure; ``exchange`` takes a request to one endpoint after the other, by a ``connection`` that ``upstream`` kept or
``dial`` makes; ``body`` is what a long answer passes through; ``refresh`` asks who the members are; ``clusterfile``
remembers it; ``handler`` answers clients; ``process`` joins them.

Never decides what a request means, and never repeats a write that may have been carried out.
"""
