"""Suites: where the tasks and their audio come from."""
