"""Multitrack recordings as data sets lay them out: one reader a layout, and one kind of song for them all."""
