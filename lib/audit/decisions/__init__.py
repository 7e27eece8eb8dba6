"""From verdicts to a choice: what is recommended, and what choosing leaves of the gap."""
