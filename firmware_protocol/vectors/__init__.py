"""Conformance vectors: examples of the wire format as hex and meaning, for every implementation."""
