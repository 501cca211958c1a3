"""The leaderboard: an append-only store of entries, their rank sets, and static pages that show them."""
