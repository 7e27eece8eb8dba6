"""The audit of predictions made elsewhere: files in, tables out; no image is read and nothing is trained."""

from lib.predictions.audited import audit_predictions
from lib.predictions.bundle import save_bundle
from lib.predictions.errors import PredictionError
from lib.predictions.question import Audited
from lib.predictions.summary import summary

__all__ = ["Audited", "PredictionError", "audit_predictions", "save_bundle", "summary"]
