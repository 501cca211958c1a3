"""The offline page of a comparison: tables, and the edits that lost and gained most, to be heard."""

from reports.compare.html.page import write_page

__all__ = ["write_page"]
