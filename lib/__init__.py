"""Fairness audit of a chest X-ray classifier: cohort, training, mitigation, audit, results, report."""
