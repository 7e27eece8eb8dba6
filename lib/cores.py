"""The machine's cores, and work shared out among them in threads."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from threadpoolctl import threadpool_limits

Given, Found = TypeVar("Given"), TypeVar("Found")


def usable_cores() -> int:
    """Cores that this process may use; all of the machine's where the system does not tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(function: Callable[[Given], Found], items: Iterable[Given]) -> Iterator[Found]:
    """What `function` makes of each item, in the order of the items, a thread on each core.

    For array work, which lets other threads run. Products of matrices keep to one thread meanwhile: many small ones on
    many threads wait for each other. At most as many results as there are cores lie waiting to be taken.
    """
    cores = usable_cores()
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(cores) as pool:
        pending: deque[Future[Found]] = deque()
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > cores:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


class computed_once(Generic[Found]):  # noqa: N801 (a decorator)
    """`functools.cached_property` without its lock, which until Python 3.12 all objects of a class share.

    Two threads that ask at once may both compute the value.
    """

    def __init__(self, function: Callable[[Any], Found]):
        self._function, self.__doc__ = function, function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, item: Any, owner: type | None = None) -> Found:
        if item is None:
            return self  # type: ignore[return-value]
        value = item.__dict__[self._name] = self._function(item)
        return value
