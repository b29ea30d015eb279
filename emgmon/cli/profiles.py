"""What is kept of a person between recordings: one JSON file each, in the folder of their data."""

import re
from pathlib import Path
from typing import Literal

import msgspec

from emgmon.cli.own_files import data_folder
from emgmon.errors import ProfileError
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.reference import ReferenceSet

FOLDER = "profiles"
NAME_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A person's calibration and reference sets, as they were last measured."""

    schema: Literal["emgmon.profile/1"] = "emgmon.profile/1"
    calibration: Calibration | None = None
    references: tuple[ReferenceSet, ...] = ()
    """The newest of each exercise."""
    placement: int = 1
    """Counts how often electrodes were put on this person."""

    def find_reference(self, exercise: str | None) -> ReferenceSet | None:
        """Look up the reference set of an exercise."""
        return next((one for one in self.references if one.exercise == exercise), None)

    def with_reference(self, reference: ReferenceSet) -> "Profile":
        """Put a reference set in the place of the older one of its exercise."""
        kept = {one.exercise: one for one in self.references} | {reference.exercise: reference}
        return msgspec.structs.replace(self, references=tuple(kept.values()))

    def with_calibration(self, calibration: Calibration) -> "Profile":
        """Put a calibration in the place of the older one; its electrodes are worn from now on."""
        placement = self.placement if calibration.placement is None else calibration.placement
        return msgspec.structs.replace(self, calibration=calibration, placement=placement)

    def with_new_electrodes(self) -> "Profile":
        """Count one more placement of electrodes, which ends the calibration."""
        return msgspec.structs.replace(self, calibration=None, placement=self.placement + 1)


def profile_path(name: str) -> Path:
    """Where the profile of a person is, whether or not it is there.

    Raises
    ------
    ProfileError
        When the name cannot be that of a file.
    """
    if not NAME_FORM.fullmatch(name):
        raise ProfileError(
            f"{name!r} cannot be the name of a profile",
            advice="Use letters, digits, - and _; a short name that only you know will do.",
        )
    return data_folder() / FOLDER / f"{name}.json"


def load_profile(name: str) -> Profile | None:
    """Read a profile; ``None`` when there is none of that name.

    Raises
    ------
    ProfileError
        When the name cannot be one, or the file cannot be read or used.
    """
    path = profile_path(name)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Profile)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProfileError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProfileError(
            f"{path} is no profile: {error}", advice="Move it away; the next reference makes a new one."
        ) from error


def known_profile(name: str) -> Profile:
    """Read a profile that has to be there.

    Raises
    ------
    ProfileError
        When there is none of that name, or it cannot be used.
    """
    profile = load_profile(name)
    if profile is None:
        raise ProfileError(
            f"there is no profile {name!r}",
            advice=f"Make one first, for example: emgmon calibrate REC ... --profile {name}",
        )
    return profile


def save_profile(name: str, profile: Profile) -> Path:
    """Write a profile; the old one is there until the new one is whole.

    Raises
    ------
    ProfileError
        When the disk does not take it.
    """
    path = profile_path(name)
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(profile), indent=2) + b"\n")
        beside.replace(path)
    except OSError as error:
        raise ProfileError(f"{path} cannot be written: {error.strerror}") from error
    return path
