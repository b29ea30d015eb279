"""Notifications on disk: raw, in arrival order, readable after any accident; the rest is recomputed."""
