"""What auth refuses, in etcd 2.3.8's own words."""

from __future__ import annotations


class AuthError(Exception):
    """A refusal; ``status`` is that of the HTTP answer, ``message`` what it says."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message

    def __str__(self) -> str:
        return self.message


def auth_error(status: int, message: str) -> AuthError:
    """With the words that most of them begin with."""
    return AuthError(status, f"auth: {message}")
