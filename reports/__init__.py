"""Reports: pure functions of run directories."""
