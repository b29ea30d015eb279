"""Makes the pictures of ``docs/how-the-numbers-are-made.md``: the same every time on one installation.

    PYTHONPATH=. python docs/pictures/make.py [NAME ...]

They show the recordings that ship and sets that the virtual athlete performs for the purpose; no person was
measured. Each is an SVG file that brings its own page, light or dark as the reader's system asks.
``worked-example`` runs the script that the page prints and puts its output back into the page.
"""

import sys

import signals
import verdicts
from material import HERE
from page import PAGE, example_of, with_output

PICTURES = {
    "one-repetition": signals.one_repetition,
    "spectrum": signals.spectrum,
    "heartbeat": signals.heartbeat,
    "reference": signals.reference,
    "shares": verdicts.shares,
    "detectable-change": verdicts.detectable,
    "onset": verdicts.onset,
    "tiring": verdicts.tiring,
    "pelvis": verdicts.pelvis,
    "electrode-off": signals.electrode_off,
}


def main(names: list[str]) -> None:
    if not names or "worked-example" in names:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(with_output(page, example_of(page).run()), encoding="utf-8")
    for name, draw in PICTURES.items():
        if not names or name in names:
            path = draw().write(HERE, name)
            print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
