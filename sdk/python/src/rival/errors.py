"""What goes wrong, with its place."""
from __future__ import annotations

from typing import Optional


class RivalError(Exception):
    """Anything that this package refuses: what, where, and what would help."""


class MissingPackage(RivalError):
    """A package that is needed for what was asked is not installed."""

    def __init__(self, package: str, what: str, install: Optional[str] = None) -> None:
        super().__init__(
            f"{what} needs the Python package {package}, which this Python does not have; "
            f"`python -m pip install {install or package}` installs it"
        )


class GameError(RivalError):
    """The rules of a game broke a promise, or raised. `match`, `step` and `seat` say where; -1: of none."""

    def __init__(self, where: str, what: str, match: int = -1, step: int = -1, seat: int = -1) -> None:
        self.where, self.what, self.match, self.step, self.seat = where, what, match, step, seat
        place = [where]
        place += [f"{name} {number}" for name, number in (("match", match), ("step", step), ("seat", seat)) if number >= 0]
        super().__init__(", ".join(place) + ": " + what)
