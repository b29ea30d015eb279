"""A person and a sensor that do not exist, with known truth: for the demo, the tests and the benchmarks."""
