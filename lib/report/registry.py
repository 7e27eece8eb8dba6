"""The exhibits and sentences of the report by name, and what each is made of.

An exhibit is a function under `@figure` or `@table`: its name is that of its template (`figures/<name>`, `tables/<name>` in
`lib/report/words/<language>/`) and of its label (`fig-<name>`, `tbl-<name>`, with hyphens). `gather` makes its facts from a study,
the function draws them; title, subtitle, alternative text (`alt`), `caption`, the sentence that reads it (`read`) and why there is
nothing to show (`absent`) are blocks of the template. Under `@sentences("<template>")` stands what a template of sentences is told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from lib.report.theme import MEASURES, Measure, Size
from lib.report.words.language import Language, Words, language
from lib.report.words.templates import tell
from lib.results import Results

Facts = Mapping[str, Any]
Gather = Callable[..., Facts | None]


@dataclass(frozen=True)
class Kind:
    """A figure, a table or a widget by name: how its facts are gathered (None: there is nothing to show) and how it is drawn."""

    name: str
    of: str
    gather: Gather
    draw: "Callable[[Material], Any]"

    @property
    def template(self) -> str:
        return f"{self.of}s/{self.name}"

    def label(self, options: Facts) -> str:
        """`fig-front`; what is shown once for each of several kinds has the kind (and `by` what) in its label, too: `tbl-effects-weighting`."""
        kinds = [self.name, *(options[name] for name in ("kind", "by") if name in options)]
        return f"{'fig' if self.of == 'figure' else 'tbl'}-{'-'.join(kinds).replace('_', '-').replace(' ', '-')}"


@dataclass(frozen=True)
class Material:
    """What an exhibit is made of: its facts by name (`material["d"]`), its words (`material("axis")`), and its size."""

    study: Results
    kind: Kind
    options: Facts
    facts: Facts | None
    size: Size = "page"
    narrower: float = 0.0
    """Pixels that labels beyond the panels took at a first try."""

    @cached_property
    def language(self) -> Language:
        return language(self.study.language)

    @property
    def measure(self) -> Measure:
        return replace(MEASURES[self.size], width=MEASURES[self.size].width - self.narrower)

    def __bool__(self) -> bool:
        """Whether there is something to show."""
        return self.facts is not None

    def __call__(self, block: str, **more: Any) -> Words:
        """A block of the exhibit's template, told its facts, its `size` and `more`."""
        told = {"study": self.study, "size": self.size, **self.facts, **more}
        return tell(self.language, self.kind.template, block, **told)

    def __getitem__(self, name: str) -> Any:
        return self.facts[name]

    def told(self, block: str) -> Words:
        """A block that every exhibit has, or why there is nothing to show."""
        return self(block) if self else self.absent

    @property
    def absent(self) -> Words:
        """Why there is nothing to show."""
        why = tell(self.language, self.kind.template, "absent", study=self.study, **self.options)
        widget = self.kind.of == "widget"
        told = self.language.sentence(f"{why}.") if widget else self.language.phrase(f"no_{self.kind.of}", why=why)
        return Words(self.language.finished(told))


KINDS: dict[str, Kind] = {}
SENTENCES: dict[str, Gather] = {}


def _exhibit(of: str, gather: Gather) -> Callable[[Callable[[Material], Any]], Callable]:
    """A decorator that registers a function as the figure, table or widget of its name, with what gathers its facts."""

    def keep(draw: Callable) -> Callable:
        KINDS[draw.__name__] = Kind(draw.__name__, of, gather, draw)
        return draw

    return keep


figure, table, widget = (partial(_exhibit, of) for of in ("figure", "table", "widget"))
"""The function under `@figure` returns a chart without title, that under `@table` a table, and that under `@widget`, which is for
pages alone, what `chapters/widgets.html` draws, as JSON has it."""


def sentences(template: str) -> Callable[[Gather], Gather]:
    """Register the function as what the template of sentences is told."""

    def keep(gather: Gather) -> Gather:
        SENTENCES[template] = gather
        return gather

    return keep
