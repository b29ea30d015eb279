"""Every error a person may see: what happened, with the value, and what the person can do about it."""


class EmgmonError(Exception):
    """Something the person asked for cannot be done.

    Parameters
    ----------
    message
        What happened, with the value that caused it.
    advice
        What the person can do, as a sentence; empty when there is nothing to do.
    """

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class RecordingError(EmgmonError):
    """A recording cannot be read, written, verified or repaired."""


class ImportFileError(EmgmonError):
    """A foreign file cannot be turned into a recording; the message names line and column."""


class SensorError(EmgmonError):
    """A sensor cannot be found, reached or understood."""


class ExerciseError(EmgmonError):
    """An exercise is unknown or its file is not valid."""


class CalibrationError(EmgmonError):
    """A stretch of signal cannot serve as rest or reference."""


class ReferenceSetError(EmgmonError):
    """A set of repetitions cannot serve as the person's own reference."""


class ProfileError(EmgmonError):
    """A person's profile cannot be read, written or used."""


class SimulationError(EmgmonError):
    """The virtual athlete was asked for something impossible."""


class UsageError(EmgmonError):
    """The words of a command do not fit together; ends with exit status 2."""
