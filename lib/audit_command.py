"""`python -m lib audit`: its options, and what it prints and writes."""

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from lib.settings import ROOT

OVER = 3
"""Exit status when a gap is larger than `--fail-over` allows."""


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of the command; those of the first three groups are called as those of `audit_predictions` are."""
    add = command.add_argument
    add("files", nargs="+", metavar="PREDS", help="tables or folders; NAME=a.csv,b.csv are networks of one method")
    add("--metadata", help="table with a row per image: patient, findings, attributes (default: the first file)")
    add("--baseline", help="name of the method that the others are compared with (default: the first)")
    add("--valid", help="only these images: a table of names, or a cohort folder (its valid images)")
    columns = command.add_argument_group("columns in other words").add_argument
    columns(
        "--score", action="extend", type=_names, metavar="COLUMN", help="chance of sick; several, or a,b: a method each"
    )
    columns("--decision", metavar="COLUMN", help="decisions, sick or healthy")
    columns("--label", metavar="COLUMN", help="the truth, sick or healthy")
    columns("--split", metavar="COLUMN", help="tells training images from others")
    columns("--image", metavar="COLUMN", help="names of the images")
    columns("--patient", metavar="COLUMN", help="whose image it is; none: each image is of another patient")
    columns("--like", metavar="FILE", help="columns as published: nih, chexpert or mimic")
    columns("--codes", help='what codes mean, such as "sex:0=M,1=F;view:0=AP,1=PA"')
    question = command.add_argument_group("what is asked").add_argument
    question(
        "--attribute",
        dest="attributes",
        action="append",
        metavar="NAME:COLUMN",
        help="compare by this column, instead of sex, age group and view; may be repeated. NAME:COLUMN:40,60 cuts numbers "
        "there, =GROUP at the end states the reference (default: the largest group)",
    )
    question("--threshold", type=float, help="decide from this score on, instead of .5 and of the file's decisions")
    question(
        "--postprocess",
        type=_names,
        metavar="NAMES",
        help="post-processings, comma-separated, judged on other patients",
    )
    question(
        "--target", type=_names, metavar="NAMES", help="attributes that they act on (default: all that are compared)"
    )
    question("--folds", type=int, help="parts of the patients for that (default: 5)")
    question("--margin", type=float, help="differences of rates under it count as none (default: 0.05)")
    question("--smallest-cell", type=int, help="patients of a label under which nothing is said (default: 20)")
    output = command.add_argument_group("what is written").add_argument
    output(
        "--out", type=Path, metavar="DIR", help="write every table (CSV, parquet), audit.json and model_card.json there"
    )
    output("--report", action="store_true", help="write data/<name>/results and a report on them, data/<name>/report")
    output("--language", metavar="CODE", help="of the report: en, fr, ... (default: study.toml, [report])")
    output("--name", help="name in data/ (default: predictions, or predictions-<key> beside an audit of others)")
    output(
        "--fail-over",
        type=float,
        metavar="GAP",
        help=f"exit status {OVER} when a TPR or FPR gap is larger, such as 0.1",
    )


def run(options: argparse.Namespace) -> int:
    """Audit, print, write; returns the exit status. Raises `PredictionError`, one sentence."""
    from lib.predictions import PredictionError, audit_predictions, save_bundle, summary
    from lib.predictions.export import export, too_wide
    from lib.predictions.question import Request

    limit = options.fail_over
    if limit is not None and not 0 <= limit <= 1:
        raise PredictionError(f"--fail-over is {limit:g}; allowed is a share between 0 and 1, such as 0.1.")
    stated = {field.name: value for field in fields(Request) if (value := getattr(options, field.name)) is not None}
    audit = audit_predictions(**stated)
    print(summary(audit))
    if options.out:
        print(*export(audit, options.out), sep="\n")
    if options.report:
        from lib.render.book import chosen_language
        from lib.render.report import render_predictions

        bundle = save_bundle(audit, options.name, ", ".join(audit.files), root=ROOT)
        print(bundle, *render_predictions(ROOT, bundle, chosen_language(ROOT, options.language)), sep="\n")
    if limit is not None and (why := too_wide(audit, limit)):
        print(why, file=sys.stderr)
        return OVER
    return 0


def _names(written: str) -> list[str]:
    return [name.strip() for name in written.split(",") if name.strip()]
