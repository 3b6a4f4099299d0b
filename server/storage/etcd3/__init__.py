"""The files of a member of etcd 3.x, as far as what is left of v2 in them asks for: log, snapshots and database are
read, and a marker and a snapshot can be added to them. The database is never written.

The log of 3.x is the one of 2.x with padded records (``frames``), with markers that name the members, with learners
(``messages``), and with the requests of the v3 API in its entries (``requests``). What is understood is in tables
there; all else is refused with its place.
"""
