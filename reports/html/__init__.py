"""The offline page of a report: tables, players and spectrograms in one folder."""
