"""Work in threads: the order of the items, their errors, and values computed once."""

import threading

import pytest

from lib.cores import computed_once, in_threads, usable_cores


def test_results_come_in_the_order_of_the_items_whoever_is_done_first(monkeypatch):
    monkeypatch.setattr("lib.cores.usable_cores", lambda: 2)
    second = threading.Event()

    def slow_first(item: int) -> int:
        if item == 0:
            assert second.wait(30), "the second item did not run beside the first"
        if item == 1:
            second.set()
        return 10 * item

    assert list(in_threads(slow_first, range(7))) == [0, 10, 20, 30, 40, 50, 60]


def test_few_results_lie_waiting():
    begun = []
    results = in_threads(begun.append, range(1000))
    next(results)
    assert len(begun) <= usable_cores() + 2
    results.close()


def test_an_error_is_raised_where_its_result_would_be():
    results = in_threads(lambda item: 1 / item, [1, 0, 2])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_a_value_is_computed_once_for_each_object():
    class Counted:
        asked = 0

        @computed_once
        def value(self) -> int:
            """A value."""
            self.asked += 1
            return self.asked

    one, other = Counted(), Counted()
    assert (one.value, one.value, other.value) == (1, 1, 1)
    assert Counted.value.__doc__ == "A value."
