"""Predictions beside the rows they belong to, and what is said of them: valid first, then group by group."""

import numpy as np
import polars as pl
import pytest
import torch
from drop_in import ADDED, alike, names, rewritten

import train_classifieur as script
from lib.cohort import CohortError
from lib.dropin import predict
from lib.dropin.rates import rates_by_group
from lib.dropin.weights import KEY
from lib.training.classifier import outputs
from lib.training.networks import build

pytest_plugins = ["drop_in_fixtures"]
pytestmark = alike


def test_predictions_are_added_to_the_rows_as_they_are(cohort, untrained, tmp_path, capsys):
    source = rewritten(
        cohort, tmp_path / "in.csv", lambda rows: rows.sample(fraction=1, shuffle=True, seed=2).with_row_index("key")
    )
    script.pred_classifier(cohort, untrained, source, tmp_path / "new" / "folder" / "out.csv")
    before = pl.read_csv(source, infer_schema=False)
    after = pl.read_csv(tmp_path / "new" / "folder" / "out.csv", infer_schema=False)
    assert after.columns == [*before.columns, *ADDED] and after.select(before.columns).equals(before)
    where = {p.name: p.parent.name for p in cohort.glob("*/*/*")}
    assert after["labels"].to_list() == [where[name] for name in after["Image Index"]]
    logits = after.select(pl.col("preds_logit0", "preds_logit1").cast(pl.Float64)).to_numpy()
    assert after["preds"].to_list() == [("malade", "sain")[k] for k in logits.argmax(1)]
    assert logits[:, 0] == pytest.approx(-logits[:, 1])

    first, second, *groups = capsys.readouterr().out.splitlines()
    right = after.with_columns(
        right=pl.col("preds") == pl.col("labels"), valid=after["Image Index"].is_in(names(cohort, "valid"))
    )
    assert first.startswith(f"valid: accuracy {right.filter('valid')['right'].mean():.4f}, balanced accuracy 0.")
    assert second.startswith("train + valid, as the course's script prints it")
    assert f"accuracy {right['right'].mean():.4f}, balanced" in second
    women = right.filter("valid", pl.col("Patient Gender") == "F")
    sick, healthy = (women.filter(labels=label)["preds"] == "malade" for label in ("malade", "sain"))
    assert groups[0] == (
        f"valid, sex F: TPR {sick.mean():.3f} ({len(sick)} sick), FPR {healthy.mean():.3f} ({len(healthy)} healthy)"
    )
    told = [line.removeprefix("valid, ").split(":")[0] for line in groups]
    assert told == ["sex F", "sex M", "age 25", "age 75", "view AP", "view PA"]


def grouped(**columns):
    """Rates of images 0, 1, ... with these columns: the first half is sick, every other one is called sick."""
    count = len(next(iter(columns.values())))
    table = pl.DataFrame({KEY: [str(n) for n in range(count)], **{k.replace("_", " "): v for k, v in columns.items()}})
    logits = [1.0 if n % 2 == 0 else -1.0 for n in range(count)]
    labels = [int(n < count / 2) for n in range(count)]
    scored = pl.DataFrame({"image": table[KEY], "split": "valid", "label": labels, "logit": logits})
    return rates_by_group(table, scored)


def test_rates_are_those_of_each_group_of_the_valid_images():
    rows = grouped(Patient_Gender=["F", "F", "M", "M", "F", "F", "M", None])
    assert rows.rows() == [("sex", "F", 2, 0.5, 2, 0.5), ("sex", "M", 2, 0.5, 1, 1.0)]
    assert grouped(view_position=["AP", "PA"]).rows() == [
        ("view", "AP", 1, 1.0, 0, None),
        ("view", "PA", 0, None, 1, 0.0),
    ]


@pytest.mark.parametrize(
    ("ages", "groups"),
    [
        (["39", "40", "060Y", "61", "18", "75", "50", "33"], ["<40", "40-60", ">60"]),
        (["0", "1", "2", "0", "1", "2", "0", "1"], ["0", "1", "2"]),
        ([">60", "<40", "40-60", "", ">60", "<40", "40-60", ">60"], ["<40", "40-60", ">60"]),
        ([f"old{n}" for n in range(8)], []),
    ],
)
def test_ages_are_grouped_as_years_and_groups_stay_as_they_are_written(ages, groups):
    assert grouped(Patient_Age=ages)["group"].to_list() == groups


def test_without_attributes_nothing_is_said_of_groups(cohort, untrained, tmp_path, capsys):
    source = rewritten(cohort, tmp_path / "in.csv", lambda rows: rows.select("Image Index", "OWN"))
    script.pred_classifier(cohort, untrained, source, tmp_path / "out.csv")
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_names_in_another_case_get_the_predictions_of_their_image(cohort, untrained, tmp_path):
    upper = pl.col("Image Index").str.to_uppercase()
    source = rewritten(cohort, tmp_path / "in.csv", lambda rows: rows.with_columns(upper))
    given = predict(cohort, untrained, source, tmp_path / "upper.csv").table
    usual = predict(cohort, untrained, cohort / "metadata.csv", tmp_path / "usual.csv").table
    assert given.select(ADDED).equals(usual.select(ADDED)) and not usual["preds"].null_count()
    assert given["Image Index"].equals(usual["Image Index"].str.to_uppercase())


def test_softmax_of_the_logits_is_the_score_of_the_run(cohort, trained, tmp_path):
    logs, path, _ = trained
    table = predict(cohort, path, cohort / "metadata.csv", tmp_path / "out.csv", mirror=True).table
    (kept,) = logs.glob("*/scores.parquet")
    scores = pl.read_parquet(kept).join(table, left_on="image", right_on="Image Index", how="left")
    given = torch.softmax(torch.from_numpy(scores.select("preds_logit0", "preds_logit1").to_numpy()), 1)[:, 0]
    # a run's own precision may be bfloat16, whose numbers have 8 bits
    assert given.numpy() == pytest.approx(scores["score"].to_numpy(), abs=0.02)


def test_rows_without_an_image_are_kept_and_counted(cohort, untrained, tmp_path, capsys):
    def change(rows):
        absent = rows[:2].with_columns(pl.Series("Image Index", ["absent.png", None]))
        return pl.concat([absent, rows])

    source = rewritten(cohort, tmp_path / "in.csv", change)
    script.pred_classifier(cohort, untrained, source, tmp_path / "out.csv", preds_col="mine")
    after = pl.read_csv(tmp_path / "out.csv")
    assert after.columns[-4:] == ["mine", "labels", "mine_logit0", "mine_logit1"]
    assert after[:2][:, -4:].null_count().row(0) == (2, 2, 2, 2) and after[2:][:, -4:].null_count().row(0) == (0,) * 4
    assert capsys.readouterr().out.startswith(f"2 of {after.height} rows have no readable image: their predictions are")


def test_separator_and_names_with_folders_are_kept_and_earlier_predictions_replaced(cohort, untrained, tmp_path):
    rows = pl.read_csv(cohort / "metadata.csv", infer_schema=False)
    rows = rows.with_columns(pl.lit("valid\\sain\\") + pl.col("Image Index"), preds=pl.lit("sain"), note=pl.lit("é;à"))
    path = tmp_path / "own.csv"
    path.write_text(rows.write_csv(separator=";"), "utf-8-sig")
    predict(cohort, untrained, path, path)
    after = pl.read_csv(path, separator=";", infer_schema=False)
    assert after.columns == [*(c for c in rows.columns if c != "preds"), *ADDED]
    assert set(after["preds"]) == {"malade", "sain"} and set(after["note"]) == {"é;à"}
    assert after["Image Index"].equals(rows["Image Index"])


@pytest.mark.parametrize("name", ["labels", "Image Index", "Patient Age", "OWN", " "])
def test_a_name_already_taken_is_refused(cohort, untrained, tmp_path, name):
    with pytest.raises(ValueError, match=f"The predictions cannot be called '{name}': .* has other things under that"):
        predict(cohort, untrained, cohort / "metadata.csv", tmp_path / "out.csv", name)


def test_a_csv_without_image_names_is_one_sentence(cohort, untrained, tmp_path):
    (tmp_path / "in.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(CohortError, match=r"lacks the column Image Index; it has a, b\.$"):
        predict(cohort, untrained, tmp_path / "in.csv", tmp_path / "out.csv")


def test_threads_give_the_logits_of_the_network_in_the_order_of_rows():
    torch.manual_seed(1)
    network = build("resnet18", "none").train()
    torch.nn.init.normal_(network.head.weight)
    images = np.random.default_rng(0).integers(0, 256, (70, 32, 32), np.uint8)
    with torch.no_grad():
        x = network.to_input(torch.from_numpy(images).unsqueeze(1))
        for _ in range(3):
            network(x)
        expected = network.eval()(x)[:, 0].numpy()
    rows = np.random.default_rng(1).permutation(70)
    tolerance = 0.1 if torch.cuda.is_available() else 1e-3
    assert outputs(network, images, rows, mirror=False)[:, 0] == pytest.approx(expected[rows], abs=tolerance)
