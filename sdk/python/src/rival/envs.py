"""Rival's games as environments of others: `gym_env` for games of one seat, `aec_env` and `parallel_env` for PettingZoo.

    env = rival.envs.gym_env("cartpole")
    env = rival.envs.aec_env("connect_four")
    env = rival.envs.parallel_env("lanes", parameters={"team_size": 1})

The program `rival` plays them in a process of its own (`rival worker GAME`): the one named by `program` or RIVAL_PROGRAM,
else the one on the PATH. `game` is any name that the program takes. `parameters` are the rules' numbers by name, `picks`
what each seat picks, as {"hero": [0, 1, ...]}; what is left out has its default.

Observations are a Box for a game with one part, else a Dict of a Box per part; actions are a Discrete, a Box, or a Dict of
these. A reward is what the step gave, with the result added when the match has finished. After the end of a match by its
rules there is nothing to see: the observation is zero. What is allowed stands in the info as "action_mask" (Gymnasium), or in
the observation as {"observation": ..., "action_mask": ...} (PettingZoo): a byte for each choice of all discrete parts.
"""
from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Sequence

import numpy as np

from ._client import Client
from .errors import MissingPackage, RivalError
from .spec import FINISHED, RUNNING, Spec

Parameters = Optional[Mapping[str, float]]
Picks = Optional[Mapping[str, Sequence[int]]]


def gym_env(
    game: str,
    parameters: Parameters = None,
    picks: Picks = None,
    program: Optional[str] = None,
    render_mode: Optional[str] = None,
) -> Any:
    """A gymnasium.Env of a game of one seat; render_mode "ansi" draws it as text, where the game does."""
    try:
        from ._as_gym import GymEnv
    except ImportError as error:
        raise MissingPackage("gymnasium", "rival.envs.gym_env") from error
    return GymEnv(_Match(game, parameters, picks, program), render_mode)


def aec_env(
    game: str,
    parameters: Parameters = None,
    picks: Picks = None,
    program: Optional[str] = None,
    render_mode: Optional[str] = None,
) -> Any:
    """A pettingzoo.AECEnv of a game, in which agents seat_0, seat_1... act one after another. One of a game in which they
    act at once is the parallel one as PettingZoo converts it."""
    module = _pettingzoo("rival.envs.aec_env")
    match = _Match(game, parameters, picks, program)
    if match.spec.simultaneous:
        from pettingzoo.utils.conversions import parallel_to_aec

        return parallel_to_aec(module.ParallelEnv(match, render_mode))
    return module.TurnsEnv(match, render_mode)


def parallel_env(
    game: str,
    parameters: Parameters = None,
    picks: Picks = None,
    program: Optional[str] = None,
    render_mode: Optional[str] = None,
) -> Any:
    """A pettingzoo.ParallelEnv of a game whose seats act at once. A seat that need not act (dead, waiting) stays an agent:
    its mask allows the first choice, and its action is ignored."""
    module = _pettingzoo("rival.envs.parallel_env")
    match = _Match(game, parameters, picks, program)
    if not match.spec.simultaneous and match.spec.seats > 1:
        match.close()
        raise RivalError(f"in '{game}' seats act in turn: use rival.envs.aec_env")
    return module.ParallelEnv(match, render_mode)


def _pettingzoo(what: str) -> Any:
    try:
        from . import _as_pettingzoo
    except ImportError as error:
        raise MissingPackage("pettingzoo", what) from error
    return _as_pettingzoo


class _Match:
    """One match after another of a game in another process, and its rows in the terms of environments."""

    def __init__(self, game: str, parameters: Parameters, picks: Picks, program: Optional[str]) -> None:
        self._client = Client(game, 1, program)
        self.game, self.spec, self.layout = game, self._client.spec, self._client.layout
        self.has_text = bool(self._client.has.get("text"))
        self.masked = self.layout.mask_size > 0
        self._settings = self._checked(parameters, picks)
        self.running = False

    def start(self, key: int, options: Optional[Mapping[str, Any]]) -> None:
        settings = self._settings
        if options:
            settings = self._checked(options.get("parameters"), options.get("picks"))
        self._client.start([0], [key], *settings)
        self.running = self.status == RUNNING

    def step(self, actions: Mapping[int, Any]) -> np.ndarray:
        """Steps with the actions of the seats that act; gives what each seat gained."""
        choices = np.zeros((self._client.rows, self.layout.choice_count), np.int32)
        values = np.zeros((self._client.rows, self.layout.value_count), np.float32)
        for seat, action in actions.items():
            self._put(action, self._row(seat), choices, values)
        self._client.step(choices, values)
        self.running = self.status == RUNNING
        gained = np.array(self._client.rewards[0], np.float64)
        if self.status == FINISHED and self._client.has.get("result"):
            for seat in self.playing():
                gained[seat] += self._client.results[0, self.spec.team_of(seat)]
        return gained

    @property
    def status(self) -> int:
        return int(self._client.status[0])

    def playing(self) -> Any:
        bits = int(self._client.playing[0])
        return [seat for seat in range(self.spec.seats) if bits >> seat & 1]

    def acting(self) -> Any:
        return [int(s) for s in self._client.seats if s >= 0]

    def observation(self, seat: int) -> Any:
        if self.status == FINISHED:
            row = np.zeros(self.layout.observation_size, np.float32)
        elif seat in self.acting():
            row = self._client.observations[self._row(seat)]
        else:
            row = self._client.observe_seat(0, seat)
        parts = {
            p.name: row[first : first + p.size].reshape(p.shape).copy()
            for p, first in zip(self.spec.observation, self.layout.observation_offset)
        }
        return next(iter(parts.values())) if len(parts) == 1 else parts

    def mask(self, seat: int) -> np.ndarray:
        """Of a seat that does not act: only the first choice of each part."""
        if seat in self.acting():
            return self._client.masks[self._row(seat)].astype(np.int8)
        mask = np.zeros(self.layout.mask_size, np.int8)
        mask[[first for p, first in zip(self.spec.action, self.layout.mask_offset) if p.is_choice]] = 1
        return mask

    def text(self) -> str:
        return self._client.text(0)

    def close(self) -> None:
        self._client.close()

    def _row(self, seat: int) -> int:
        return seat if self.spec.simultaneous else 0

    def _put(self, action: Any, row: int, choices: np.ndarray, values: np.ndarray) -> None:
        several = len(self.spec.action) > 1
        for number, part in enumerate(self.spec.action):
            own = action[part.name] if several else action
            if part.is_choice:
                choices[row, self.layout.choice_index[number]] = int(own)
            else:
                first = self.layout.value_offset[number]
                clipped = np.clip(np.asarray(own, np.float32).reshape(-1), np.float32(part.low), np.float32(part.high))
                values[row, first : first + part.size] = clipped

    def _checked(self, parameters: Parameters, picks: Picks) -> Any:
        spec: Spec = self.spec
        known = {p.name: p.value for p in spec.parameters}
        for name, value in (parameters or {}).items():
            if name not in known:
                raise RivalError(f"game '{self.game}' has no parameter '{name}'; it has {', '.join(known) or 'none'}")
            known[name] = float(value)
        options = {c.name: [-1] * spec.seats for c in spec.choices}
        for name, seats in (picks or {}).items():
            if name not in options or len(seats) != spec.seats:
                raise RivalError(f"game '{self.game}': picks are {', '.join(options) or 'none'}, of {spec.seats} seats each")
            options[name] = [int(s) for s in seats]
        return list(known.values()), [pick for seats in options.values() for pick in seats]
