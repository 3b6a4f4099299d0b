"""What etcd 0.4 said, in 2.x words: tables, grammar and translation.

Nothing in this package reads a file, a clock or the environment, except the two commands
(``etcd02`` and, later, ``etcdctl02``), which gather those and pass them in.
"""

__version__ = "0.1.0"
