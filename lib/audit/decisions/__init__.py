"""From verdicts to a choice: who pays for a smaller gap, what cannot be ruled out, what is recommended."""
