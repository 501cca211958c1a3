"""Baselines and controls: methods by others, and the anchors every table needs."""
