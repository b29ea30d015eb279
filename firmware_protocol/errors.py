"""A fault says which clause of SPEC.md was broken, and by whom."""


class ProtocolError(ValueError):
    """Bytes or values that SPEC.md does not allow; raised only as one of its two kinds.

    Parameters
    ----------
    message
        What is wrong, with the value.
    clause
        The clause of SPEC.md that it breaks, for example ``"4.3"``.
    """

    def __init__(self, message: str, *, clause: str) -> None:
        super().__init__(message)
        self.clause = clause


class SensorFault(ProtocolError):
    """Bytes that came from a sensor break the specification."""


class HostFault(ProtocolError):
    """The caller asked to send something that the specification does not allow."""
