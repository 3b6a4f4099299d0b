"""Consensus as a state machine: no sockets, no files, no clock."""
