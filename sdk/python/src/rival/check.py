"""Plays a batch at random through its masks and checks what Rival relies on, in process and with no Rival there."""
from __future__ import annotations

from typing import Any, Callable, NamedTuple, Optional, Union

import numpy as np

from .batch import Batch
from .errors import RivalError
from .game import Game
from .sources import Source, open_class, open_source
from .spec import FINISHED, RUNNING, TRUNCATED


class Played(NamedTuple):
    """What `play` saw. `digest` is of all that was seen and given: the same for the same seed."""

    matches: int
    finished: int
    truncated: int
    steps: int
    returns: np.ndarray  # [matches x seats] rewards and results
    digest: int


class Rows:
    """The arrays of a batch."""

    def __init__(self, batch: Batch) -> None:
        layout, spec = batch.layout, batch.spec
        self.observations = np.full((batch.rows, layout.observation_size), np.nan, np.float32)
        self.masks = np.full((batch.rows, layout.mask_size), 255, np.uint8)
        self.seats = np.full(batch.rows, 99, np.int8)
        self.choices = np.zeros((batch.rows, layout.choice_count), np.int32)
        self.values = np.zeros((batch.rows, layout.value_count), np.float32)
        self.rewards = np.full((batch.matches, spec.seats), np.nan, np.float32)
        self.status = np.full(batch.matches, 99, np.uint8)
        self.results = np.full((batch.matches, spec.team_count), np.nan, np.float32)


def check_batch(game: Union[str, type, Source, Callable[[int], Batch]], matches: int = 8, seed: int = 1) -> Played:
    """Plays `matches` matches at once, each to its end, twice; raises RivalError at the first broken promise.

    `game`: a name as on the command line, a class, or what makes a batch of so many matches.
    """
    if isinstance(game, str):
        game = open_source(game)
    elif isinstance(game, type) and issubclass(game, Game):
        game = open_class(game)
    first = _play_once(game, matches, seed)
    again = _play_once(game, matches, seed)
    if first.digest != again.digest:
        raise RivalError(
            f"the same seeds and actions gave other matches ({first.steps} and {again.steps} steps in all): all chance has "
            "to come from the seed that reset() is given"
        )
    return first


def _play_once(make: Any, matches: int, seed: int) -> Played:
    batch = make(matches)
    try:
        return play(batch, seed)
    finally:
        batch.close()


def play(
    batch: Batch,
    seed: int = 1,
    act: Optional[Callable[[Rows], None]] = None,
    most_steps: int = 0,
) -> Played:
    """Plays every match of a batch to its end, at random unless `act` fills in rows.choices and rows.values."""
    spec, layout = batch.spec.validate(), batch.layout
    rows = Rows(batch)
    random = np.random.default_rng(seed)
    keys = random.integers(0, 1 << 63, batch.matches, dtype=np.uint64)
    parameters = np.array([p.value for p in spec.parameters], np.float32)
    picks = np.full((len(spec.choices), spec.seats), -1, np.int32)
    batch.start(np.arange(batch.matches, dtype=np.int32), parameters, picks, keys)
    running = np.ones(batch.matches, bool)
    returns = np.zeros((batch.matches, spec.seats))
    most = most_steps or spec.max_steps or 20000
    steps = finished = truncated = digest = taken = 0
    while running.any():
        batch.observe(rows.observations, rows.masks, rows.seats)
        _check_rows(batch, rows, running)
        digest = hash((digest, rows.observations.tobytes(), rows.masks.tobytes(), rows.seats.tobytes()))
        if taken >= most and not most_steps:
            m = int(np.argmax(running))
            raise RivalError(f"{spec.name}, match {m}: it still runs after {taken} steps; max_steps is {spec.max_steps}")
        if taken >= most:
            break
        (act or (lambda r: _act(batch, r, random)))(rows)
        rows.rewards[...], rows.status[...] = 0, 99
        was = running.copy()
        batch.step(rows.choices, rows.values, rows.rewards, rows.status)
        taken += 1
        steps += int(was.sum())
        if not np.isin(rows.status, (int(RUNNING), int(FINISHED), int(TRUNCATED))).all():
            raise RivalError(f"{spec.name}: step() left a status of {rows.status.max()}")
        if not np.isfinite(rows.rewards).all():
            raise RivalError(f"{spec.name}: step() gave a reward that is not finite")
        ended = was & (rows.status != RUNNING)
        returns[was] += rows.rewards[was]
        done = was & (rows.status == FINISHED)
        finished += int(done.sum())
        truncated += int((ended & ~done).sum())
        if batch.has.get("result") and done.any():
            rows.results[...] = np.nan
            batch.results(rows.results)
            if not np.isfinite(rows.results[done]).all():
                raise RivalError(f"{spec.name}: results() gave nothing, or nothing finite, for a match that has finished")
            for m in np.flatnonzero(done).tolist():
                for seat in batch.playing(m):
                    returns[m, seat] += rows.results[m, spec.team_of(seat)]
        for m in np.flatnonzero(ended & ~done).tolist():  # what would have followed is estimated from what is seen now
            for seat in batch.playing(m):
                row = np.full(layout.observation_size, np.nan, np.float32)
                batch.observe_seat(m, seat, row, None)
                if not np.isfinite(row).all():
                    raise RivalError(f"{spec.name}, match {m}, seat {seat}: what it sees after the match was cut is not finite")
        running &= rows.status == RUNNING
        digest = hash((digest, rows.rewards.tobytes(), rows.status.tobytes()))
    return Played(batch.matches, finished, truncated, steps, returns, digest)


def _check_rows(batch: Batch, rows: Rows, running: np.ndarray) -> None:
    spec, per = batch.spec, batch.rows_per_match
    for m in range(batch.matches):
        seats = rows.seats[m * per : (m + 1) * per]
        acting = seats[seats >= 0]
        if running[m] and not len(acting):
            raise RivalError(f"{spec.name}, match {m}: it runs, and no seat is to act")
        if not running[m] and len(acting):
            raise RivalError(f"{spec.name}, match {m}: it has ended, and seat {acting[0]} is to act")
        if len(acting) and acting.max() >= spec.seats:
            raise RivalError(f"{spec.name}, match {m}: there is no seat {acting.max()}")
        if per > 1 and any(s >= 0 and s != i for i, s in enumerate(seats)):
            raise RivalError(f"{spec.name}, match {m}: a row belongs to another seat than its own")
    for r in np.flatnonzero(rows.seats >= 0):
        place = f"{spec.name}, match {r // per}, seat {rows.seats[r]}: "
        if not np.isfinite(rows.observations[r]).all():
            raise RivalError(f"{place}its observation is not finite, or not all of it was written")
        if (rows.masks[r] > 1).any():
            raise RivalError(f"{place}its mask holds {rows.masks[r].max()}, should be 0 and 1")
        for part, first in zip(spec.action, batch.layout.mask_offset):
            if part.is_choice and not rows.masks[r, first : first + part.size].any():
                raise RivalError(f"{place}nothing is allowed in '{part.name}'")


def _act(batch: Batch, rows: Rows, random: np.random.Generator) -> None:
    spec, layout = batch.spec, batch.layout
    for r in np.flatnonzero(rows.seats >= 0):
        for i, part in enumerate(spec.action):
            if part.is_choice:
                first = layout.mask_offset[i]
                allowed = np.flatnonzero(rows.masks[r, first : first + part.size])
                rows.choices[r, layout.choice_index[i]] = random.choice(allowed)
            else:
                first = layout.value_offset[i]
                rows.values[r, first : first + part.size] = random.uniform(part.low, part.high, part.size)
