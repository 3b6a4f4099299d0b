"""What kind of directory it is, with the errors of this package."""

from pathlib import Path

from migrate02.datadir.errors import DataError
from server.storage.datadir import Kind, layout
from server.storage.errors import StorageError


def kind_of(path: Path) -> Kind:
    """Raises DataError when it cannot be listed."""
    try:
        return layout(path)
    except StorageError as error:
        raise DataError(error.message, error.path) from error
