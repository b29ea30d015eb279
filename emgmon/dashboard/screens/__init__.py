"""One screen each: which parts are on it, which keys it knows."""
