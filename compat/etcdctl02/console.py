"""The three standard streams, as bytes below and text above. Keeps no buffer, so that what was printed is seen."""

from __future__ import annotations

from typing import BinaryIO

from server.config.urls import redacted


class Console:
    """Texts are UTF-8 with ``surrogateescape``: bytes that came as arguments or values go out as they were.

    Other halves of surrogate pairs, which JSON can hold, go out as question marks.
    """

    def __init__(self, stdin: BinaryIO, stdout: BinaryIO, stderr: BinaryIO) -> None:
        self._stdin, self._stdout, self._stderr = stdin, stdout, stderr

    def out(self, text: str) -> None:
        _write(self._stdout, text)

    def err(self, text: str) -> None:
        """Without the passwords in URLs."""
        _write(self._stderr, redacted(text))

    def read_all(self) -> str:
        """All that comes on standard input; empty when there is none or it cannot be read."""
        try:
            return self._stdin.read().decode("utf-8", "surrogateescape")
        except OSError:
            return ""

    def ask(self, prompt: str) -> str:
        """A password: one line of standard input, which a terminal does not show, without blanks around it."""
        self.out(prompt)
        line = self._hidden_line() if self._stdin.isatty() else self._stdin.readline()
        self.out("\n")
        return line.decode("utf-8", "surrogateescape").strip()

    def _hidden_line(self) -> bytes:
        import termios

        descriptor = self._stdin.fileno()
        before = termios.tcgetattr(descriptor)
        hidden = list(before)
        hidden[3] &= ~termios.ECHO
        try:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, hidden)
            return self._stdin.readline()
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _write(stream: BinaryIO, text: str) -> None:
    try:
        encoded = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        encoded = text.encode("utf-8", "replace")
    stream.write(encoded)
    stream.flush()
