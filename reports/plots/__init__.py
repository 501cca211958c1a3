"""Plots of a report: pure functions of a table, as SVG and PNG."""
