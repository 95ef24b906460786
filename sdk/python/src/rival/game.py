"""A game as a class in Python, and the batch that plays many matches of it."""
from __future__ import annotations

import copy
import inspect
import json
import re
from collections.abc import Mapping
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Union, cast

import numpy as np

from .batch import Batch
from .errors import GameError, RivalError
from .spec import FINISHED, RUNNING, ActionPart, Choice, ObservationPart, Parameter, Settings, Spec, Status

_REQUIRED = ("reset", "to_act", "observe", "step", "status")


class Game:
    """The base of a game: what its players see and do stands in the class, the state of one match in the object.

        class TwentyOne(rival.Game):
            '''Say 1, 2 or 3; who reaches 21 wins'''
            seats = 2
            observation = [rival.vector("sum", 22)]
            action = [rival.discrete("number", 3)]
            max_steps = 21

            def reset(self, seed, settings): self.sum, self.mover = 0, 0
            def to_act(self): return self.mover
            def observe(self, seat): return numpy.eye(22)[self.sum]
            def legal(self, seat): return [c for c in range(3) if self.sum + c < 21]
            def step(self, actions): self.sum += actions[self.mover] + 1; self.mover = 1 - self.mover
            def status(self): return rival.FINISHED if self.sum == 21 else rival.RUNNING
            def result(self, team): return -1 if team == self.mover else 1

    Members:

        reset(seed, settings)    starts a match; `self.random`, a numpy Generator made from the seed, draws all its chance
        to_act()                 the seat that must act now, or a sequence of them in a simultaneous game
        observe(seat)            what a seat sees: an array, or a dict of one per part. observe(seat, out) instead writes
                                 into out["part"], views that arrive zeroed
        step(actions)            actions[seat] is a number for one discrete part, an array for one continuous part, else
                                 a dict by part. Returns the rewards: None, a number in games of one seat, a sequence per
                                 seat, or a dict by seat
        status()                 rival.RUNNING, FINISHED or TRUNCATED
        legal(seat)              optional: the allowed choices as whole numbers, or a mask as bools; with several parts a
                                 dict, in which parts that are left out allow everything
        result(team)             optional: the outcome of a finished match for a team
        playing()                optional: the seats that take part in the match
        text(), seat_text(seat), action_text(seat, choice)    optional, for people
        stage(), scene()         optional: what `rival watch` draws (docs/formats/scene.md), as what JSON can hold

    The same seed and actions must give the same match; so chance comes from the seed alone.
    """

    name: str = ""  # the class's, in lower_case_with_underscores, if it is empty
    description: str = ""  # the first line of the class's documentation, if it is empty
    source: str = ""
    seats: int = 1
    teams: Sequence[int] = ()
    observation: Sequence[ObservationPart] = ()
    action: Sequence[ActionPart] = ()
    parameters: Sequence[Parameter] = ()
    choices: Sequence[Choice] = ()
    simultaneous: bool = False
    hidden_information: bool = False
    max_steps: int = 0
    seconds_per_step: float = 0.0

    @classmethod
    def spec(cls) -> Spec:
        return Spec(
            name=cls.name or re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower(),
            description=cls.description or _first_line(cls.__doc__),
            source=cls.source,
            seats=cls.seats,
            teams=list(cls.teams),
            observation=_as_list(cls.observation),
            action=_as_list(cls.action),
            parameters=_as_list(cls.parameters),
            choices=_as_list(cls.choices),
            simultaneous=cls.simultaneous,
            hidden_information=cls.hidden_information,
            max_steps=cls.max_steps,
            seconds_per_step=cls.seconds_per_step,
        )

    @property
    def random(self) -> np.random.Generator:
        """The match's chance, made from its seed when first asked for."""
        made = self.__dict__.get("_random")
        if made is None:
            made = self.__dict__["_random"] = np.random.default_rng(self.__dict__.get("_seed", 0))
        return made


def _first_line(text: Optional[str]) -> str:
    return text.strip().split("\n")[0].strip() if text else ""


def _as_list(parts: Any) -> List[Any]:
    return list(parts) if isinstance(parts, (list, tuple)) else [parts]


class GameBatch(Batch):
    """Many matches of `game`, a class derived from Game, in one loop."""

    def __init__(self, game: Any, matches: int) -> None:
        who = self.who = game.__name__
        missing = [name for name in _REQUIRED if not callable(getattr(game, name, None))]
        if missing:
            raise RivalError(f"{who} has no {missing[0]}(); a game needs " + ", ".join(f"{n}()" for n in _REQUIRED))
        try:
            spec = game.spec()
            spec.validate()
        except RivalError:
            raise
        except Exception as error:
            raise RivalError(f"{who}: its spec cannot be made: {type(error).__name__}: {error}") from error
        optional = {
            name: callable(getattr(game, method, None))
            for name, method in (
                ("result", "result"),
                ("legal", "legal"),
                ("playing", "playing"),
                ("text", "text"),
                ("seat_text", "seat_text"),
                ("action_text", "action_text"),
                ("scene", "scene"),
            )
        }
        super().__init__(spec, matches, copy=True, **optional)
        try:
            self.games: List[Any] = [game() for _ in range(matches)]
        except Exception as error:
            raise GameError(f"{who}()", f"{type(error).__name__}: {error}") from error
        self._writes = len(inspect.signature(game.observe).parameters) > 2
        self._finished: List[int] = []
        layout = self.layout
        self._observed = [
            (p.name, first, first + p.size, p) for p, first in zip(spec.observation, layout.observation_offset)
        ]
        self._masked = [
            (p.name, first, first + p.size)
            for p, first in zip(spec.action, layout.mask_offset)
            if p.is_choice
        ]
        self._action = self._action_maker()

    # ---- the interface of a batch ----

    def start(self, matches: np.ndarray, parameters: np.ndarray, picks: np.ndarray, keys: np.ndarray) -> None:
        settings = Settings(self.spec, parameters, picks)
        for m, key in zip(np.asarray(matches).tolist(), np.asarray(keys).tolist()):
            game = self.games[m]
            game.__dict__.pop("_random", None)
            game.__dict__["_seed"] = key
            self.steps[m] = 0
            try:
                game.reset(key, settings)
            except Exception as error:
                raise self._raised("reset()", m, error) from error
            self.status[m] = self._status(m)

    def observe(self, observations: np.ndarray, masks: np.ndarray, seats: np.ndarray) -> None:
        observations[...] = 0
        legal = self.has["legal"]
        masks[...] = 0 if legal else 1
        seats[...] = -1
        simultaneous = self.spec.simultaneous
        per_match = self.rows_per_match
        for m in range(self.matches):
            if self.status[m] != RUNNING:
                continue
            for seat in self._to_act(m):
                row = m * per_match + (seat if simultaneous else 0)
                seats[row] = seat
                self._observe(m, seat, observations[row])
                if legal:
                    self._legal(m, seat, masks[row])
        if not np.isfinite(observations).all():
            self._refuse_row(observations, seats)

    def step(self, choices: np.ndarray, values: np.ndarray, rewards: np.ndarray, status: np.ndarray) -> None:
        rewards[...] = 0
        self._finished = []
        per_match = self.rows_per_match
        simultaneous = self.spec.simultaneous
        all_choices = choices.tolist()
        make = self._action
        for m, game in enumerate(self.games):
            if self.status[m] != RUNNING:
                continue
            first = m * per_match
            acting = self._to_act(m)
            actions = {}
            for seat in acting:
                row = first + (seat if simultaneous else 0)
                actions[seat] = make(all_choices[row], values[row])
            try:
                given = game.step(actions)
            except Exception as error:
                raise self._raised("step()", m, error) from error
            if given is not None:
                self._rewards(m, given, rewards[m])
            self.steps[m] += 1
            now = self.status[m] = self._status(m)
            if now == FINISHED:
                self._finished.append(m)
        if not np.isfinite(rewards).all():
            m, seat = (int(i) for i in np.argwhere(~np.isfinite(rewards))[0])
            raise self._broken("step()", f"the reward is {rewards[m, seat]}", m, seat)
        status[...] = self.status

    def results(self, results: np.ndarray) -> None:
        if not self.has["result"]:
            return
        for m in self._finished:
            for team in range(self.spec.team_count):
                try:
                    results[m, team] = value = float(self.games[m].result(team))
                except Exception as error:
                    raise self._raised("result()", m, error) from error
                if not np.isfinite(value):
                    raise self._broken("result()", f"the result of team {team} is {value}", m)

    def playing(self, match: int) -> List[int]:
        if not self.has["playing"]:
            return super().playing(match)
        return self._seats(match, "playing()", lambda game: game.playing())

    def observe_seat(self, match: int, seat: int, observation: np.ndarray, mask: Optional[np.ndarray] = None) -> None:
        observation[...] = 0
        self._observe(match, seat, observation)
        if mask is not None:
            mask[...] = 0 if self.has["legal"] else 1
            if self.has["legal"]:
                self._legal(match, seat, mask)

    def text(self, match: int) -> str:
        return self._text("text", match)

    def seat_text(self, match: int, seat: int) -> str:
        return self._text("seat_text", match, seat) if self.has["seat_text"] else super().seat_text(match, seat)

    def action_text(self, match: int, seat: int, choice: int) -> str:
        return self._text("action_text", match, seat, choice) if self.has["action_text"] else str(choice)

    def stage(self, match: int) -> str:
        return self._drawn("stage", match) if callable(getattr(self.games[match], "stage", None)) else ""

    def scene(self, match: int) -> str:
        return self._drawn("scene", match) if self.has["scene"] else ""

    def copy(self, match: int, into: int, key: Optional[int] = None, source: Optional[Batch] = None) -> bool:
        other = self if source is None else cast(GameBatch, source)
        self.games[into] = copied = copy.deepcopy(other.games[match])
        self.status[into], self.steps[into] = other.status[match], other.steps[match]
        if key is not None:
            copied.__dict__["_seed"] = key
            copied.__dict__.pop("_random", None)
        return True

    # ---- one member of one match, with what may be wrong about it ----

    def _broken(self, method: str, what: str, match: int, seat: int = -1) -> GameError:
        return GameError(f"{self.who}.{method}", what, match, self.steps[match], seat)

    def _raised(self, method: str, match: int, error: Exception, seat: int = -1) -> GameError:
        if isinstance(error, GameError):
            return error
        at = ""
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        if frame is not None:
            at = f" ({frame.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}, line {frame.tb_lineno})"
        return self._broken(method, f"{type(error).__name__}: {error}{at}", match, seat)

    def _status(self, m: int) -> int:
        try:
            status = self.games[m].status()
        except Exception as error:
            raise self._raised("status()", m, error) from error
        if type(status) is Status:  # the usual case
            return status.value
        if isinstance(status, bool) or not isinstance(status, (int, np.integer)) or not 0 <= status <= 2:
            raise self._broken("status()", f"{status!r} is none of rival.RUNNING, FINISHED and TRUNCATED", m)
        return int(status)

    def _to_act(self, m: int) -> Iterable[int]:
        try:
            acting = self.games[m].to_act()
        except Exception as error:
            raise self._raised("to_act()", m, error) from error
        if type(acting) is int and 0 <= acting < self.spec.seats:  # the usual case
            return (acting,)
        return self._checked_seats(m, "to_act()", acting)

    def _seats(self, m: int, method: str, call: Callable[[Any], Any]) -> List[int]:
        try:
            seats = call(self.games[m])
        except Exception as error:
            raise self._raised(method, m, error) from error
        return self._checked_seats(m, method, seats)

    def _checked_seats(self, m: int, method: str, seats: Any) -> List[int]:
        if isinstance(seats, (int, np.integer)) and not isinstance(seats, bool):
            seats = [seats]
        try:
            checked = sorted({int(s) for s in seats})
        except (TypeError, ValueError):
            raise self._broken(method, f"{seats!r} is no seat and no sequence of seats", m) from None
        if not checked:
            raise self._broken(method, "there is no seat, and the match runs", m)
        if checked[0] < 0 or checked[-1] >= self.spec.seats:
            wrong = checked[0] if checked[0] < 0 else checked[-1]
            raise self._broken(method, f"there is no seat {wrong}; the seats are 0 to {self.spec.seats - 1}", m)
        if method == "to_act()" and len(checked) > 1 and not self.spec.simultaneous:
            raise self._broken(method, f"{len(checked)} seats at once, in a game that is not `simultaneous`", m)
        return checked

    def _observe(self, m: int, seat: int, row: np.ndarray) -> None:
        game: Any = self.games[m]
        if self._writes:
            views = {name: row[first:last].reshape(part.shape) for name, first, last, part in self._observed}
            out: Any = _Views(views)
            try:
                game.observe(seat, out)
            except Exception as error:
                raise self._raised("observe()", m, error, seat) from error
            return
        try:
            seen = game.observe(seat)
        except Exception as error:
            raise self._raised("observe()", m, error, seat) from error
        if len(self._observed) == 1 and (type(seen) is np.ndarray or not isinstance(seen, Mapping)):
            self._write(m, seat, row, self._observed[0], seen)
            return
        if not isinstance(seen, Mapping):
            names = ", ".join(repr(o[0]) for o in self._observed)
            raise self._broken(
                "observe()", f"the observation has the parts {names}, so it is a dict of them, not {_kind(seen)}", m, seat
            )
        for observed in self._observed:
            if observed[0] not in seen:
                raise self._broken("observe()", f"observation part '{observed[0]}' is missing", m, seat)
            self._write(m, seat, row, observed, seen[observed[0]])
        if len(seen) > len(self._observed):
            extra = next(name for name in seen if name not in {o[0] for o in self._observed})
            raise self._broken("observe()", f"the spec has no observation part {extra!r}", m, seat)

    def _write(self, m: int, seat: int, row: np.ndarray, observed: Any, value: Any) -> None:
        name, first, last, part = observed
        try:
            array = np.asarray(value, np.float32)
        except (TypeError, ValueError) as error:
            raise self._broken("observe()", f"observation part '{name}' is no array of numbers: {error}", m, seat) from None
        if array.shape == part.shape or array.shape == (last - first,):
            row[first:last] = array.reshape(-1)
        elif part.kind == "entities" and array.ndim == 2 and array.shape[1] == part.width and len(array) <= part.height:
            row[first : first + array.size] = array.reshape(-1)
        elif not (part.kind == "entities" and array.size == 0):
            wanted = f"{part.shape}" + (", or fewer rows" if part.kind == "entities" else "")
            raise self._broken(
                "observe()", f"observation part '{name}' has the shape {array.shape}, should have {wanted}", m, seat
            )

    def _refuse_row(self, observations: np.ndarray, seats: np.ndarray) -> None:
        row, column = (int(i) for i in np.argwhere(~np.isfinite(observations))[0])
        name, first, _, _ = next(o for o in self._observed if o[1] <= column < o[2])
        raise self._broken(
            "observe()",
            f"observation part '{name}' holds {observations[row, column]} at {column - first}",
            row // self.rows_per_match,
            int(seats[row]),
        )

    def _legal(self, m: int, seat: int, row: np.ndarray) -> None:
        game: Any = self.games[m]
        try:
            legal = game.legal(seat)
        except Exception as error:
            raise self._raised("legal()", m, error, seat) from error
        if len(self._masked) == 1 and (type(legal) is list or not isinstance(legal, Mapping)):
            self._allow(m, seat, row, self._masked[0], legal)
            return
        if not isinstance(legal, Mapping):
            names = ", ".join(repr(p[0]) for p in self._masked)
            raise self._broken(
                "legal()", f"the action has the choices {names}, so it is a dict of them, not {_kind(legal)}", m, seat
            )
        for part in self._masked:
            if part[0] in legal:
                self._allow(m, seat, row, part, legal[part[0]])
            else:
                row[part[1] : part[2]] = 1
        for name in legal:
            if name not in {p[0] for p in self._masked}:
                raise self._broken("legal()", f"the spec has no discrete action part {name!r}", m, seat)

    def _allow(self, m: int, seat: int, row: np.ndarray, part: Any, allowed: Any) -> None:
        name, first, last = part
        if type(allowed) is list and allowed:  # the usual case
            size = last - first
            for choice in allowed:
                if type(choice) is not int or not 0 <= choice < size:
                    break
                row[first + choice] = 1
            else:
                return
            row[first:last] = 0
        array = np.asarray(allowed)
        if array.dtype == bool:
            if array.shape != (last - first,):
                raise self._broken(
                    "legal()", f"the mask of '{name}' has the shape {array.shape}, should have {(last - first,)}", m, seat
                )
            row[first:last] = array
            return
        if array.size == 0:
            raise self._broken("legal()", f"nothing is allowed in '{name}'", m, seat)
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise self._broken(
                "legal()",
                f"'{name}' is {_kind(allowed)}; it should be a list of allowed choices (whole numbers) or a mask (bools)",
                m,
                seat,
            )
        if array.min() < 0 or array.max() >= last - first:
            wrong = array.min() if array.min() < 0 else array.max()
            raise self._broken("legal()", f"'{name}' has no choice {wrong}; they are 0 to {last - first - 1}", m, seat)
        row[first + array] = 1

    def _rewards(self, m: int, given: Any, row: np.ndarray) -> None:
        if isinstance(given, Mapping):
            for seat, reward in given.items():
                if not isinstance(seat, (int, np.integer)) or not 0 <= seat < self.spec.seats:
                    raise self._broken("step()", f"a reward is given to {seat!r}, which is no seat", m)
                row[seat] = self._reward(m, reward)
            return
        if np.ndim(given) == 0:
            if self.spec.seats > 1:
                raise self._broken(
                    "step()", f"the rewards are {given!r}; with {self.spec.seats} seats, give one per seat, or a dict", m
                )
            row[0] = self._reward(m, given)
            return
        if len(given) != self.spec.seats:
            raise self._broken("step()", f"there are {len(given)} rewards for {self.spec.seats} seats", m)
        for seat, reward in enumerate(given):
            row[seat] = self._reward(m, reward)

    def _reward(self, m: int, reward: Any) -> float:
        try:
            return float(reward)
        except (TypeError, ValueError):
            raise self._broken("step()", f"the reward {reward!r} is no number", m) from None

    def _text(self, method: str, m: int, *arguments: int) -> str:
        try:
            return str(getattr(self.games[m], method)(*arguments))
        except Exception as error:
            raise self._raised(method + "()", m, error) from error

    def _drawn(self, method: str, m: int) -> str:
        """What a member draws, as the text of JSON."""
        try:
            drawn = getattr(self.games[m], method)()
            return drawn if isinstance(drawn, str) else json.dumps(drawn, default=lambda value: value.tolist())
        except Exception as error:
            raise self._raised(method + "()", m, error) from error

    def _action_maker(self) -> Callable[[List[int], np.ndarray], Any]:
        """(a row of choices, a row of values) -> what step() finds for a seat."""
        parts, layout = self.spec.action, self.layout
        if len(parts) == 1:
            return (lambda choices, values: choices[0]) if parts[0].is_choice else (lambda choices, values: values)
        readers = [
            (p.name, layout.choice_index[i], layout.value_offset[i], layout.value_offset[i] + p.size)
            for i, p in enumerate(parts)
        ]

        def make(choices: List[int], values: np.ndarray) -> Dict[str, Union[int, np.ndarray]]:
            return {name: choices[c] if c >= 0 else values[first:last] for name, c, first, last in readers}

        return make


class _Views(dict):
    """Views by part; assigning to out["part"] writes into the view."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self:
            raise KeyError(f"the spec has no observation part {name!r}")
        view = self[name]
        array = np.asarray(value, np.float32)
        if array.shape not in (view.shape, (view.size,)):
            raise ValueError(f"observation part '{name}' has the shape {array.shape}, should have {view.shape}")
        view[...] = array.reshape(view.shape)


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    return "None" if value is None else f"{type(value).__name__} {str(value)[:40]}"
