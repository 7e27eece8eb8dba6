"""How often is each group found, missed, alarmed? Every rate of every method, for everyone and for each group.

`unit` says what counts once: the patient (within a group and label the mean over a patient's images, then over
patients) or the image. tpr = share of the sick who are called sick, fpr = of the healthy, balanced_accuracy =
(tpr + 1 - fpr) / 2, selection_rate = of all, ppv = share of the sick among those called sick, auc = chance that a sick
scores above a healthy; `missed` = share of all who are sick and called healthy. 95 % single intervals over patients and
networks; `images` and `patients` count those that a rate is about. Nothing is tested.
Source: Williamson, Datta & Satten 2003, doi 10.1111/1541-0420.00005.
"""

import polars as pl

from lib.audit.columns import COUNTED, DESCRIBED, METHOD, S
from lib.audit.context import Context
from lib.audit.judged import judged

name = "metrics"
schema = METHOD | {"attribute": S, "group": S, "metric": S, "unit": S} | DESCRIBED | COUNTED


def compute(context: Context) -> pl.DataFrame:
    return judged(context).tables["metrics"]
