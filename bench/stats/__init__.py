"""Statistics: seeded, clustered by song."""
