"""Our server and a real etcd side by side, led through the same sequence of requests.

Both are brought to the same store index before a sequence begins, and have forgotten what their own start had put into
their history. From there on, equal servers give equal answers, indices and names made of them included.
"""

import itertools
import json
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

from tests.differential.compare import bodies_are_alike, differences
from tests.differential.known import GATEWAY, KNOWN
from tests.differential.sequences import Ask, Expire, Step, Watch
from tests.differential.wire import Answer, Wire
from tests.support.gateway import GatewayMember
from tests.support.process import PATIENCE, Member

PADDING = Ask("PUT", b"/v2/keys/_padding", b"value=x")
_NOBODY = "http://nobody.invalid:80"  # who cross-origin answers are for: by default, later etcd has everybody
_HISTORY = 1000
_QUIET = 0.01


class Difference(AssertionError):
    """The message is a transcript."""


class Pair:
    """Both servers, started and stopped by a ``with``. ``etcd`` is the real one's binary, ``settings`` are for both.
    With a ``keeper``, the binary of an etcd 3, ours is a gateway to that."""

    def __init__(self, etcd: str, directory: Path, keeper: str = "", **settings: str) -> None:
        # Equal ids, names and URLs make equal answers: nobody ever connects to these.
        told = {"advertise_client_urls": "http://127.0.0.1:4001", "initial_advertise_peer_urls": "http://127.0.0.1:7001",
                "initial_cluster": "m1=http://127.0.0.1:7001", **settings}  # fmt: skip
        ours = (
            GatewayMember(directory / "ours", keeper, **told)
            if keeper
            else Member(directory / "ours", **told)
        )
        self._members = ours, Member(directory / "theirs", **told)
        self._etcd = etcd
        self.version = _version_of(etcd)
        known_here = KNOWN + GATEWAY if keeper else KNOWN
        self._known = [known for known in known_here if known.since <= self.version]
        self._count = itertools.count(1)
        self.known: dict[str, int] = {}
        """How often each known difference was met."""

    def __enter__(self) -> "Pair":
        self._start()
        for wire in self._wires:
            for _ in range(_HISTORY):
                wire.send(PADDING.wire())
                wire.receive("PUT")
        return self

    def _start(self) -> None:
        ours, theirs = self._members
        self.ours = ours.start()
        try:
            later = [] if self.version < (3, 0) else ["--enable-v2", f"--cors={_NOBODY}"]
            self.theirs = theirs.start_real(self._etcd, *later)
        except BaseException:
            self.ours.kill()
            raise
        self._wires = Wire(self.ours.client_port), Wire(self.theirs.client_port)
        for process in (self.ours, self.theirs):
            while process.request("GET", "/v2/auth/enable").status != 200:
                time.sleep(0.1)  # it does not know yet that all members know of auth

    def restart(self, number: signal.Signals) -> None:
        """Ends both by a signal, and starts them on their data."""
        for wire, process in zip(self._wires, (self.ours, self.theirs), strict=True):
            wire.close()
            process.stop(number)
        self._start()

    def __exit__(self, *_: object) -> None:
        for wire in self._wires:
            wire.close()
        for process in (self.ours, self.theirs):
            process.__exit__()
        if isinstance(self._members[0], GatewayMember):
            self._members[0].keeper.stop()

    def run(self, steps: list[Step], then: tuple[Ask, ...] = ()) -> None:
        """Raises Difference with a transcript at the first answers that differ and that nothing explains.

        What ``then`` asks is asked in any case, at the end.
        """
        self.align()
        run = _Run(self, steps, then)
        try:
            run.run()
        finally:
            run.finish()

    # For a run

    def ask(self, ask: Ask) -> tuple[Answer, Answer]:
        """The answers of both: ours, theirs."""
        for wire in self._wires:
            wire.send(ask.wire())
        ours, theirs = (wire.receive(ask.method) for wire in self._wires)
        return ours, theirs

    def wires(self) -> tuple[Wire, Wire]:
        """Fresh connections to both."""
        return Wire(self.ours.client_port), Wire(self.theirs.client_port)

    def expected(self, ask: Ask, ours: Answer, theirs: Answer) -> Answer:
        """Their answer, but for the known differences."""
        for known in self._known:
            expected = known.expected(ask, ours, theirs)
            if expected is not theirs:
                self.known[known.what] = self.known.get(known.what, 0) + 1
                theirs = expected
        return theirs

    def indices(self) -> tuple[int, int]:
        answers = self.ask(Ask("HEAD", b"/v2/keys/_padding"))
        return tuple(int(answer.header("X-Etcd-Index") or -1) for answer in answers)  # type: ignore[return-value]

    def wait_for_index(self, wanted: int) -> bool:
        """Whether both get to a store index in time."""
        until = time.monotonic() + PATIENCE
        while min(self.indices()) < wanted:
            if time.monotonic() > until:
                return False
        return True

    def next_prefix(self) -> bytes:
        return b"/t%06d" % next(self._count)

    def align(self) -> None:
        """Brings both to the same store index."""
        while len(set(now := self.indices())) > 1:
            behind = self._wires[now.index(min(now))]
            for _ in range(max(now) - min(now)):
                behind.send(PADDING.wire())
                behind.receive("PUT")


class _Run:
    """One sequence, being run."""

    def __init__(self, pair: Pair, steps: list[Step], then: tuple[Ask, ...]) -> None:
        self._pair = pair
        self._steps = steps
        self._then = then
        self._prefix = pair.next_prefix()
        self._counts = pair.version < (3, 0)
        self._index = pair.indices()[0]
        self._lines: list[str] = [f"# the store index is {self._index}"]
        self._watches: list[tuple[Ask, tuple[Wire, Wire]]] = []
        self._below_root: list[bytes] = []

    def run(self) -> None:
        before = self._counters()
        for step in self._steps:
            match step:
                case Watch(ask):
                    going_on = self._watch(ask)
                case Expire(asks):
                    self._counts = False
                    going_on = self._expire(asks)
                case _:
                    going_on = self._ask(step)
            if not going_on:
                return
        self._settle()
        if not self._clean_up():
            return
        self._settle()
        after = self._counters()
        if self._counts:
            ours, theirs = ({name: last[name] - first[name] for name in last if name != "watchers"}
                            for first, last in zip(before, after, strict=True))  # fmt: skip
            if ours != theirs:
                self._fail(f"/v2/stats/store counted {ours}, etcd {theirs}")

    def finish(self) -> None:
        for _, wires in self._watches:
            for wire in wires:
                wire.close()
        for ask in self._then:
            self._pair.ask(ask)
        for key in (self._prefix, *self._below_root):
            self._pair.ask(Ask("DELETE", b"/v2/keys" + key, b"recursive=true"))

    def _ask(self, step: Ask) -> bool:
        """Whether the sequence can go on: after a known difference the two may not be alike any more."""
        ask = step.resolved(self._prefix, self._index)
        ours, theirs = self._pair.ask(ask)
        self._note(ask, ours, theirs)
        if ours.code < 300 or theirs.code < 300:
            self._note_key(ask, theirs)
        index = theirs.header("X-Etcd-Index")
        if index not in (None, "0"):
            self._index = int(index)
        return self._judge(ask, ours, theirs)

    def _note_key(self, ask: Ask, answer: Answer) -> None:
        """What is written beside the prefix must not expire in the middle of another sequence."""
        key = re.fullmatch(rb"/v2/keys(/[^/]+)?/?.*", ask.path)
        if ask.method not in ("PUT", "POST") or key is None or key[1] == self._prefix:
            return
        if key[1]:
            self._below_root.append(key[1])
        elif created := re.search(rb'"node":{"key":"(/[0-9]{20})"', answer.body):
            self._below_root.append(created[1])

    def _judge(self, ask: Ask, ours: Answer, theirs: Answer) -> bool:
        if not differences(ask, ours, theirs):
            return True
        found = differences(ask, ours, self._pair.expected(ask, ours, theirs))
        if found:
            self._fail("\n".join(found))
        self._lines.append("# a known difference")
        self._counts = False
        return len(set(self._pair.indices())) == 1

    def _watch(self, step: Ask) -> bool:
        ask = step.resolved(self._prefix, self._index)
        wires = self._pair.wires()
        for wire in wires:
            wire.send(ask.wire())
        ours, theirs = (wire.receive_head() for wire in wires)
        self._note(ask, ours, theirs)
        if ours.header("Transfer-Encoding") and theirs.header("Transfer-Encoding"):
            self._watches.append((ask, wires))
        else:
            for wire in wires:
                wire.close()
        return self._judge(ask, ours, theirs)

    def _expire(self, asks: tuple[Ask, ...]) -> bool:
        begun = self._index
        for ask in asks:
            if not self._ask(ask):
                return False
        wanted = 2 * self._index - begun  # one more for each that was written
        if not self._pair.wait_for_index(wanted):
            self._fail(f"the index after the expiry should be {wanted}, not {self._pair.indices()}")
        self._lines.append("# waited until they had expired")
        return True

    def _settle(self) -> None:
        """Looks at what the watches have got so far, when no more comes."""
        for number, (ask, wires) in enumerate(self._watches, 1):
            until = time.monotonic() + PATIENCE
            while True:
                before = [wire.arrived(0) for wire in wires]
                (ours, our_end), (theirs, their_end) = (wire.arrived(_QUIET) for wire in wires)
                alike = our_end == their_end and bodies_are_alike(ask, ours, theirs)
                if not alike:
                    alike = self._pair.expected(ask, Answer(body=ours), Answer(body=theirs)).body == ours
                if alike and before == [(ours, our_end), (theirs, their_end)]:
                    break
                if time.monotonic() > until:
                    self._fail(
                        f"watch {number} ({ask.target()!r}) got {ours!r} {our_end}, etcd {theirs!r} {their_end}"
                    )

    def _clean_up(self) -> bool:
        return (
            all(map(self._ask, self._then))
            and self._ask(Ask("DELETE", b"/v2/keys<P>", b"recursive=true"))
            and all(
                self._ask(Ask("DELETE", b"/v2/keys" + key, b"recursive=true"))
                for key in dict.fromkeys(self._below_root)
            )
        )

    def _counters(self) -> list[dict[str, int]]:
        return [json.loads(answer.body) for answer in self._pair.ask(Ask("GET", b"/v2/stats/store"))]

    def _note(self, ask: Ask, ours: Answer, theirs: Answer) -> None:
        self._lines += [as_curl(ask), f"  ours  {_shown(ours)}", f"  etcd  {_shown(theirs)}"]

    def _fail(self, why: str) -> None:
        raise Difference("\n".join(["the servers differ:", why, "", *self._lines]))


def as_curl(ask: Ask) -> str:
    """The request as a command, to be typed with ``$URL`` set."""
    words = ["curl", "-is", "--path-as-is", "-g"]
    words += ["-I"] if ask.method == "HEAD" else ["-X", ask.method]
    words += ["-0"] if ask.version == "HTTP/1.0" else []
    headers = list(ask.headers)
    if ask.body is not None:
        headers.append("Content-Type:" if ask.kind is None else f"Content-Type: {ask.kind}")
        headers += ["Transfer-Encoding: chunked"] if ask.chunked else []
    for header in headers:
        words += ["-H", shlex.quote(header)]
    if ask.body is not None:
        words += ["--data-binary", _bash(ask.body)]
    return " ".join([*words, '"$URL"' + _bash(ask.target())])


def _bash(data: bytes) -> str:
    """Bytes as bash reads them between ``$'`` and ``'``."""
    return (
        "$'"
        + "".join(chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}" for byte in data)
        + "'"
    )


def _shown(answer: Answer) -> str:
    headers = ", ".join(f"{name}: {value}" for name, value in answer.headers if name != "Date")
    return f"{answer.status or 'no answer'} {answer.end} [{headers}] {_short(answer.body)}"


def _short(body: bytes) -> str:
    text = repr(body)
    return text if len(text) < 1000 else f"{text[:400]} ... {text[-400:]}"


def _version_of(etcd: str) -> tuple[int, int]:
    printed = subprocess.run([etcd, "--version"], capture_output=True, check=True, text=True).stdout
    major, minor = re.findall(r"\d+", printed)[:2]
    return int(major), int(minor)
