"""Rep by rep: who did the work, the glutes or the lower back."""

__version__ = "0.1.0"
