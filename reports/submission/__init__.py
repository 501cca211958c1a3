"""Submissions: packed by who made them, checked as hostile by who receives them, scored from their audio, audited."""
