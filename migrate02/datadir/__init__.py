"""Data directories: those of etcd 0.4 and 3.x read, those of 2.x written, and all compared.

The contract of this package:

* What is read is never changed, not even a torn tail cut off. What is written appears whole under its final name, after
  it was opened again and compared, or not at all.
* A conversion depends on nothing but the files and what the caller says of names and addresses: no clock, no chance. So
  the members of a cluster get the same state whoever converts them, and when.
* What cannot be understood is refused with file and offset, as :class:`~migrate02.datadir.errors.DataError`, the only
  exception of this package that is not a programming error. Damage at the very end of a log, as a crash leaves it, is
  ignored and reported.

``log04``, ``snapshot04`` and ``notes04`` know 0.4's files, ``replay04`` its commands, ``source04`` a whole directory of
it; ``members`` who the members of 2.x will be; ``writer`` and ``reader2x`` directories of 2.x; ``member3x`` the files
of a member of 3.x, ``keyspace3x`` and ``membership3x`` what its entries make of v2 and of the members, ``reader3x`` all
of that; ``listing`` what keys there are, whatever they were read from. Nothing here prints, and only ``live`` and
``carry`` talk to a network.
"""
