"""Many matches of one game behind one interface, which the transport and `check_batch` drive.

All arrays belong to the caller and are written in place:

    start(matches[int32], parameters[float32], picks[int32 choices x seats], keys[uint64])
    observe(observations[float32 rows x observation_size], masks[uint8 rows x mask_size], seats[int8 rows])
    step(choices[int32 rows x choice_count], values[float32 rows x value_count], rewards[float32 matches x seats],
         status[uint8 matches])
    results(results[float32 matches x teams])    of the matches that finished in the last step

A turn-based game has a row per match; a simultaneous one has row match * seats + seat. A seat of -1 marks an idle row,
whose data are zero. Matches that have ended, or were never started, stay as they are.
"""
from __future__ import annotations

from typing import Any, Dict, List, Optional

import numpy as np

from .errors import GameError
from .spec import RUNNING, TRUNCATED, Layout, Spec


class Batch:
    """What all batches share. Subclasses fill in the rest."""

    spec: Spec
    has: Dict[str, bool]

    def __init__(self, spec: Spec, matches: int, **has: bool) -> None:
        self.spec, self.matches, self.layout = spec, int(matches), Layout(spec)
        self.has = dict.fromkeys(
            ("result", "legal", "playing", "text", "seat_text", "action_text", "scene", "copy", "resample_hidden"), False
        )
        self.has.update(has)
        self.rows_per_match = spec.rows_per_match
        self.rows = self.matches * self.rows_per_match
        self.status: Any = [int(TRUNCATED)] * self.matches  # numbers; a match that was never started is idle
        self.steps = [0] * self.matches

    def start(self, matches: np.ndarray, parameters: np.ndarray, picks: np.ndarray, keys: np.ndarray) -> None:
        raise NotImplementedError

    def observe(self, observations: np.ndarray, masks: np.ndarray, seats: np.ndarray) -> None:
        raise NotImplementedError

    def step(self, choices: np.ndarray, values: np.ndarray, rewards: np.ndarray, status: np.ndarray) -> None:
        raise NotImplementedError

    def results(self, results: np.ndarray) -> None:
        pass

    def playing(self, match: int) -> List[int]:
        return list(range(self.spec.seats))

    def observe_seat(self, match: int, seat: int, observation: np.ndarray, mask: Optional[np.ndarray] = None) -> None:
        raise NotImplementedError

    def text(self, match: int) -> str:
        return ""

    def seat_text(self, match: int, seat: int) -> str:
        return "" if self.spec.hidden_information else self.text(match)

    def action_text(self, match: int, seat: int, choice: int) -> str:
        return str(choice)

    def stage(self, match: int) -> str:
        return ""

    def scene(self, match: int) -> str:
        return ""

    def copy(self, match: int, into: int, key: Optional[int] = None, source: Optional[Batch] = None) -> bool:
        """Makes match `into` a copy of `match` of `source`, a batch of the same game (None: this one), which goes on by
        itself; with a key it draws its chance from that."""
        return False

    def close(self) -> None:
        pass

    def steps_of(self, match: int) -> int:
        """How many steps a running match has taken."""
        return self.steps[match]

    def running(self) -> List[int]:
        return [m for m, status in enumerate(self.status) if status == RUNNING]

    def refuse_unfinite(self, array: np.ndarray, method: str, who: str) -> None:
        """Raises GameError, with match, seat and part, if a row [rows x observation_size] holds a NaN or an infinity."""
        if np.isfinite(array).all():
            return
        row, column = (int(i) for i in np.argwhere(~np.isfinite(array))[0])
        part = max(i for i, first in enumerate(self.layout.observation_offset) if first <= column)
        where = column - self.layout.observation_offset[part]
        raise GameError(
            f"{who}.{method}",
            f"observation part '{self.spec.observation[part].name}' holds {array[row, column]} at {where}",
            match=row // self.rows_per_match,
            step=self.steps_of(row // self.rows_per_match),
            seat=row % self.rows_per_match if self.rows_per_match > 1 else -1,
        )
