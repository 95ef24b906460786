"""What a game is, as data: the counterpart of `Spec` in include/rival/game.hpp."""
from __future__ import annotations

import enum
import math
import re
from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Sequence, Set, Tuple, Union

import numpy as np

from .errors import RivalError

_LONGEST_NAME = 64
_LARGEST_VALUE = 1e9


class Status(enum.IntEnum):
    """Of a match. TRUNCATED: cut short by a limit that players do not see; nothing is known of what would have followed."""

    RUNNING = 0
    FINISHED = 1
    TRUNCATED = 2


RUNNING, FINISHED, TRUNCATED = Status.RUNNING, Status.FINISHED, Status.TRUNCATED


@dataclass(frozen=True)
class ObservationPart:
    name: str
    kind: str  # vector, grid or entities
    channels: int
    height: int
    width: int

    @property
    def size(self) -> int:
        return self.channels * self.height * self.width

    @property
    def shape(self) -> Tuple[int, ...]:
        if self.kind == "vector":
            return (self.width,)
        if self.kind == "entities":
            return (self.height, self.width)
        return (self.channels, self.height, self.width)


@dataclass(frozen=True)
class ActionPart:
    name: str
    kind: str  # discrete, target or continuous
    size: int
    low: float = -1.0
    high: float = 1.0
    entities: Union[int, str] = -1  # of a target: the observation part, by number or name
    when_part: Union[int, str] = -1
    when_choices: Tuple[int, ...] = ()

    @property
    def is_choice(self) -> bool:
        return self.kind != "continuous"

    def when(self, part: Union[int, str], choices: Sequence[int]) -> "ActionPart":
        """The same part, to count only along with these choices of an earlier discrete part, by number or name."""
        return replace(self, when_part=part, when_choices=tuple(int(c) for c in choices))


def vector(name: str, size: int) -> ObservationPart:
    """`size` numbers."""
    return ObservationPart(name, "vector", 1, 1, int(size))


def grid(name: str, channels: int, height: int, width: int) -> ObservationPart:
    """`channels` planes of height x width: an array [channels, height, width]."""
    return ObservationPart(name, "grid", int(channels), int(height), int(width))


def entities(name: str, count: int, features: int) -> ObservationPart:
    """Up to `count` rows of `features` numbers, the first of which is 1; rows that are missing are zero."""
    return ObservationPart(name, "entities", 1, int(count), int(features))


def discrete(name: str, choices: int) -> ActionPart:
    """One of `choices`, numbered from 0."""
    return ActionPart(name, "discrete", int(choices))


def continuous(name: str, size: int = 1, low: float = -1.0, high: float = 1.0) -> ActionPart:
    """`size` numbers from `low` to `high`."""
    return ActionPart(name, "continuous", int(size), float(low), float(high))


def target(name: str, entities: Union[int, str], count: int) -> ActionPart:
    """One of the `count` entities of an observation part, named or numbered."""
    return ActionPart(name, "target", int(count), entities=entities)


@dataclass(frozen=True)
class Parameter:
    """A number of the rules that may be tuned, from low to high; with a step above 0 only low, low + step, ..."""

    name: str
    value: float
    low: float
    high: float
    description: str = ""
    step: float = 0.0


@dataclass(frozen=True)
class Choice:
    """What each seat picks before the match."""

    name: str
    options: Tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", tuple(self.options))


@dataclass
class Spec:
    name: str
    observation: List[ObservationPart]
    action: List[ActionPart]
    description: str = ""
    source: str = ""
    seats: int = 1
    teams: List[int] = field(default_factory=list)
    parameters: List[Parameter] = field(default_factory=list)
    choices: List[Choice] = field(default_factory=list)
    simultaneous: bool = False
    hidden_information: bool = False
    max_steps: int = 0
    seconds_per_step: float = 0.0

    def __post_init__(self) -> None:
        self.observation, self.action = list(self.observation), list(self.action)
        self.teams, self.parameters, self.choices = list(self.teams), list(self.parameters), list(self.choices)

    @property
    def team_count(self) -> int:
        return max(self.teams) + 1 if self.teams else self.seats

    def team_of(self, seat: int) -> int:
        return self.teams[seat] if self.teams else seat

    @property
    def rows_per_match(self) -> int:
        return self.seats if self.simultaneous else 1

    def observation_number(self, part: Union[int, str]) -> int:
        return _number_of("observation", self.observation, part, self.name)

    def action_number(self, part: Union[int, str]) -> int:
        return _number_of("action", self.action, part, self.name)

    def validate(self) -> "Spec":
        """Itself; raises RivalError with the first field that makes no sense."""
        who = f"game '{self.name}': "
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:\-]{0,63}", self.name or ""):
            raise RivalError(
                f"a game's Spec has the name '{self.name}'; it names folders too, so it may hold up to {_LONGEST_NAME} "
                "letters, digits and the signs _ - . : and begins with a letter or digit, as in 'my_game'"
            )
        if not 1 <= self.seats <= 64:
            raise RivalError(f"{who}seats must be 1 to 64, is {self.seats}")
        if self.teams and (len(self.teams) != self.seats or sorted(set(self.teams)) != list(range(max(self.teams) + 1))):
            raise RivalError(f"{who}teams must name a team for every seat, numbered 0, 1, 2... without a gap")
        if "\n" in self.description:
            raise RivalError(f"{who}description must be one line")
        if self.max_steps < 0:
            raise RivalError(f"{who}max_steps must not be negative")
        if not self.observation:
            raise RivalError(f"{who}observation has no parts: players would see nothing")
        if not self.action:
            raise RivalError(f"{who}action has no parts: players could do nothing")
        for kind, parts, type_, made_by in (
            ("observation", self.observation, ObservationPart, "vector(), grid() or entities()"),
            ("action", self.action, ActionPart, "discrete(), continuous() or target()"),
        ):
            for part in parts:
                if not isinstance(part, type_):
                    raise RivalError(f"{who}{kind} holds {part!r}; make its parts with {made_by}")
        for kind, named in (
            ("observation part", self.observation),
            ("action part", self.action),
            ("parameter", self.parameters),
            ("choice", self.choices),
        ):
            seen: Set[str] = set()
            for one in named:
                if not one.name or len(one.name) > _LONGEST_NAME or re.search(r"[=\x00-\x1f\x7f]", one.name):
                    raise RivalError(
                        f"{who}{kind} {len(seen)} needs a name of 1 to {_LONGEST_NAME} characters without '=' and line breaks"
                    )
                if one.name in seen:
                    raise RivalError(f"{who}there are two of the name '{one.name}' among each {kind}")
                seen.add(one.name)
        for part in self.observation:
            if min(part.channels, part.height, part.width) < 1:
                raise RivalError(f"{who}observation part '{part.name}' has no cells")
        for number, part in enumerate(self.action):
            if part.size < 1:
                raise RivalError(f"{who}action part '{part.name}' has size {part.size}")
            if part.kind == "continuous" and not -_LARGEST_VALUE <= part.low < part.high <= _LARGEST_VALUE:
                raise RivalError(
                    f"{who}action part '{part.name}' needs a low below its high, both within -1e9 to 1e9, "
                    f"has {part.low} and {part.high}"
                )
            if part.kind == "target":
                of = self.observation[self.observation_number(part.entities)]
                if of.kind != "entities" or of.height != part.size:
                    raise RivalError(
                        f"{who}action part '{part.name}' has {part.size} targets among '{of.name}', which is not a part "
                        f"of as many entities"
                    )
            if part.when_choices:
                on = self.action_number(part.when_part)
                if on >= number or not self.action[on].is_choice or self.action[on].size > 64:
                    raise RivalError(
                        f"{who}action part '{part.name}' may only depend on an earlier choice among at most 64"
                    )
                if not all(0 <= c < self.action[on].size for c in part.when_choices):
                    raise RivalError(
                        f"{who}action part '{part.name}' depends on choices that '{self.action[on].name}' does not have"
                    )
        for parameter in self.parameters:
            if not all(map(math.isfinite, (parameter.low, parameter.value, parameter.high))) or not (
                parameter.low <= parameter.value <= parameter.high
            ):
                raise RivalError(f"{who}parameter '{parameter.name}': its default is outside low to high")
        for choice in self.choices:
            if not choice.options:
                raise RivalError(f"{who}choice '{choice.name}' has no options")
        return self

    def to_json(self) -> Dict[str, Any]:
        """The JSON of `rival games NAME --json`, with the team of each seat."""
        action = []
        for part in self.action:
            json: Dict[str, Any] = {"name": part.name, "kind": part.kind, "size": part.size}
            if part.kind == "continuous":
                json.update(low=part.low, high=part.high)
            if part.kind == "target":
                json["entities"] = self.observation[self.observation_number(part.entities)].name
            if part.when_choices:
                json["when_part"] = self.action_number(part.when_part)
                json["when_choices"] = list(part.when_choices)
            action.append(json)
        json = {
            "name": self.name,
            "description": self.description,
            "source": self.source,
            "seats": self.seats,
            "simultaneous": self.simultaneous,
            "hidden_information": self.hidden_information,
            "max_steps": self.max_steps,
            "seconds_per_step": self.seconds_per_step,
            "observation": [
                {"name": p.name, "kind": p.kind, "channels": p.channels, "height": p.height, "width": p.width}
                for p in self.observation
            ],
            "action": action,
            "parameters": [
                {
                    "name": p.name,
                    "value": p.value,
                    "low": p.low,
                    "high": p.high,
                    "step": p.step,
                    "description": p.description,
                }
                for p in self.parameters
            ],
            "choices": [{"name": c.name, "options": list(c.options)} for c in self.choices],
        }
        if self.teams:
            json["teams"] = list(self.teams)
        return json

    @staticmethod
    def from_json(json: Dict[str, Any]) -> "Spec":
        observation = [
            ObservationPart(p["name"], p["kind"], p["channels"], p["height"], p["width"]) for p in json["observation"]
        ]
        action = []
        for p in json["action"]:
            part = ActionPart(
                p["name"], p["kind"], p["size"], p.get("low", -1.0), p.get("high", 1.0), p.get("entities", -1)
            )
            if p.get("when_choices"):
                part = part.when(p["when_part"], p["when_choices"])
            action.append(part)
        # The team of each seat; `teams`, if it is no list, is but their number.
        teams = json.get("team_of", json.get("teams"))
        if teams == list(range(json.get("seats", 1))):
            teams = []
        return Spec(
            name=json["name"],
            observation=observation,
            action=action,
            description=json.get("description", ""),
            source=json.get("source", ""),
            seats=json.get("seats", 1),
            teams=teams if isinstance(teams, list) else [],
            parameters=[
                Parameter(p["name"], p["value"], p["low"], p["high"], p.get("description", ""), p.get("step", 0.0))
                for p in json.get("parameters", [])
            ],
            choices=[Choice(c["name"], c["options"]) for c in json.get("choices", [])],
            simultaneous=json.get("simultaneous", False),
            hidden_information=json.get("hidden_information", False),
            max_steps=json.get("max_steps", 0),
            seconds_per_step=json.get("seconds_per_step", 0.0),
        )


def _number_of(kind: str, parts: Sequence[Any], part: Union[int, str], game: str) -> int:
    if isinstance(part, str):
        for number, one in enumerate(parts):
            if one.name == part:
                return number
    elif 0 <= part < len(parts):
        return int(part)
    raise RivalError(f"game '{game}': there is no {kind} part {part!r}; it has {', '.join(p.name for p in parts)}")


class Layout:
    """Where the parts of a row begin, as `RowLayout` in include/rival/game.hpp."""

    def __init__(self, spec: Spec) -> None:
        self.observation_offset: List[int] = []
        self.mask_offset: List[int] = []  # per action part; where a continuous one would be
        self.choice_index: List[int] = []  # -1: continuous
        self.value_offset: List[int] = []  # -1: a choice
        self.observation_size = self.mask_size = self.choice_count = self.value_count = 0
        for part in spec.observation:
            self.observation_offset.append(self.observation_size)
            self.observation_size += part.size
        for action in spec.action:
            self.mask_offset.append(self.mask_size)
            self.choice_index.append(self.choice_count if action.is_choice else -1)
            self.value_offset.append(-1 if action.is_choice else self.value_count)
            if action.is_choice:
                self.mask_size += action.size
                self.choice_count += 1
            else:
                self.value_count += action.size


class Settings:
    """How a match is set up: `settings.NAME` or `settings["NAME"]` is a parameter, `settings.picks["CHOICE"][seat]` the
    number of the option that the seat picked, or -1: the rules draw one."""

    __slots__ = ("parameters", "picks")

    def __init__(self, spec: Spec, parameters: np.ndarray, picks: np.ndarray) -> None:
        self.parameters = {p.name: float(v) for p, v in zip(spec.parameters, parameters)}
        rows = np.asarray(picks, np.int32).reshape(-1, spec.seats).tolist()
        self.picks = {c.name: row for c, row in zip(spec.choices, rows)}

    def __getitem__(self, name: str) -> float:
        return self.parameters[name]

    def __getattr__(self, name: str) -> float:
        try:
            return object.__getattribute__(self, "parameters")[name]
        except KeyError:
            raise AttributeError(f"there is no parameter '{name}'; there are: {', '.join(self.parameters)}") from None


def plain_name(text: str) -> str:
    """A name that Rival takes: `gym:CartPole-v1` becomes gym_cartpole_v1."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return name[:_LONGEST_NAME].rstrip("_") or "game"
