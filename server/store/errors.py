"""What the key space refuses, in etcd's own codes and words, and the HTTP status each code answers with."""

from __future__ import annotations

from enum import IntEnum


class ErrorCode(IntEnum):
    """The codes etcd 2.3 really sends (its ``Documentation/errorcode.md`` lists more, long unused), and those that
    0.4's own endpoints send: 200, 205 to 208."""

    KEY_NOT_FOUND = 100
    COMPARE_FAILED = 101
    NOT_A_FILE = 102
    NOT_A_DIRECTORY = 104
    KEY_EXISTS = 105
    ROOT_READ_ONLY = 107
    DIRECTORY_NOT_EMPTY = 108
    UNAUTHORIZED = 110
    VALUE_REQUIRED = 200
    PREV_VALUE_REQUIRED = 201
    TTL_NOT_A_NUMBER = 202
    INDEX_NOT_A_NUMBER = 203
    TIMEOUT_NOT_A_NUMBER = 205
    NAME_REQUIRED = 206
    INDEX_OR_VALUE_REQUIRED = 207
    INDEX_AND_VALUE = 208
    INVALID_FIELD = 209
    INVALID_FORM = 210
    VALUE_ON_REFRESH = 211
    TTL_REQUIRED_ON_REFRESH = 212
    RAFT_INTERNAL = 300
    LEADER_ELECTION = 301
    WATCHER_CLEARED = 400
    EVENT_INDEX_CLEARED = 401


MESSAGES: dict[int, str] = {
    ErrorCode.KEY_NOT_FOUND: "Key not found",
    ErrorCode.COMPARE_FAILED: "Compare failed",
    ErrorCode.NOT_A_FILE: "Not a file",
    ErrorCode.NOT_A_DIRECTORY: "Not a directory",
    ErrorCode.KEY_EXISTS: "Key already exists",
    ErrorCode.ROOT_READ_ONLY: "Root is read only",
    ErrorCode.DIRECTORY_NOT_EMPTY: "Directory not empty",
    ErrorCode.UNAUTHORIZED: "The request requires user authentication",
    ErrorCode.VALUE_REQUIRED: "Value is Required in POST form",
    ErrorCode.PREV_VALUE_REQUIRED: "PrevValue is Required in POST form",
    ErrorCode.TTL_NOT_A_NUMBER: "The given TTL in POST form is not a number",
    ErrorCode.INDEX_NOT_A_NUMBER: "The given index in POST form is not a number",
    ErrorCode.TIMEOUT_NOT_A_NUMBER: "The given timeout in POST form is not a number",
    ErrorCode.NAME_REQUIRED: "Name is required in POST form",
    ErrorCode.INDEX_OR_VALUE_REQUIRED: "Index or value is required",
    ErrorCode.INDEX_AND_VALUE: "Index and value cannot both be specified",
    ErrorCode.INVALID_FIELD: "Invalid field",
    ErrorCode.INVALID_FORM: "Invalid POST form",
    ErrorCode.VALUE_ON_REFRESH: "Value provided on refresh",
    ErrorCode.TTL_REQUIRED_ON_REFRESH: "A TTL must be provided on refresh",
    ErrorCode.RAFT_INTERNAL: "Raft Internal Error",
    ErrorCode.LEADER_ELECTION: "During Leader Election",
    ErrorCode.WATCHER_CLEARED: "watcher is cleared due to etcd recovery",
    ErrorCode.EVENT_INDEX_CLEARED: "The event in requested index is outdated and cleared",
}

_STATUS: dict[int, int] = {
    ErrorCode.KEY_NOT_FOUND: 404,
    ErrorCode.COMPARE_FAILED: 412,
    ErrorCode.NOT_A_FILE: 403,
    ErrorCode.KEY_EXISTS: 412,
    ErrorCode.DIRECTORY_NOT_EMPTY: 403,
    ErrorCode.UNAUTHORIZED: 401,
    ErrorCode.RAFT_INTERNAL: 500,
    ErrorCode.LEADER_ELECTION: 500,
}


class EtcdError(Exception):
    """A refusal as etcd's v2 API words it.

    ``cause`` is a store path (prefix included) or a text; bytes that are not UTF-8 are in it by
    ``surrogateescape``. ``index`` is the store index at the time, 0 for errors found before the store was asked.
    """

    def __init__(self, code: int, cause: str = "", index: int = 0) -> None:
        super().__init__(code, cause, index)
        self.code = code
        self.cause = cause
        self.index = index

    @property
    def message(self) -> str:
        return MESSAGES.get(self.code, "")

    @property
    def status(self) -> int:
        """The HTTP status; a code without its own answers 400."""
        return _STATUS.get(self.code, 400)

    def __str__(self) -> str:
        return f"{self.code}: {self.message} ({self.cause}) [{self.index}]"


class SnapshotFormatError(ValueError):
    """The JSON of a snapshot is not a v2 store; says where. The store it was read for is unchanged."""
