"""The runner: plan, workers, executors, progress, and scoring of what was run."""
