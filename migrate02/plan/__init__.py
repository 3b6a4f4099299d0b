"""One plan for a whole cluster: nodes of 0.4 in, start lines, checks across nodes and a runbook out.

``nodes`` says what a node is, ``grouping`` who forms a cluster with whom, ``checks`` what does not fit together,
``ports`` what becomes of 4001 and 7001, ``planning`` joins them, ``runbook`` puts the steps in order; ``markdown``,
``page`` and ``listing`` write it down. None of these reads a file, a socket or a clock. ``files`` and ``live`` do: they
find the nodes, in configurations and in a running cluster.
"""
