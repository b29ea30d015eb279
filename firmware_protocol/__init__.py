"""The contract between sensor and host: usable alone, needs only the standard library and numpy."""
