"""The command line of ``migrate02``: one module a command, its arguments beside it. The work is done elsewhere."""
