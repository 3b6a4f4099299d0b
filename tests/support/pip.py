"""pip for environments that live no longer than a test."""

QUICKLY = {"PIP_NO_COMPILE": "false", "PYTHONDONTWRITEBYTECODE": ""}
"""Variables for what is run there: pip compiles none of the thousands of files (it takes a false word for yes here), and
the programs compile what they import, once."""
