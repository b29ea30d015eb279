"""One movement signal in, repetitions out; decided in live order, never by looking far ahead."""
