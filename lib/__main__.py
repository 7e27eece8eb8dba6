"""Command line: `python -m lib check|study|audit|report|slides|preview|clean`."""

import argparse
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

from lib.settings import ROOT, bundle_folder


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a mistake of the user ends in one sentence on stderr and exit status 1."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    for name in ("pytorch_lightning", "lightning", "fontTools"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        options.run(options)
    except KeyboardInterrupt:
        print("Stopped. What was finished is kept; start again to resume.", file=sys.stderr)
        return 130
    except subprocess.CalledProcessError as error:
        print(
            f"{Path(error.cmd[0]).name} stopped with status {error.returncode}; its message is above.", file=sys.stderr
        )
        return 1
    except (ValueError, RuntimeError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return getattr(error, "exit_status", 1)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lib", description="Fairness audit of a chest X-ray classifier.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, function, text in (
        ("check", _check, "read a cohort and print what was found"),
        ("study", _study, "train, adjust and audit a cohort"),
        ("audit", _audit, "audit predictions made elsewhere: no images, no training"),
        ("report", _report, "render the report, after the study if the cohort has no results"),
        ("slides", _slides, "render the slides alone"),
        ("preview", _preview, "live preview while writing"),
        ("clean", _clean, "delete rendered files and caches; results and trained networks stay"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=function)
        if name in ("check", "study"):
            command.add_argument("cohort", nargs="?", default=os.environ.get("COHORT"), help="cohort folder")
        if name == "audit":
            _audit_options(command)
        if name in ("report", "slides", "preview"):
            command.add_argument("cohort", nargs="?", help="cohort folder, or name in data/ (default: study.toml)")
        if name == "study":
            command.add_argument("--name", help="name in data/ (default: the folder's)")
            command.add_argument("--again", action="store_true", help="audit again even if the results are up to date")
    return parser


def _cohort_folder(options: argparse.Namespace) -> Path:
    if not options.cohort:
        raise ValueError("Which cohort? Give its folder: `make study COHORT=path/to/NOM_PRENOM`.")
    return Path(options.cohort)


def _check(options: argparse.Namespace) -> None:
    from lib.cohort import read_cohort

    for check, rows, action in read_cohort(_cohort_folder(options)).checks.iter_rows():
        print(f"{rows:>8,}  {check} ({action})")


def _study(options: argparse.Namespace) -> None:
    from lib.study import run_study

    print(run_study(_cohort_folder(options), options.name, again=options.again))


def _audit_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("files", nargs="+", metavar="PREDS.csv", help="predictions; NAME=a.csv,b.csv are networks of one method")
    add("--metadata", help="metadata.csv, as published by the NIH (default: the first file, if it has those columns)")
    add("--baseline", help="name of the method that the others are compared with (default: the first)")
    add("--valid", help="only these images: a CSV of names, or a cohort folder (its valid images)")
    add("--codes", default="", help='what 0 and 1 mean in the metadata, such as "sex:0=M,1=F;view:0=AP,1=PA"')
    add("--replicates", type=int, default=2000, help="bootstrap replicates (default: 2000)")
    add("--report", action="store_true", help="write data/<name>/results and render the report")
    add("--name", default="predictions", help="name in data/ (default: predictions)")


def _audit(options: argparse.Namespace) -> None:
    from lib.predictions import PredictionError, audit_predictions, save_bundle, summary
    from lib.predictions.match import parse_codes

    if options.replicates < 100:
        raise PredictionError(f"--replicates is {options.replicates}; at least 100 are needed.")
    found = audit_predictions(
        options.files,
        options.metadata,
        baseline=options.baseline,
        valid=options.valid,
        codes=parse_codes(options.codes),
        replicates=options.replicates,
    )
    print(summary(found))
    if options.report:
        names = ", ".join(Path(file).name for file in options.files)
        print(save_bundle(found, options.name, f"predictions in {names}", replicates=options.replicates))
        options.cohort = options.name
        _report(options)


def _report(options: argparse.Namespace) -> None:
    from lib.render.report import render_report

    _choose(options)
    for path in render_report(ROOT):
        print(path)


def _slides(options: argparse.Namespace) -> None:
    from lib.render.report import render_slides

    _choose(options)
    print(render_slides(ROOT))


def _preview(options: argparse.Namespace) -> None:
    from lib.render.report import preview

    _choose(options)
    preview(ROOT)


def _choose(options: argparse.Namespace) -> None:
    """Make the cohort of the command line the chosen one, running its study when it is a folder of images."""
    if options.cohort:
        os.environ["COHORT"] = options.cohort
    cohort = Path(os.environ.get("COHORT") or "")
    if os.environ.get("COHORT") and (cohort / "train").is_dir():
        from lib.study import run_study

        run_study(cohort)
    elif not (bundle_folder() / "study.json").is_file():
        raise ValueError(f"{bundle_folder()} holds no results: give a cohort folder, `make report COHORT=path`.")


def _clean(options: argparse.Namespace) -> None:
    for name in ("_book", ".quarto", ".pytest_cache", ".ruff_cache", "data/.pixels"):
        shutil.rmtree(ROOT / name, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
