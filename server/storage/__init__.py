"""Write-ahead log and snapshots, byte for byte in the formats of etcd 2.3.

The contract with the rest of the server:

* ``WAL.save`` returns when the entries are on disk. A caller acknowledges an entry after that, not before.
* A snapshot that this member made goes through ``snapshots.persist_snapshot``: first the marker in the log, then the
  ``.snap`` file, then the locks of older segments are dropped; or through these three steps one by one, with saves in
  between.
* A leader's snapshot goes through ``snapshots.persist_received_snapshot``: the log begins again behind it, and what
  follows it is saved when it is on disk, with nothing in between.
* A write or sync that fails leaves a tail nobody knows; the log refuses everything after that, and the process
  has to end. The next start reads what is really there.
* What does not decode raises ``errors.StorageError`` and nothing else.

This room knows files and formats. It never talks to the network, has no event loop, and imports nothing of the
server but ``server.proto`` and the plain values of ``server.raft.types``; tools that write data directories use it too.
"""
