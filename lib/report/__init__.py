"""The report: results in; figures, tables and sentences out, in the language of the study that `load` returns."""

from typing import Any

__all__ = ["chart", "heading", "load", "read", "say", "show", "slide"]


def __getattr__(name: str) -> Any:
    """One of the functions above, imported when it is first used: commands that need words alone are spared the charts."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lib.report import exhibits

    return getattr(exhibits, name)
