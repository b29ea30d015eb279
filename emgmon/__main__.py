"""``python -m emgmon`` is ``emgmon``."""

from emgmon.cli import main

main()
