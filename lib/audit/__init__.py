"""The audit: what a classifier's decisions do to whom, how sure that is, and what to do about it.

people = Population.from_frame(valid, attributes=...)      # patient, label, one column per attribute
context = Context(people, valid, scores, decisions)        # what questions may look at
tables = answer(context)                                   # a table for every question, `lib.audit.questions`

inference/ intervals, p-values and verdicts · metrics/ rates and AUC by patient and by image · questions/ one file each ·
decisions/ what is recommended, and what choosing leaves of the gap
"""

from lib.audit.context import Context
from lib.audit.inference import Population
from lib.audit.questions import QUESTIONS, answer

__all__ = ["QUESTIONS", "Context", "Population", "answer"]
