"""What was audited, how, and what the untouched baseline does."""

import polars as pl

from lib.names import BASELINE_WEIGHTING, OVERALL, weighting_label
from lib.report import evidence
from lib.report.prose.reading import (
    BASELINE,
    DECIDED,
    baseline_gaps,
    baseline_metric,
    gap_words,
    per_thousand,
    with_interval,
)
from lib.report.words import Words, attribute_words, count, counted, duration, listed, sentence, spelled
from lib.results import Results


def cohort(study: Results) -> Words:
    """What was audited: images, patients, splits."""
    c = study.manifest["cohort"]
    return Words(
        f"{counted(c['images'], 'image')} of {counted(c['patients'], 'patient')} of {c['source']}: "
        f"{count(c['train_images'])} images of {counted(c['train_patients'], 'patient')} to learn from and "
        f"{count(c['valid_images'])} of {counted(c['valid_patients'], 'other patient')} to be judged on"
    )


def predictions(study: Results) -> Words:
    """Which files were audited, on how many images; for a bundle made from predictions."""
    c, named = study.manifest["cohort"], study.manifest["settings"]["training"].get("named", {})
    others = [name for inner, name in named.items() if inner != BASELINE_WEIGHTING]
    text = f"{counted(c['images'], 'image')} of {counted(c['patients'], 'patient')}; {c['source']}."
    if own := named.get(BASELINE_WEIGHTING):
        text += f" The baseline, shown as *{weighting_label(BASELINE_WEIGHTING)}*, is {own}"
        text += f"; it is compared with {listed(others)}." if others else "; there is nothing to compare it with."
    return Words(text)


def performance(study: Results) -> Words:
    """How well the untouched baseline separates sick from healthy."""
    auc, accuracy = (baseline_metric(study, metric) for metric in ("auc", "balanced_accuracy"))
    return Words(f"AUC {with_interval('auc', auc)}; balanced accuracy {with_interval('balanced_accuracy', accuracy)}")


def uncertainty(study: Results) -> Words:
    """What the intervals cover, in one sentence."""
    seeds = study.n_seeds
    noise = (
        f"retraining ({spelled(seeds, 'network')} for each weighting, differing in seed, training order and tuning patients)"
        if seeds > 1
        else "not retraining, since each weighting was trained once"
    )
    joined = "and" if seeds > 1 else "but"
    return Words(
        f"Rates are by patient: within a group and label every patient counts once. Intervals are 95 % intervals over "
        f"patients, each with all images, {joined} {noise}; a verdict “shown” holds for its whole family of "
        f"comparisons together (step-down max-T)."
    )


CITED = {"EfficientNet-Lite0": "@tan2019", "ResNet-18": "@he2016"}


def network(study: Results) -> Words:
    """The kind of network, with its source."""
    name = study.manifest.get("model", {}).get("name", "ResNet-18")  # bundles of simulated patients name none
    return Words(f"{name} [{CITED[name]}]" if name in CITED else name)


def initial_weights(study: Results) -> Words:
    """What the networks started from, by whom it was made and under which licence it is used."""
    if study.manifest["settings"]["training"]["initial_weights"] == "imagenet":
        model = study.manifest.get("model", {})
        if not model:
            return Words("The networks start from ImageNet weights.")
        return Words(
            f"The networks start from weights that {model['trained_by']} trained on {model['trained_on']} "
            f"({model['package']}, licence {model['licence']})."
        )
    return Words("The networks start from scratch, without weights learned elsewhere.")


def training(study: Results) -> Words:
    """How the networks were trained, on what, and for how long."""
    t, h = study.manifest["settings"]["training"], study.manifest["hardware"]
    by = {
        "sampling": "by how often an image is drawn in an epoch",
        "loss": "by how much an image counts in the loss",
    }
    where = (
        h["gpu"] if "cuda" in h["trained_on"] else f"{counted(h['cores'], 'core')} of a processor ({h['processor']})"
    )
    total = study.manifest["durations"]["training"]
    return Words(
        f"{network(study)} sees grey images of {t['image_size']} × {t['image_size']} pixels for "
        f"{counted(t['epochs'], 'epoch')}; weights act {by[t['weights_act_by']]}. {initial_weights(study)} "
        f"{sentence(spelled(study.runs.height, 'network'))} took {duration(total)} of computing on {where}."
    )


def cost(study: Results) -> Words:
    """The baseline's errors in patients per 1,000: missed sick and false alarms, by the group with the most of each."""
    parts = []
    for metric, words, turn in (("tpr", "sick are missed", 1), ("fpr", "healthy are called sick", 0)):
        overall = baseline_metric(study, metric)
        if overall["value"] is None:
            continue
        groups = evidence.metrics(study).filter(
            BASELINE, pl.col("metric") == metric, pl.col("attribute") != OVERALL, pl.col("estimable")
        )
        worst = groups.sort("value", descending=not turn).row(0, named=True) if groups.height else None
        text = f"{per_thousand(overall['value'], turn)} of 1,000 {words}"
        if worst:
            text += f" ({per_thousand(worst['value'], turn)} of 1,000 in the group that has the most, {worst['group']})"
        parts.append(text)
    return Words(sentence(listed(parts)) + ".") if parts else Words("The error rates are not estimable.")


def reproducibility(study: Results) -> Words:
    """When, with what and for how long the bundle was made."""
    m = study.manifest
    versions = listed([f"{name} {value}" for name, value in m["versions"].items()])
    return Words(
        f"The results were made on {m['made']} with {versions}. Training took {duration(m['durations']['training'])} of "
        f"computing in all, the audit {duration(m['durations']['audit'])}. {energy(study)} The cohort's content has the key "
        f"`{m['cohort']['key']}`; the digest of every table of results stands in `study.json` beside them."
    )


WATTS = {"cpu": (5, 15), "cuda": (250, 700)}
"""What a busy core of a processor, or an accelerator, takes at least and at most: from data sheets, not measured here."""


def energy(study: Results) -> Words:
    """The energy of training, as a range: time of each network times what the device takes."""
    trained_on = study.manifest.get("hardware", {}).get("trained_on", [])
    if len(trained_on) != 1 or trained_on[0] not in WATTS:
        return Words("The energy was not measured.")
    low, high = (study.manifest["durations"]["training"] / 3600 * watts for watts in WATTS[trained_on[0]])
    what = "a busy core" if trained_on[0] == "cpu" else "a busy accelerator"
    least, most = WATTS[trained_on[0]]
    return Words(
        f"The energy was not measured; at {least} to {most} watts for {what}, training took about {low:,.0f} to {high:,.0f} Wh."
    )


def gaps(study: Results, most: int | None = None) -> Words:
    """Which groups the untouched baseline treats differently, beyond noise, and which it cannot be shown to.

    Of more than `most` differences the largest are told and the others counted.
    """
    estimable = {name: rows for name in study.attributes if not (rows := baseline_gaps(study, name)).is_empty()}
    decided = {name: rows.filter(DECIDED) for name, rows in estimable.items()}
    told = [row for rows in decided.values() for row in rows.iter_rows(named=True)]
    more = 0 if most is None else max(0, len(told) - most)
    if more:
        told = sorted(told, key=lambda row: -abs(row["value"]))[:most]
    shown = [gap_words(row) for row in told]
    silent = [attribute_words(name) for name, rows in decided.items() if rows.is_empty()]
    if not estimable:
        return Words("No difference between groups can be estimated on this cohort.")
    parts = [f"{sentence(listed(shown))}."] if shown else []
    if more:
        parts.append(f"{sentence(spelled(more, 'smaller difference'))} {'stands' if more == 1 else 'stand'} out, too.")
    if silent:
        parts.append(
            f"Between groups of {listed(silent, conjunction='or')}, no difference in TPR or FPR can be told from noise."
        )
    if unseen := [attribute_words(name) for name in study.attributes if name not in estimable]:
        parts.append(f"By {listed(unseen)}, the groups are too small to compare.")
    return Words(" ".join(parts))


def limits(study: Results) -> Words:
    """Groups that are too small to say anything about."""
    rows = evidence.metrics(study).filter(BASELINE, ~pl.col("estimable"), pl.col("attribute") != OVERALL)
    smallest = study.manifest["settings"]["audit"]["smallest_cell"]
    rule = f"A rate is not estimable when it rests on fewer than {smallest} patients"
    groups = rows.unique(["attribute", "group"], maintain_order=True)
    names = [f"{attribute_words(r['attribute'])} {r['group']}" for r in groups.iter_rows(named=True)]
    if not names:
        return Words(f"{rule}; here every group has that many.")
    return Words(f"{rule}; here that is so for {listed(names)}.")


def attributes(study: Results) -> Words:
    """What was audited by, with the groups: `sex (F, M) and view (AP, PA)`."""
    return Words(listed([f"**{a.label}** ({', '.join(a.groups)})" for a in study.attributes.values()]))


def references(study: Results) -> Words:
    """The group that each attribute's others are compared with: `M, <40 and PA`."""
    return Words(listed([a.reference for a in study.attributes.values()]))
