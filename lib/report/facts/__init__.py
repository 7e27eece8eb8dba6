"""What a bundle says, as plain values: numbers, verdicts and names, no words. Templates in `lib/report/words` tell them."""

from lib.report.facts import account, baseline, cohort, effects, rules, study, trust, weightings
from lib.report.facts.decision import decide

__all__ = ["account", "baseline", "cohort", "decide", "effects", "rules", "study", "trust", "weightings"]
