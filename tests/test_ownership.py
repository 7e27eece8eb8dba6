"""Two cohorts whose folders have one name keep their results apart, and the published study is its maker's."""

import json
import threading
from pathlib import Path

import pytest

from lib.settings import SettingsError, bundle_folder, cohort_name, data_folder
from lib.study.ownership import claim


def published(root: Path, name: str, key: str, **more) -> Path:
    folder = root / "data" / name / "results"
    folder.mkdir(parents=True)
    (folder / "study.json").write_text(json.dumps({"cohort": {"key": key}, **more}))
    return folder


def cohort(root: Path, *parts: str) -> Path:
    folder = root.joinpath(*parts)
    (folder / "train").mkdir(parents=True)
    return folder


def test_the_published_study_is_not_written_over_by_another_cohort_of_its_name(tmp_path):
    published(tmp_path, "nih", "f" * 32)
    mine = cohort(tmp_path, "x", "nih")
    assert claim(mine, "a" * 32, root=tmp_path) == "nih-aaaaaaaa"
    assert bundle_folder(mine, tmp_path) == tmp_path / "data" / "nih-aaaaaaaa" / "results"
    assert bundle_folder("nih", tmp_path) == tmp_path / "data" / "nih" / "results"


def test_two_folders_of_one_name_have_a_place_each_and_keep_it(tmp_path):
    one, other = cohort(tmp_path, "a", "NOM"), cohort(tmp_path, "b", "NOM")
    assert claim(one, "1" * 32, root=tmp_path) == "NOM"
    assert claim(other, "2" * 32, root=tmp_path) == "NOM-22222222"
    assert [cohort_name(folder, tmp_path) for folder in (one, other)] == ["NOM", "NOM-22222222"]
    assert claim(one, "3" * 32, root=tmp_path) == "NOM", "a cohort that was changed is still the same folder's"


def test_the_same_content_elsewhere_is_the_same_cohort(tmp_path):
    published(tmp_path, "nih", "f" * 32)
    assert claim(cohort(tmp_path, "x", "nih"), "f" * 32, root=tmp_path) == "nih"
    assert claim(cohort(tmp_path, "y", "other"), "f" * 32, "nih", tmp_path) == "nih"


def test_a_name_that_is_asked_for_and_taken_is_refused(tmp_path):
    published(tmp_path, "nih", "f" * 32)
    with pytest.raises(
        SettingsError, match="holds the results of another cohort, which are kept: choose another --name"
    ):
        claim(cohort(tmp_path, "x", "mine"), "a" * 32, "nih", tmp_path)
    published(tmp_path, "predictions", "a" * 32, of_predictions=True)
    with pytest.raises(SettingsError, match="another cohort"):
        claim(tmp_path / "x" / "mine", "a" * 32, "predictions", tmp_path)


def test_a_cohort_within_its_own_folder_owns_it(tmp_path):
    published(tmp_path, "demo", "f" * 32)
    drawn = cohort(tmp_path, "data", "demo", "cohort")
    assert claim(drawn, "a" * 32, "demo", tmp_path) == "demo"
    assert data_folder(drawn, tmp_path) == tmp_path / "data" / "demo"


def test_of_processes_that_claim_one_name_at_once_one_has_it(tmp_path):
    names = []
    folders = [cohort(tmp_path, str(k), "NOM") for k in range(6)]
    threads = [
        threading.Thread(target=lambda k=k, f=f: names.append(claim(f, str(k) * 32, root=tmp_path)))
        for k, f in enumerate(folders)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names).count("NOM") == 1 and len(set(names)) == 6
