"""Chance comes from named, seeded generators: turning one knob never reshuffles another."""

import zlib

import numpy as np


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Give the generator of one purpose, for instance ``generator(seed, "noise", channel)``.

    Generators of different names are statistically independent, so hum can be switched off
    without changing the muscle noise.
    """
    key = tuple(zlib.crc32(name.encode()) if isinstance(name, str) else name for name in names)
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=key))
