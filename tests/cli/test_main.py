import pytest

from emgmon import __version__, cli
from emgmon.errors import EmgmonError, RecordingError, UsageError


def ended(arguments):
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    return end.value.code


class _Raising:
    """A command that fails in a way of its own."""

    def __init__(self, error):
        import click

        def fail():
            raise error

        self.command = click.command()(fail)


@pytest.fixture
def failing(monkeypatch):
    def with_error(error):
        monkeypatch.setattr(cli.importlib, "import_module", lambda _name: _Raising(error))
        return ended(["demo"])

    return with_error


def test_help_and_version_end_well(capsys):
    assert ended(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in cli.COMMANDS)
    assert ended(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


def test_an_error_is_told_in_two_lines_on_stderr(failing, capsys):
    assert failing(RecordingError("a.arrows is empty", advice="Choose another.")) == 1
    told = capsys.readouterr()
    assert told.err == "emgmon: a.arrows is empty\n  Choose another.\n"
    assert told.out == ""


def test_an_error_without_advice_is_one_line(failing, capsys):
    assert failing(EmgmonError("nothing to be done")) == 1
    assert capsys.readouterr().err == "emgmon: nothing to be done\n"


def test_wrong_usage_is_status_two(failing):
    assert failing(UsageError("these do not fit together")) == 2
    assert ended(["no-such-command"]) == 2


def test_ctrl_c_is_what_a_shell_expects(failing, capsys):
    assert failing(KeyboardInterrupt()) == 130
    assert "stopped" in capsys.readouterr().err


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_of_the_table_exists_and_explains_itself(name, capsys):
    assert ended([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert f"Usage: emgmon {name}" in said
    assert len(said.splitlines()) > 4
