"""A bundle is written whole or not at all, read back as it was, and refused with one sentence when it is not."""

import json
import re
import shutil

import polars as pl
import pytest
from cohorts import MARK
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from lib import results
from lib.results import SCHEMA_VERSION, BundleError, audit_code, load, save
from lib.tables import TABLES


@pytest.fixture
def bundle(tiny_study, tmp_path):
    """A copy of the tiny study's bundle, to be damaged; the project is `tmp_path`."""
    return shutil.copytree(tiny_study.bundle, tmp_path / "data" / "tiny" / "results")


def refusal(root) -> str:
    with pytest.raises(BundleError) as error:
        load("tiny", root)
    sentence = str(error.value)
    assert "\n" not in sentence and sentence.endswith(".") and str(root) in sentence
    assert "make study COHORT=path/to/tiny" in sentence
    return sentence


def test_what_is_saved_is_what_is_loaded(tiny_study, tmp_path):
    saved = load("tiny", tiny_study.root)
    save(tmp_path / "data" / "copy" / "results", saved.manifest | {"made": "2001-01-01"}, saved.tables, TABLES)
    loaded = load("copy", tmp_path)
    for name in TABLES:
        assert_frame_equal(getattr(loaded, name), saved.tables[name])
    assert (loaded.n_seeds, loaded.manifest["made"]) == (2, "2001-01-01")
    assert loaded.manifest["schema_version"] == SCHEMA_VERSION


def test_saving_again_replaces_the_bundle_and_leaves_nothing_beside_it(bundle, tmp_path):
    before = load("tiny", tmp_path)
    tables = before.tables
    (bundle / "from_before.txt").touch()
    save(bundle, before.manifest, tables | {"runs": tables["runs"].clear()}, TABLES)
    assert [path.name for path in bundle.parent.iterdir()] == ["results"]
    assert not (bundle / "from_before.txt").exists()
    assert load("tiny", tmp_path).runs.is_empty()


def test_an_unknown_table_is_told_with_the_known_ones(tiny_study):
    with pytest.raises(AttributeError, match="have no table 'rus'; they have .*runs"):
        _ = load("tiny", tiny_study.root).rus


def test_no_bundle_is_one_sentence(tmp_path):
    assert f"{tmp_path / 'data' / 'tiny' / 'results'} holds no results" in refusal(tmp_path)


def test_another_schema_version_is_one_sentence(bundle, tmp_path):
    manifest = json.loads((bundle / "study.json").read_text("utf-8"))
    (bundle / "study.json").write_text(json.dumps(manifest | {"schema_version": SCHEMA_VERSION - 1}), "utf-8")
    assert f"has schema version {SCHEMA_VERSION - 1}, this code reads {SCHEMA_VERSION}" in refusal(tmp_path)


def test_a_missing_table_is_named(bundle, tmp_path):
    (bundle / "runs.parquet").unlink()
    assert "runs.parquet is missing" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda manifest: manifest.pop("made"), "'made' is missing"),
        (lambda manifest: manifest["cohort"].update(images="many"), "cohort: images is 'many'"),
        (lambda manifest: manifest["settings"]["audit"].pop("margin"), "settings.audit: 'margin' is missing"),
        (lambda manifest: manifest.update(colour="blue"), "'colour' is unknown"),
    ],
)
def test_a_manifest_that_is_none_is_neither_read_nor_written(bundle, tmp_path, change, told):
    before = load("tiny", tmp_path)
    manifest = json.loads((bundle / "study.json").read_text("utf-8"))
    change(manifest)
    with pytest.raises(BundleError, match=re.escape(told)):
        save(bundle, manifest, before.tables, TABLES)
    assert load("tiny", tmp_path).manifest == before.manifest
    (bundle / "study.json").write_text(json.dumps(manifest), "utf-8")
    assert told in refusal(tmp_path)


def test_the_code_of_the_audit_is_known_by_its_content(tmp_path, monkeypatch):
    for name in results.JUDGES:
        source = results.LIB / name
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    original = audit_code()
    monkeypatch.setattr(results, "LIB", tmp_path)
    assert audit_code() == original
    new = tmp_path / "audit" / "questions" / "added.py"
    new.write_bytes(b"name = 'added'\r\n")
    added = audit_code()
    assert added != original
    new.write_bytes(b"name = 'added'\n")  # other line ends are the same code
    assert audit_code() == added


@settings(max_examples=30)
@given(where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_changed_byte_is_noticed(tiny_study, tmp_path_factory, where, flip):
    root = tmp_path_factory.mktemp("flip")
    bundle = root / "data" / "tiny" / "results"
    bundle.mkdir(parents=True)
    manifest = json.loads((tiny_study.bundle / "study.json").read_text("utf-8"))
    name = "runs.parquet"
    (bundle / "study.json").write_text(json.dumps(manifest | {"files": {name: manifest["files"][name]}}), "utf-8")
    content = bytearray((tiny_study.bundle / name).read_bytes())
    content[int(where * len(content))] ^= flip
    (bundle / name).write_bytes(content)
    assert f"{name} is not the file that study.json describes" in refusal(root)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"\xff\xfe",
        b"{}",
        b'{"schema_version": %d}' % SCHEMA_VERSION,
        b'{"schema_version": %d, "files": 3}' % SCHEMA_VERSION,
    ],
)
def test_a_damaged_manifest_is_one_sentence(bundle, tmp_path, content):
    (bundle / "study.json").write_bytes(content)
    assert "study.json is damaged" in refusal(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda runs: runs.with_columns(image=pl.lit("x")),
        lambda runs: runs.drop("auc"),
        lambda runs: runs.rename({"auc": "AUC"}),
        lambda runs: runs.with_columns(pl.col("seed").cast(pl.Int32)),
    ],
    ids=["an extra column", "a column too few", "another name", "another type"],
)
def test_a_wrong_table_is_refused_and_the_old_bundle_stays(bundle, tmp_path, wrong):
    before = load("tiny", tmp_path)
    with pytest.raises(BundleError, match="^table 'runs' has columns .*, allowed is exactly .*$"):
        save(bundle, before.manifest, before.tables | {"runs": wrong(before.runs)}, TABLES)
    assert [path.name for path in bundle.parent.iterdir()] == ["results"]
    assert load("tiny", tmp_path).manifest == before.manifest


def test_missing_and_extra_tables_are_named(bundle, tmp_path):
    tables = load("tiny", tmp_path).tables
    with pytest.raises(BundleError, match="scores"):
        save(bundle, {}, tables | {"scores": tables["runs"]}, TABLES)
    with pytest.raises(BundleError, match="these differ: runs"):
        save(bundle, {}, {name: table for name, table in tables.items() if name != "runs"}, TABLES)


@pytest.mark.parametrize("first_time", [True, False])
def test_nothing_half_written_stays_when_saving_fails(bundle, tmp_path, monkeypatch, first_time):
    before = load("tiny", tmp_path)
    target = tmp_path / "data" / "new" / "results" if first_time else bundle
    with pytest.raises(TypeError):
        save(target, before.manifest | {"hardware": {"not for JSON": object()}}, before.tables, TABLES)
    assert list(target.parent.iterdir()) == ([] if first_time else [bundle])
    assert load("tiny", tmp_path).manifest == before.manifest


def test_the_old_bundle_comes_back_when_the_new_one_cannot_take_its_place(bundle, tmp_path, monkeypatch):
    before = load("tiny", tmp_path)
    rename = type(bundle).rename

    def failing(path, target):
        if path.name.startswith(".results-") and not path.name.endswith("-previous"):
            raise PermissionError("in use")
        return rename(path, target)

    monkeypatch.setattr(type(bundle), "rename", failing)
    with pytest.raises(PermissionError):
        save(bundle, before.manifest, before.tables, TABLES)
    assert [path.name for path in bundle.parent.iterdir()] == ["results"]
    assert load("tiny", tmp_path).manifest == before.manifest


def test_a_bundle_names_no_patient_and_no_image(tiny_study):
    study = load("tiny", tiny_study.root)
    for name, table in study.tables.items():
        # digits of a rate may happen to be those of the mark
        for column in table.select(~pl.selectors.float()).iter_columns():
            words = column.drop_nulls().cast(pl.String)
            assert not words.str.contains(f"{MARK}|\\.png").any(), (name, column.name)
    assert not re.search(
        rf"(?<![0-9a-f]){MARK}\d{{3}}(?![0-9a-f])|\.png", (tiny_study.bundle / "study.json").read_text("utf-8")
    )


def test_a_bundle_has_no_row_for_each_image(tiny_study):
    study = load("tiny", tiny_study.root)
    columns = {name: set(table.columns) for name, table in study.tables.items()}
    assert not {"image", "path", "patient", "digest", "score"} & set().union(*columns.values())
    assert {path.suffix for path in tiny_study.bundle.iterdir()} == {".parquet", ".json"}
    assert results.MANIFEST in {path.name for path in tiny_study.bundle.iterdir()}
