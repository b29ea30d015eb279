"""Small files that are right, and ways to make one thing in them wrong."""

import tomllib
from typing import Any

EXERCISE = """
name = "frog-bridge"
title = "Frog bridge"
start_position = "supine"
start_pitch_deg = -90
pelvis_turn = "pitch-backward"
leaves_rest = "up"
sides = "both"
phases = ["lift", "hold", "return"]
work = ["lift", "hold"]
how = ["Squeeze."]
cues = ["Squeeze, then lift"]
signals = [{on = "pelvis_height"}, {on = "pelvis_pitch", least_deg = 8.0}]
placements = [{site = "pelvis", use = "wanted"}]
expected = [
  {quantity = "gluteus_maximus", grade = "sourced", unit = "% MVIC", mean = 24, sd = 8, source = "Oh"},
  {quantity = "glute_back_ratio", grade = "unknown"},
]
findings = [{grade = "sourced", says = "Last is normal.", source = "Sakamoto", year = 2009}]
faults = [{seen = "The back arches.", instead = "Stop lower."}]
"""

PROGRAM = """
name = "mine"
title = "Mine"
warm_up = [{exercise = "scorpion", sets = 2, reps = 6, rest_s = 30}]

[main]
steps = [{exercise = "bridge"}, {exercise = "hip-thrust"}]
sets = [{reps = 8, rest_s = 90, feedback = "concurrent"}]
move_on = {sets_met = 2, of_sets = 3, reps_met_pct = 80}
"""


def exercise_toml(name: str = "frog-bridge") -> bytes:
    return EXERCISE.replace("frog-bridge", name).encode()


def program_toml(name: str = "mine") -> bytes:
    return PROGRAM.replace('"mine"', f'"{name}"').encode()


def with_change(text: str, path: str, value: Any) -> bytes:
    """Write a file anew with another value at a path of keys and indices; ``None`` takes the field out."""
    content = tomllib.loads(text)
    inner: Any = content
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in way:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return "\n".join(f"{key} = {_toml(entry)}" for key, entry in content.items()).encode()


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(_toml(entry) for entry in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(entry)}" for key, entry in value.items()) + "}"
    return str(value)
