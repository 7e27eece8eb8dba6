"""What cannot be audited is one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from lib.tabular import TableError


class PredictionError(TableError):
    """Predictions cannot be audited; the message is one sentence: what, where, what is allowed."""

    exit_status = 2


@contextmanager
def of_predictions() -> Iterator[None]:
    """What is wrong with a table is wrong with the predictions."""
    try:
        yield
    except PredictionError:
        raise
    except TableError as error:
        raise PredictionError(str(error)) from None
