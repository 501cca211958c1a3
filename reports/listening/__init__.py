"""The page of `timbrebench tasks listen`: tasks as the suite has them, before any method has touched them."""

from reports.listening.page import Written, write

__all__ = ["Written", "write"]
