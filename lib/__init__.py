"""Fairness audit of a chest X-ray classifier: cohort, training, mitigation, audit, results, report."""

import sys

# On import jsonschema, which draws no chart, compiles a grammar of web addresses: two of the three seconds that altair needs.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
