"""Every method judged once: how many processes do it changes nothing."""

from lib.audit.judged import judged
from tests.worlds import processed


def test_another_process_that_judges_by_image_changes_nothing(monkeypatch):
    monkeypatch.setattr("lib.audit.judged.cpu_count", lambda: 2)
    alone = judged(processed(patients=120)).tables
    monkeypatch.setattr("lib.audit.judged.MANY", 1)
    beside = judged(processed(patients=120)).tables
    assert alone.keys() == beside.keys() and all(alone[name].equals(beside[name]) for name in alone)
