"""Compiles the server's cores while a wheel is built, if MIGRATE02_COMPILE=always. All else: pyproject.toml.

mypyc makes C of the very same modules, which are typed throughout. Nothing depends on it: without it the wheel is pure
Python, fits every platform and is built in seconds. An editable install is pure always.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from setuptools import Extension, setup

COMPILED: Mapping[str, str] = {
    "migrate02/datadir": "commands04 log04 replay04",
    "server": "goquote jsonrules metrics",
    "server/api": "client form jsonform keys listings paths rendering watch",
    "server/gateway": "changes layout replica",
    "server/http": "answers bodies cache carrier chunks connection heads incoming limits messages protocol "
    "responses states targets",
    "server/node": "answer applier disk driver junk leadership logwriter node requestids turn upkeep",
    "server/peer": "codec stats stream",
    "server/proxy": "body connection director exchange handler requests upstream",
    "server/raft": "elections follower limits log messages progress raft ready replication types voters",
    "server/storage": "codec records replay requests varint wal",
    "server/store": "apply errors event expiry gojson history listing node paths snapshot stats store tree watcher",
}
"""By package, the modules that every request passes through, or every entry of a log of 0.4. What is asked for now and
then, or at a start, would gain nothing. A module here has no ``await`` and no ``yield`` where an exception is being
handled: in compiled code it would be taken for the exception of whoever runs meanwhile."""


WAYS = ("", "never", "always")
"""What MIGRATE02_COMPILE may be; without it the wheel is pure."""

PURE = "migrate02: a wheel of pure Python. MIGRATE02_COMPILE=always compiles the server's cores (minutes; needs C)."
COMPILING = "migrate02: compiling {count} modules of the server to C. This takes minutes."


def extensions() -> list[Extension]:
    """What to compile; nothing unless this builds an ordinary wheel and it was asked for. Says which it is."""
    wanted = os.environ.get("MIGRATE02_COMPILE", "")
    if wanted not in WAYS:
        sys.exit(f"migrate02: MIGRATE02_COMPILE is {wanted}; set it to always or never")
    if "bdist_wheel" not in sys.argv:
        return []
    if wanted != "always":
        print(PURE, file=sys.stderr)
        return []
    _compile_something()
    from mypyc.build import mypycify  # takes seconds, and is for this alone

    sources = [f"{package}/{name}.py" for package, names in COMPILED.items() for name in names.split()]
    print(COMPILING.format(count=len(sources)), file=sys.stderr)
    # The types of other packages are not needed; their stubs may not be there.
    options = ["--config-file=", "--ignore-missing-imports", "--python-version=3.11"]
    found: list[Extension] = mypycify([*options, *sources], opt_level="3", debug_level="0")
    return found


def _compile_something() -> None:
    """Raises an error of setuptools when there is no C compiler, or no headers of Python: now, and not in minutes."""
    from distutils.ccompiler import new_compiler
    from distutils.sysconfig import customize_compiler, get_python_inc

    compiler = new_compiler()
    customize_compiler(compiler)
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, "probe.c")
        source.write_text("#include <Python.h>\n")
        compiler.compile([str(source)], scratch, include_dirs=[get_python_inc()])


if __name__ == "__main__":
    setup(ext_modules=extensions())
