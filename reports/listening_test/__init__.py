"""Listening tests: what people are to hear and to be asked (`export`), and what their answers say (`ingest`)."""
