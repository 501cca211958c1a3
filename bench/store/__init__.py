"""The store: run directories, journals, atomic writes, the content-addressed cache."""
