"""What is left of v2 in the data directories of etcd 3.x: shown, written out, taken away, and planned.

etcd 3.6 refuses to start where a member's snapshot or log holds anything of v2, and 3.7 where a request of v2 is left
in the log at all. ``datadir`` reads the directories; ``content`` and ``traffic`` say what of v2 is in snapshot and log,
``verdicts`` what each release makes of it, and ``report`` puts that together. ``script`` writes the keys out for v3,
``cleaning`` plans and ``writing`` does the cure, ``runbook`` plans it for a cluster.
"""
