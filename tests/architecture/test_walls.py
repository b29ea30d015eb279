"""The house rules that no type checker sees."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("emgmon", "firmware_protocol")
HEAVY = ("bleak", "bumble", "textual", "rich", "pyarrow", "asyncio", "scipy.signal")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def loaded_by(statement):
    """Modules that a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys; print('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "emgmon.session",
        "emgmon.movement",
        "emgmon.attitude",
        "emgmon.judging",
        "emgmon.exercises",
        "emgmon.metrics.measure",
        "emgmon.reps.tilt",
        "emgmon.dsp.pipeline",
        "firmware_protocol.decoder",
    ],
)
def test_the_lower_rooms_load_no_radio_screen_file_format_or_event_loop(module):
    assert not loaded_by(f"import {module}") & set(HEAVY)


def test_help_loads_nothing_but_the_table_of_commands():
    loaded = loaded_by("import emgmon.cli")
    assert not loaded & {*HEAVY, "numpy", "msgspec", "scipy"}


def test_the_protocol_stands_on_numpy_alone():
    loaded = loaded_by("import firmware_protocol.decoder, firmware_protocol.gatt, firmware_protocol.control")
    assert not {name for name in loaded if name.split(".")[0] in {"emgmon", "scipy", "msgspec", "vqf"}}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_first_line_of_a_module_states_its_rule(path):
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert len(docstring.splitlines()[0]) > 20


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_short(path):
    text = path.read_text()
    assert text.count("\n") <= 420
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            assert node.end_lineno - body[0].lineno + 1 <= 60, f"{node.name} is too long"


def test_only_one_module_of_the_sensors_room_imports_bleak():
    importers = [
        path.name
        for path in (ROOT / "emgmon" / "sensors").rglob("*.py")
        if any(
            (isinstance(node, ast.Import) and any(a.name.split(".")[0] == "bleak" for a in node.names))
            or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bleak")
            for node in ast.walk(ast.parse(path.read_text()))
        )
    ]
    assert importers == ["ble.py"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_below_the_session_nothing_reads_a_clock_sleeps_or_prints(path):
    lower = ("dsp", "reps", "metrics", "exercises")
    engine = ("session.py", "streams.py", "judging.py", "attitude.py", "movement.py")
    if path.relative_to(ROOT).parts[1] not in (*lower, *engine):
        return
    tree = ast.parse(path.read_text())
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert not imported & {"time", "socket", "threading", "logging", "datetime", "random"}
    calls = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & {"print", "open", "input"}
