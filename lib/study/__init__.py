"""A study, from a cohort folder to its results bundle: `lib.study.run` is the only place that knows all the others."""
