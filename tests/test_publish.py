"""The workflow that publishes the report is valid, and what it names exists here."""

import re

import yaml
from conftest import ROOT

WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/publish.yml").read_text("utf-8"))
STEPS = WORKFLOW["jobs"]["publish"]["steps"]
COMMANDS = [line for step in STEPS for line in step.get("run", "").splitlines()]
BOOK = yaml.safe_load((ROOT / "_quarto.yml").read_text("utf-8"))


def test_it_runs_on_pushes_and_on_demand_for_the_default_branch():
    on = WORKFLOW[True]  # YAML takes the key `on` for a truth value
    assert on["push"] is None and on["workflow_dispatch"]["inputs"]["execute"]["type"] == "boolean"
    assert WORKFLOW["jobs"]["publish"]["if"] == "github.ref_name == github.event.repository.default_branch"


def test_cells_are_run_only_when_asked_and_no_package_is_installed_otherwise():
    asked = [step for step in STEPS if step.get("if") == "inputs.execute"]
    assert len(asked) == 1 and "requirements.txt" in asked[0]["run"] and "rm -r _freeze" in asked[0]["run"]
    assert not [step for step in STEPS if step not in asked and "pip" in step.get("run", "")]


def test_the_book_is_rendered_and_then_the_slides_into_the_folder_that_is_published():
    rendered = [command for command in COMMANDS if command.startswith("quarto")]
    assert rendered[:2] == ["quarto render", "quarto render --profile slides"]
    profiles = {command.rpartition(" ")[2] for command in rendered[1:]}
    assert all((ROOT / f"_quarto-{profile}.yml").is_file() for profile in profiles)
    slides = yaml.safe_load((ROOT / "_quarto-slides.yml").read_text("utf-8"))
    (published,) = (step["with"]["path"] for step in STEPS if "upload-pages" in step.get("uses", ""))
    assert published == BOOK["project"]["output-dir"] == slides["project"]["output-dir"]


def test_what_it_names_exists_and_its_quarto_is_new_enough():
    assert (ROOT / "requirements.txt").is_file() and (ROOT / "_freeze").is_dir()
    assert all((ROOT / script).is_file() for script in BOOK["project"]["pre-render"])
    used = {step["uses"].split("@")[0]: step.get("with", {}) for step in STEPS if "uses" in step}
    assert list(used)[-2:] == ["actions/upload-pages-artifact", "actions/deploy-pages"]
    assert all(re.fullmatch(r".+@v\d+", step["uses"]) for step in STEPS if "uses" in step)
    version = tuple(map(int, used["quarto-dev/quarto-actions/setup"]["version"].split(".")))
    assert version >= (1, 10) and used["actions/setup-python"]["python-version"] == "3.11"
