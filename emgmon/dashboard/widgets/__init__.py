"""One part of the screen each: the state becomes lines, and lines that changed are redrawn."""
