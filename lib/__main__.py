"""Command line: `python -m lib demo|import-nih|check|study|audit|report|slides|preview|notebook|clean`."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036, before anything is imported that an older Python lacks
    sys.exit("Python %d.%d is too old: version 3.11 or newer is needed." % sys.version_info[:2])  # noqa: UP031

import argparse
import logging
import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from lib.files import FULL, READ_ONLY
from lib.messages import UserError, message, speak
from lib.render.book import chosen_language
from lib.settings import LANGUAGE, ROOT, bundle_folder, spoken_language, study_settings

log = logging.getLogger(__name__)
CANNOT_AUDIT = 2
"""Exit status of `audit` for files that cannot be audited."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a mistake of the user ends in one sentence on stderr and exit status 1, of `audit` 2."""
    options = _parser().parse_args(arguments)
    # `audit` tells its tables and notes in English, and so its mistakes
    speak(LANGUAGE if options.run is _audit else spoken_language(getattr(options, "language", None)))
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    try:
        status = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(message("Stopped. What was finished is kept; start again to resume."), file=sys.stderr)
        return 130
    except subprocess.CalledProcessError as error:
        name, status = Path(error.cmd[0]).name, error.returncode
        print(message("{name} stopped with status {status}; its message is above.", name, status), file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read what is printed, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (OSError, ValueError, RuntimeError) as error:
        from lib.tabular.escape import for_terminal  # what a file or a path says must not steer the terminal

        of_system = isinstance(error, OSError)
        print(for_terminal(_about_the_disk(error) if of_system else f"{error}"), file=sys.stderr)
        return CANNOT_AUDIT if options.run is _audit and not of_system else 1
    return status or 0


def _about_the_disk(error: OSError) -> str:
    """One sentence on a full disk, a read-only one, or whatever else the system refused."""
    place = error.filename or message("a file")
    if error.errno in FULL:
        return message(
            "{place} cannot be written, the disk is full: what was finished is kept; free some room and start again.",
            place,
        )
    if error.errno in READ_ONLY:
        why = os.strerror(error.errno).lower()
        return message("{place} cannot be read or written ({why}): give access, or use another folder.", place, why)
    return f"{place}: {error.strerror}." if error.strerror else f"{error}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lib", description="Fairness audit of a chest X-ray classifier.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, function, text in (
        ("demo", _demo, "draw a cohort of synthetic radiographs whose biases are known"),
        ("import-nih", _import_nih, "make cohorts of the public NIH download"),
        ("check", _check, "read a cohort and print what was found"),
        ("study", _study, "train, adjust and audit a cohort"),
        ("audit", _audit, "audit predictions made elsewhere: no images, no training"),
        ("report", _report, "render the report, after the study if the cohort has no results"),
        ("slides", _slides, "render the slides alone"),
        ("preview", _preview, "live preview while writing"),
        ("notebook", _notebook, "the whole report as one executed notebook"),
        ("clean", _clean, "delete rendered files and caches; results and trained networks stay"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=function)
        add = command.add_argument
        if name in ("check", "study"):
            add("cohort", nargs="?", default=os.environ.get("COHORT"), help="cohort folder or zip")
        if name in ("report", "slides", "preview", "notebook"):
            add("cohort", nargs="?", help="cohort folder, or name in data/ (default: study.toml)")
        if name in ("check", "study", "report", "slides", "preview", "notebook"):
            add("--language", metavar="CODE", help="en, fr, ... (default: study.toml, [report])")
        if name == "demo":
            _demo_options(add)
        if name == "import-nih":
            _import_options(add)
        if name == "audit":
            from lib.audit_command import add_options

            add_options(command)
        if name == "report":
            add("--minutes", type=minutes, default=10, help="of training at most, after the first seed (default: 10)")
        if name == "slides":
            add("--pdf", action="store_true", help="print them to PDF, too, with Chromium, Chrome or Edge")
        if name == "study":
            add("--name", help="name in data/ (default: the folder's)")
            add("--minutes", type=minutes, help="train no longer than this; the first seed of all, at least")
            add("--again", action="store_true", help="audit again even if the results are up to date")
    return parser


def minutes(written: str) -> float:
    """Those of an option; argparse tells what is none."""
    if not (number := float(written)) >= 0:
        raise ValueError
    return number


def _demo_options(add: Callable) -> None:
    add("out", type=Path, help="new folder to draw into")
    add("--images", type=int, default=1500, help="number of images (default: 1500)")
    add("--size", type=int, default=256, help="pixels along each side (default: 256)")
    add("--seed", type=int, default=0, help="same seed, same images (default: 0)")
    add("--null", action="store_true", help="plant nothing, unless a dial says so")
    add("--dial", action="append", default=[], metavar="NAME=VALUE", help="plant a bias, from 0 to 1; may be repeated")


def _import_options(add: Callable) -> None:
    add("--metadata", type=Path, required=True, help="Data_Entry_2017*.csv, also as .gz")
    add("--images", type=Path, required=True, help="folder that holds the images or images_001 ... 012")
    add("--out", type=Path, required=True, help="folder of the cohort, or of the students' cohorts")
    add("--patients", type=int, help="number of patients (default: all), of each student if there are any")
    add(
        "--findings",
        type=lambda written: tuple(map(str.strip, written.split(","))),
        default=(),
        help="findings that count as sick, comma-separated; other sick images stay out",
    )
    add("--valid-share", type=float, default=0.25, help="share of patients in valid (default: 0.25)")
    add("--train-list", type=Path, help="official list of images for train")
    add("--valid-list", type=Path, help="official list of images for valid")
    add("--size", type=int, default=256, help="pixels along each side (default: 256)")
    add("--seed", type=int, default=0, help="same seed, same choice of patients (default: 0)")
    add("--students", type=Path, help="one NOM_PRENOM per line: a folder and a zip for each")
    add("--overlap", action="store_true", help="students may share patients")


def _demo(options: argparse.Namespace) -> None:
    from lib.cohort.phantom import DEFAULT, NULL, draw_phantom, read_dials

    dials = read_dials(options.dial, NULL if options.null else DEFAULT)
    print(draw_phantom(options.out, images=options.images, seed=options.seed, dials=dials, size=options.size))


def _import_nih(options: argparse.Namespace) -> None:
    from lib.cohort.nih import Choice, import_nih

    choice = Choice(**{field.name: getattr(options, field.name) for field in fields(Choice)})
    for folder in import_nih(options.metadata, options.images, options.out, choice, size=options.size):
        print(folder)


def _folder(cohort: str) -> Path:
    """The cohort's folder; that of a zip is unpacked first."""
    path = Path(cohort)
    if path.suffix.lower() == ".zip" and path.is_file():
        from lib.cohort import unpack

        return unpack(path, ROOT / "data" / ".zips")
    return path


def _check(options: argparse.Namespace) -> None:
    from lib.cohort import read_cohort, readable
    from lib.report.words.language import language
    from lib.report.words.templates import tell
    from lib.study.attributes import asked_attributes

    if not options.cohort:
        raise UserError("Which cohort? Give its folder or zip: `python -m lib check path/to/NOM_PRENOM`.")
    code = chosen_language(code=options.language)  # a mistake here is reported before anything is read
    settings = study_settings()
    cohort = read_cohort(_folder(options.cohort), attributes=asked_attributes(settings, ROOT))
    _, checks, _ = readable(cohort, settings.training.image_size or 128, ROOT / "data" / ".pixels")
    words = language(code)
    for check in checks.to_dicts():
        print(f"{words.number(check['rows']):>8}  {tell(words, 'tables/checks', 'line', c=check)}")


def _study(options: argparse.Namespace) -> None:
    from lib.study.run import run_study

    chosen_language(code=options.language)  # a mistake here is reported before anything is trained
    folder = _folder(options.cohort) if options.cohort else _demo_folder()
    name = options.name or (None if options.cohort else "demo")
    print(run_study(folder, name, again=options.again, minutes=options.minutes))


def _demo_folder() -> Path:
    """The synthetic cohort, studied when none is named; it is made when it is not there yet."""
    folder = ROOT / "data" / "demo" / "cohort"
    log.info(message("No cohort is named: the study is made on the synthetic radiographs of {folder}.", folder))
    if not folder.is_dir():
        from lib.cohort.phantom import draw_phantom

        draw_phantom(folder)
    return folder


def _audit(options: argparse.Namespace) -> int:
    from lib.audit_command import run

    return run(options)


def _report(options: argparse.Namespace) -> None:
    from lib.render.report import render_report

    for path in render_report(ROOT, _choose(options)):
        print(path)


def _slides(options: argparse.Namespace) -> None:
    from lib.render.report import render_slides

    deck = render_slides(ROOT, _choose(options))
    print(deck)
    if options.pdf:
        from lib.render.deck_pdf import print_deck

        print(print_deck(deck))


def _preview(options: argparse.Namespace) -> None:
    from lib.render.report import preview

    preview(ROOT, _choose(options))


def _notebook(options: argparse.Namespace) -> None:
    from lib.render.notebook import write_notebook

    print(write_notebook(ROOT, _choose(options)))


def _choose(options: argparse.Namespace) -> str:
    """Make the cohort of the command line the chosen one, running its study when it is a folder of images; the language."""
    from lib.cohort.layout import is_cohort

    code = chosen_language(code=options.language)  # a mistake here is reported before anything is trained
    if cohort := options.cohort or os.environ.get("COHORT"):
        cohort = os.environ["COHORT"] = str(_folder(cohort))
    if cohort and is_cohort(Path(cohort)):
        from lib.study.run import run_study

        run_study(Path(cohort), minutes=getattr(options, "minutes", 10))
    elif not (bundle_folder() / "study.json").is_file():
        raise UserError("{folder} holds no results: give a cohort folder, `make report COHORT=path`.", bundle_folder())
    else:
        _warn_of_other_settings()
    return code


def _warn_of_other_settings() -> None:
    """Name the tables of study.toml that were changed since the results were made."""
    from lib.results import BundleError, read_manifest

    requested: dict = {}
    with suppress(BundleError):  # what reads the results tells of a broken one
        requested = (read_manifest(bundle_folder()) or {}).get("requested") or {}
    settings = study_settings().model_dump(include={"audit", "preferences"}, exclude_none=True)
    if tables := ", ".join(f"[{name}]" for name, table in settings.items() if requested.get(name, table) != table):
        log.warning(
            message("The results follow other {tables} than study.toml has now: `study` makes them anew.", tables)
        )


def _clean(options: argparse.Namespace) -> None:
    for name in ("_book", "_draft", ".quarto", ".pytest_cache", ".ruff_cache", "data/.pixels", "data/.zips"):
        shutil.rmtree(ROOT / name, ignore_errors=True)
    (ROOT / "_report.yml").unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
