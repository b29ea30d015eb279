"""emgmon: rep by rep, did the glutes do the work or did the lower back take over?"""

__version__ = "0.1.0"
