"""What a bundle says, as plain values: numbers, verdicts and names, no words. Templates in `lib/report/words` tell them."""

from lib.report.facts import account, baseline, effects, mechanism, planted, study, trust, weightings
from lib.report.facts.adjusting import adjusting
from lib.report.facts.cohort import data
from lib.report.facts.decision import decide
from lib.report.registry import sentences

sentences("data")(data)
sentences("decision")(lambda study: {"d": decide(study)})
sentences("adjusting")(adjusting)
sentences("rules")(adjusting)

__all__ = ["account", "baseline", "decide", "effects", "mechanism", "planted", "study", "trust", "weightings"]
