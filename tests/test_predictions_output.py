"""What an audit writes for machines and what it shows: complete, in own names, harmless whatever the files hold."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from conftest import ROOT
from tables import people, scored, write

from lib import __main__ as cli
from lib.predictions import audit_predictions, save_bundle, summary
from lib.predictions.export import export
from lib.predictions.methods import methods_of
from lib.predictions.prepared import prepared
from lib.predictions.question import Request
from lib.tabular.escape import for_csv, for_terminal, plain_name

pytestmark = pytest.mark.usefixtures("audited_quickly")

META = people(patients=80)
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """Two methods, one of them called by hostile text, post-processed by view, by a hostile attribute, too."""
    folder = tmp_path_factory.mktemp("audited")
    wards = np.where(np.arange(160) % 4 < 2, "=cmd|' /C calc'!A0", "**b** $x$ {{< x >}} [a](b) @fig-x #set `c`")
    meta = META.with_columns(Ward=pl.Series(wards))
    files = [write(folder / "base.csv", scored(META)), write(folder / "other.csv", scored(META, 1))]
    return audit_predictions(
        [str(files[0]), f"{HOSTILE}={files[1]}"],
        write(folder / "metadata.csv", meta),
        attributes=["view", "ward:Ward"],
        postprocess=["equal_tpr", "equalized_odds", "best_threshold"],
        target=["view"],
        smallest_cell=5,
    )


def test_every_table_is_written_twice_and_once_more_in_one_json(audited, tmp_path):
    written = export(audited, tmp_path / "out")
    whole = json.loads(written[0].read_text("utf-8"))
    assert whole["tables"].keys() == audited.tables.keys()
    for name, frame in audited.tables.items():
        assert pl.read_parquet(tmp_path / "out" / f"{name}.parquet").height == frame.height
        assert pl.read_csv(tmp_path / "out" / f"{name}.csv", infer_schema=False).height == frame.height
        assert len(whole["tables"][name]) == frame.height
    assert [method["name"] for method in whole["methods"]] == ["base", plain_name(HOSTILE)]
    assert {row["weighting"] for row in whole["tables"]["metrics"]} == {"base", plain_name(HOSTILE)}
    assert whole["warnings"] == list(audited.warnings) and whole["images"] == 160


def test_what_no_number_of_patients_shows_is_null_in_json(audited, tmp_path):
    endless = audited.tables["gaps"].with_columns(patients_needed=pl.lit(float("inf")))
    written = export(replace(audited, tables=audited.tables | {"gaps": endless}), tmp_path)
    assert {row["patients_needed"] for row in json.loads(written[0].read_text("utf-8"))["tables"]["gaps"]} == {None}


def test_post_processings_are_audited_and_their_rules_told(audited, tmp_path):
    methods = set(audited.tables["metrics"].select("weighting", "postprocessing", "target").unique().rows())
    assert ("uniform", "equal_tpr", "view") in methods and ("uniform", "best_threshold", "none") in methods
    rules = {(r["weighting"], r["postprocessing"]): r for r in audited.deployed}
    assert rules["uniform", "equal_tpr"]["by_group"].keys() == {"AP", "PA"}
    mix = rules["uniform", "equalized_odds"]["by_group"]["AP"]
    chances = mix if isinstance(mix, list) else [{"chance": 1.0}]
    assert sum(part["chance"] for part in chances) == pytest.approx(1)
    text = summary(audited)
    assert "base, equal TPR thresholds by view" in text


def test_the_model_card_tells_the_baseline_by_group(audited, tmp_path):
    card = json.loads(export(audited, tmp_path)[1].read_text("utf-8"))
    figures = {(f["type"], f["slice"]): f for f in card["quantitative_analysis"]["performance_metrics"]}
    figure = figures["tpr", "view = AP"]
    bounds = figure["confidence_interval"]
    assert bounds["lower_bound"] <= figure["value"] <= bounds["upper_bound"]
    assert card["model_details"]["name"] == "base"


def test_spreadsheets_take_no_text_for_a_formula(audited, tmp_path):
    export(audited, tmp_path)
    for path in tmp_path.glob("*.csv"):
        cells = pl.read_csv(path, infer_schema=False)
        words = [c for c in cells.columns if audited.tables[path.stem].schema.get(c) == pl.String]
        assert not cells.select(words).to_series(0).str.contains(r"^[=+\-@]").any() if words else True
    assert for_csv(pl.DataFrame({"a": ["=1+1", "@x", "-2", "fine", None]}))["a"].to_list() == [
        "'=1+1",
        "'@x",
        "'-2",
        "fine",
        None,
    ]


@pytest.mark.parametrize(
    "text",
    [HOSTILE, "</script><script>", "a\x1b[31mb", "x\u202egnp", "**a** _b_ `c` $d$ [e](f) {{<g>}} @h #i", "a|b\nc"],
)
def test_names_from_files_are_text_in_every_output(text):
    shown = plain_name(text)
    assert not set(shown) & set('<>`*[]{}$#@\\|~^&"\n\x1b\u202e')
    assert (
        plain_name("<40") == "<40"
        and plain_name(">60") == ">60"
        and plain_name("BLACK/AFRICAN AMERICAN") == "BLACK/AFRICAN AMERICAN"
    )


def test_a_terminal_is_not_steered(audited, tmp_path, capsys):
    assert for_terminal("a\x1b]0;owned\x07b") == "a]0;ownedb"
    name = tmp_path / "x\x1b[2Jy.csv"
    assert cli.main(["audit", str(name)]) == 2
    assert "\x1b" not in capsys.readouterr().err
    assert "\x1b" not in summary(audited) and HOSTILE not in summary(audited)


def test_the_checks_of_the_report_begin_with_the_warnings(audited, tmp_path):
    from lib import results

    save_bundle(audited, "mine", "predictions", root=tmp_path)
    checks = results.load("mine", tmp_path).checks["check"].to_list()
    assert checks[: len(audited.warnings)] == list(audited.warnings)


@pytest.mark.usefixtures("few_asked")
def test_audits_of_other_predictions_are_kept(tmp_path):
    meta = write(tmp_path / "metadata.csv", META)
    found = [audit_predictions(write(tmp_path / f"{k}.csv", scored(META, k)), meta, smallest_cell=5) for k in (0, 1)]
    one = save_bundle(found[0], None, "one", root=tmp_path)
    assert save_bundle(found[0], None, "one", root=tmp_path) == one
    other = save_bundle(found[1], None, "two", root=tmp_path)
    assert one.parent.name == "predictions" and other.parent.name == f"predictions-{found[1].key[:8]}"
    with pytest.raises(
        ValueError, match="holds the results of other predictions, which are kept: choose another --name"
    ):
        save_bundle(found[1], "predictions", "two", root=tmp_path)


def test_files_of_one_name_are_called_by_their_folders(tmp_path):
    files = [write(tmp_path / f"model_{k}" / "preds.csv", scored(META, k)) for k in range(7)]
    assert list(methods_of(files)) == [f"model_{k}" for k in range(7)]
    mixed = [*files[:2], write(tmp_path / "other.tsv", scored(META))]
    assert list(methods_of(mixed)) == ["model_0", "model_1", "other"]
    assert methods_of([tmp_path / "model_3"]) == {"model_3": [files[3]]}
    assert list(methods_of([tmp_path / "other.csv.gz"])) == ["other"]


@pytest.mark.usefixtures("few_asked")
@pytest.mark.parametrize(("limit", "status"), [("0.9", 0), ("0.0", 3)])
def test_a_pipeline_learns_of_wide_gaps_by_the_exit_status(tmp_path, capsys, limit, status):
    files = write(tmp_path / "a.csv", scored(META)), write(tmp_path / "m.csv", META)
    options = ["--smallest-cell", "5", "--fail-over", limit]
    assert cli.main(["audit", str(files[0]), "--metadata", str(files[1]), *options]) == status
    message = capsys.readouterr().err
    assert message.count("\n") == (status > 0) and (not status or "the baseline's gaps are larger: " in message)


def test_notes_are_at_most_five_and_alike_ones_are_one(tmp_path):
    from lib.predictions.summary import shortened

    files = {f"{k}.csv": scored(META, k) for k in range(9)}
    paths = [write(tmp_path / name, frame) for name, frame in files.items()]
    found = prepared(Request(paths, write(tmp_path / "m.csv", META)))
    assert found.notices == ("0.csv (and 8 more) has no labels: those of m.csv are used.",)
    told = shortened([f"note {k}" for k in range(9)])
    assert len(told) == 5 and told[:4] == [f"note {k}" for k in range(4)] and told[4].startswith("5 more stand in")


def test_the_example_of_the_readme_runs(tmp_path, monkeypatch):
    readme = (ROOT / "README.md").read_text("utf-8")
    example = readme.split("```python\n", 1)[1].split("```", 1)[0]
    assert "audit_predictions(" in example
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "preds.csv", scored(META))
    write(tmp_path / "metadata.csv", META.with_columns(Race=pl.Series(np.where(np.arange(160) % 4 < 2, "A", "B"))))
    exec(compile(example, "README.md", "exec"), {})
