"""What each method of a kind does: balanced accuracy, the gaps that are left, and what may be said of it."""

from great_tables import GT

from lib.names import BASELINE
from lib.report.facts.effects import FIGURES, gather
from lib.report.registry import Material, table
from lib.report.tables.cells import table_of


@table(gather)
def effects(material: Material) -> GT:
    """The untouched baseline, a row for each method of which anything is told, and one for all others together.

    Rows stand under what may be said of them."""
    e, own = material["e"], material.language
    rows = [
        {"method": own.sentence(own.method(BASELINE)), "needs": "", "verdict": material("start")}
        | {metric: material("untouched", metric=metric, before=e.before[metric]) for metric in FIGURES}
    ]
    for effect in e.named:
        cells = {metric: material("figure", metric=metric, o=effect.outcomes.get(metric)) for metric in FIGURES}
        rows.append(cells | {name: material(name, effect=effect) for name in ("method", "needs", "verdict")})
    if len(e.silent) > 1:
        spans = {m: material("span", metric=m, found=sorted(e.left(m, e.silent))) for m in FIGURES}
        rows.append(
            spans | {"method": material("others"), "needs": "", "verdict": own.sentence(own.verdict("not told"))}
        )
    columns = ("needs",) if any(effect.needs for effect in e.named) and not e.common else ()
    labels = {name: material("head", name=name) for name in (*columns, *FIGURES)}
    return table_of(rows, labels, own, stub="method", heading="verdict", right=FIGURES)
