"""Tables of weightings, of rules and of the options: what each does, and what it costs."""

from great_tables import GT

from lib.names import BASELINE
from lib.report import facts
from lib.report.facts import choice, decide, rules
from lib.report.facts.effects import FIGURES, gather
from lib.report.registry import Material, table
from lib.report.tables.cells import heads, listing, table_of


@table(facts.weightings.gather)
def weightings(material: Material) -> GT:
    """A row for each weighting: effective share of the images, how often the first group is seen, how often each is sick there."""
    w, columns = material["w"], ("effective", "often", "sick", "sick_other", "tie")
    groups = {"group": w.groups[0], "other": w.groups[1]}
    rows = [{"own": seen, **groups} for seen in (w.start, *w.others)]
    return listing(material, rows, columns, stub="weighting", right=columns, **groups)


@table(gather)
def effects(material: Material) -> GT:
    """The untouched baseline, a row for each method of which anything is told, and one for all others together.

    Rows stand under what may be said of them."""
    e, language = material["e"], material.language
    rows = [
        {"method": language.sentence(language.method(BASELINE)), "needs": "", "verdict": material("start")}
        | {metric: material("untouched", metric=metric, before=e.before[metric]) for metric in FIGURES}
    ]
    for effect in e.named:
        cells = {metric: material("figure", metric=metric, o=effect.outcomes.get(metric)) for metric in FIGURES}
        rows.append(cells | {name: material(name, effect=effect) for name in ("method", "needs", "verdict")})
    if len(e.silent) > 1:
        spans = {m: material("span", metric=m, found=sorted(e.left(m, e.silent))) for m in FIGURES}
        verdict = language.sentence(language.verdict("not told"))
        rows.append(spans | {"method": material("others"), "needs": "", "verdict": verdict})
    needs = ("needs",) if any(effect.needs for effect in e.named) and not e.common else ()
    labels = heads(material, (*needs, *FIGURES))
    return table_of(rows, labels, language, stub="method", heading="verdict", right=FIGURES)


@table(lambda study: {"d": d} if (d := decide(study)).options else None)
def options(material: Material) -> GT:
    """A row for each option of the decision page; of 1,000 sick of each group those missed, of 1,000 healthy those alarmed.

    On a slide, who pays in their place."""
    columns = ("needs", "missed", "alarmed", "gap", "price", "evidence")
    columns = ("needs", "gap", "pays", "evidence") if material.size == "slide" else columns
    return listing(material, [{"o": option} for option in material["d"].options], columns, stub="option")


@table(choice.recommendation)
def recommendation(material: Material) -> GT:
    """A row for each candidate, under its role; loss and change with intervals that hold for all candidates together."""
    rows, right = [{"c": candidate} for candidate in material["candidates"]], ("loss", "gap", "change")
    return listing(material, rows, ("needs", *right), stub="method", heading="role", right=right)


@table(rules.thresholds)
def thresholds(material: Material) -> GT:
    """A row for each rule, a column for each group: mean, smallest and largest cut-off."""
    attribute = material["d"].attribute
    rows = [
        {"rule": material("rule", r=rule)} | {group: material("cut", c=cut) for group, cut in cuts.items()}
        for rule, cuts in material["rules"].items()
    ]
    labels = {group: material.language.group(group, attribute) for group in attribute.groups}
    return table_of(rows, labels, material.language, stub="rule", right=list(labels))


@table(rules.replaced)
def replaced_scores(material: Material) -> GT:
    """A row for each group under each cost: what is replaced by what, and what becomes of the sick."""
    rows, columns = [{"own": line} for line in material["shown"]], ("cost", "wanted", "share", "level", "found")
    return listing(material, rows, columns, stub="group", heading="rule", right=columns)
