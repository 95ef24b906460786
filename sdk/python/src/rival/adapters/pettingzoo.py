"""Environments of PettingZoo as games: `pettingzoo:FAMILY/NAME[?key=value&...]`, or any module with env() or parallel_env().

The keys are arguments of the environment, but for rival.api=aec|parallel, rival.teams=one or 0,0,1 (a team for each agent),
rival.result=true|false (whether the sum of its rewards is a match's result), rival.hidden=true|false (whether agents do not
see all there is), rival.seat=false (agents are not shown which one they are) and rival.channels=first|last (of pictures).
"""
from __future__ import annotations

import importlib
import re
import warnings
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from ..batch import Batch
from ..errors import GameError, MissingPackage, RivalError
from ..sources import split_options
from ..spec import FINISHED, RUNNING, TRUNCATED, ActionPart, ObservationPart, Spec, discrete, plain_name, vector

try:
    import pettingzoo
    from pettingzoo.utils.conversions import aec_to_parallel_wrapper
    from pettingzoo.utils.wrappers import AssertOutOfBoundsWrapper, OrderEnforcingWrapper, TerminateIllegalWrapper
except ImportError as error:
    raise MissingPackage("pettingzoo", "an environment of PettingZoo") from error
try:
    from .spaces import Actor, Observer, write_mask
except ImportError as error:
    raise MissingPackage("gymnasium", "an environment of PettingZoo") from error

# Of its own environments those in which agents do not see all there is.
_HIDDEN = ("gin_rummy", "hanabi", "leduc_holdem", "rps", "texas_holdem", "texas_holdem_no_limit")
_OWN = ("api", "channels", "hidden", "result", "seat", "teams")


class _Kind:
    """What agents with the same spaces see and do."""

    def __init__(self, agent: str, spaces: Tuple[Any, Any], who: str, channels: str) -> None:
        self.agents = [agent]
        self.spaces = spaces
        observation, action = spaces
        inside = getattr(observation, "spaces", None)
        self.masked = isinstance(inside, dict) and "action_mask" in inside
        self.observer = Observer(observation, f"{who}, agent {agent}", channels, ["action_mask"] if self.masked else [])
        self.actor = Actor(action, f"{who}, agent {agent}")
        self.first = 0  # where its parts begin in a row

    def named(self, parts: Sequence[ObservationPart], alone: bool) -> List[ObservationPart]:
        if alone:
            return list(parts)
        return [ObservationPart(f"{self.agents[0]}.{p.name}"[:64], p.kind, p.channels, p.height, p.width) for p in parts]


class PettingZooBatch(Batch):
    """Many environments of one kind, in one loop; each possible agent is a seat.

    With the parallel API all agents that are there act at once, with the AEC API one after another. Agents may leave and
    come; a match ends when all have: it was truncated if one that was there to the end was. Environments that only have
    the AEC API are games of turns, in which the sum of an agent's rewards is the result of the match; in the others
    rewards are passed on as they come. Agents with other spaces have observation parts of their own; of discrete
    actions those with fewer choices are masked.
    """

    def __init__(self, name: str, matches: int) -> None:
        identity, options = split_options(name)
        who = self.who = f"pettingzoo:{identity}"
        own = {key[6:]: options.pop(key) for key in list(options) if key.startswith("rival.")}
        for key in own:
            if key not in _OWN:
                raise RivalError(f"{who}: there is no rival.{key}; there are " + ", ".join("rival." + k for k in _OWN))
        module = _module(identity, who)
        has_parallel = hasattr(module, "parallel_env")
        self.parallel = own.get("api", "parallel" if has_parallel else "aec") == "parallel"
        make = getattr(module, "parallel_env" if self.parallel else "env", None)
        if make is None:
            raise RivalError(f"{who}: it has no {'parallel_env' if self.parallel else 'env'}()")
        self._made = [_made(make, options, who) for _ in range(max(1, matches))]
        self._envs = [_without_own_wrappers(env) for env in self._made]
        env = self._envs[0]
        agents = getattr(env, "possible_agents", None)
        if not agents:
            raise RivalError(f"{who}: it does not say its possible_agents, so its seats are not known before it is played")
        self._agents = list(agents)
        if len(self._agents) > 64:
            raise RivalError(f"{who}: it has {len(self._agents)} agents; Rival takes at most 64")
        self._seat = {agent: i for i, agent in enumerate(self._agents)}
        seats = len(self._agents)
        self._kinds = self._make_kinds(env, str(own.get("channels", "")))
        kinds = list({id(k): k for k in self._kinds}.values())
        observation: List[ObservationPart] = []
        at = 0
        for kind in kinds:
            kind.first = at
            observation += kind.named(kind.observer.parts, len(kinds) == 1)
            at += kind.observer.size
        self._seat_at = -1
        if seats > 1 and own.get("seat", True):
            self._seat_at = at
            observation.append(vector(_free_name("seat", observation), seats))
        action = self._common_actions(kinds)
        teams = _teams(own.get("teams"), seats, who)
        self._sums = bool(own.get("result", not has_parallel and seats > 1))
        parallel_seats = self.parallel and seats > 1
        spec = Spec(
            name=plain_name("pettingzoo_" + name.replace("?", "_")),
            description=f"The environment {identity} of PettingZoo",
            source=f"pettingzoo {pettingzoo.__version__}",
            seats=seats,
            teams=teams,
            observation=observation,
            action=action,
            simultaneous=parallel_seats,
            hidden_information=bool(own.get("hidden", re.sub(r"^classic[/.]|_v[0-9]+$", "", identity) in _HIDDEN)),
        )
        spec.validate()
        self._last_observations: List[Dict[str, Any]] = [{} for _ in self._envs]
        self._infos: List[Dict[str, Any]] = [{} for _ in self._envs]
        self._probe(env)
        masked = any(k.masked for k in kinds) or self._mask_in_info
        uneven = any(k.actor.parts != action for k in kinds)
        if (masked or uneven) and not any(p.is_choice for p in action):
            raise RivalError(f"{who}: there is an action mask, but no discrete actions")
        super().__init__(spec, len(self._envs), legal=masked or uneven, result=self._sums)
        self._return = np.zeros((self.matches, seats), np.float64)
        self._ended: List[int] = []

    # ---- what it is ----

    def _make_kinds(self, env: Any, channels: str) -> List[_Kind]:
        kinds: List[_Kind] = []
        result = []
        for agent in self._agents:
            try:
                spaces = (env.observation_space(agent), env.action_space(agent))
            except Exception as error:
                raise RivalError(f"{self.who}, agent {agent}: it does not say its spaces: {error}") from error
            for kind in kinds:
                if kind.spaces == spaces:
                    kind.agents.append(agent)
                    break
            else:
                kind = _Kind(agent, spaces, self.who, channels)
                kinds.append(kind)
            result.append(kind)
        return result

    def _common_actions(self, kinds: List[_Kind]) -> List[ActionPart]:
        """One action for all seats: where their choices are of different numbers, the largest of each."""
        first = kinds[0].actor.parts
        if all(k.actor.parts == first for k in kinds):
            return first
        for kind in kinds:
            parts = kind.actor.parts
            if len(parts) != len(first) or not all(p.kind == q.kind == "discrete" for p, q in zip(parts, first)):
                raise RivalError(
                    f"{self.who}: agents {kinds[0].agents[0]} and {kind.agents[0]} act in spaces of different kinds "
                    f"({kinds[0].spaces[1]} and {kind.spaces[1]}); Rival's seats all act in the same"
                )
        return [discrete(p.name, max(k.actor.parts[i].size for k in kinds)) for i, p in enumerate(first)]

    def _probe(self, env: Any) -> None:
        """Whether masks come in the infos."""
        try:
            given = env.reset(seed=0)
            infos = given[1] if self.parallel else env.infos
        except Exception as error:
            raise RivalError(f"{self.who}.reset(): {type(error).__name__}: {error}") from error
        self._mask_in_info = isinstance(infos, dict) and any(
            isinstance(info, dict) and info.get("action_mask") is not None for info in infos.values()
        )

    # ---- the interface of a batch ----

    def start(self, matches: np.ndarray, parameters: np.ndarray, picks: np.ndarray, keys: np.ndarray) -> None:
        for m, key in zip(np.asarray(matches).tolist(), np.asarray(keys).tolist()):
            self.steps[m] = 0
            self._return[m] = 0
            env = self._envs[m]
            try:
                given = env.reset(seed=(key ^ (key >> 32)) & 0x7FFFFFFF)
                if self.parallel:
                    self._last_observations[m], self._infos[m] = dict(given[0]), given[1]
                self.status[m] = int(RUNNING)
                if not env.agents:
                    raise RivalError("there is no agent after reset()")
                if not self.parallel:
                    self._skip_the_dead(m)
            except Exception as error:
                raise self._raised("reset()", m, error) from error

    def observe(self, observations: np.ndarray, masks: np.ndarray, seats: np.ndarray) -> None:
        observations[...] = 0
        masks[...] = 0 if self.has["legal"] else 1
        seats[...] = -1
        for m, env in enumerate(self._envs):
            if self.status[m] != RUNNING:
                continue
            if self.parallel:
                for agent in env.agents:
                    seat = self._seat_of(m, agent)
                    row = m * self.rows_per_match + (seat if self.rows_per_match > 1 else 0)
                    seats[row] = seat
                    self._write(m, seat, observations[row], masks[row])
            else:
                seat = self._seat_of(m, env.agent_selection)
                seats[m] = seat
                self._write(m, seat, observations[m], masks[m])
        if not np.isfinite(observations).all():
            self.refuse_unfinite(observations, "observe()", self.who)

    def step(self, choices: np.ndarray, values: np.ndarray, rewards: np.ndarray, status: np.ndarray) -> None:
        rewards[...] = 0
        self._ended = []
        all_choices = choices.tolist()
        for m in range(self.matches):
            if self.status[m] != RUNNING:
                continue
            try:
                if self.parallel:
                    self._step_all(m, all_choices, values, rewards[m])
                else:
                    self._step_one(m, all_choices[m], values[m], rewards[m])
            except Exception as error:
                raise self._raised("step()", m, error) from error
            self.steps[m] += 1
            if self.status[m] == FINISHED:
                self._ended.append(m)
        if not np.isfinite(rewards).all():
            m, seat = (int(i) for i in np.argwhere(~np.isfinite(rewards))[0])
            raise GameError(f"{self.who}.step()", f"the reward is {rewards[m, seat]}", m, self.steps[m], seat)
        if self._sums:
            self._return += rewards
            rewards[...] = 0
        status[...] = self.status

    def results(self, results: np.ndarray) -> None:
        if not self._sums:
            return
        for m in self._ended:
            for team in range(self.spec.team_count):
                members = [s for s in range(self.spec.seats) if self.spec.team_of(s) == team]
                results[m, team] = float(np.mean(self._return[m, members]))

    def observe_seat(self, match: int, seat: int, observation: np.ndarray, mask: Optional[np.ndarray] = None) -> None:
        observation[...] = 0
        running = self.status[match] == RUNNING
        if mask is not None:
            mask[...] = 0 if self.has["legal"] and running else 1
        env, agent = self._envs[match], self._agents[seat]
        there = agent in self._last_observations[match] if self.parallel else agent in (getattr(env, "agents", None) or [])
        if there:
            self._write(match, seat, observation, mask if running else None)

    def close(self) -> None:
        for env in self._made:
            env.close()

    # ---- one match ----

    def _seat_of(self, m: int, agent: Any) -> int:
        try:
            return self._seat[agent]
        except KeyError:
            raise GameError(
                self.who, f"agent {agent} is not one of its possible_agents", m, self.steps[m]
            ) from None

    def _write(self, m: int, seat: int, row: np.ndarray, mask: Optional[np.ndarray]) -> None:
        kind, agent, env = self._kinds[seat], self._agents[seat], self._envs[m]
        try:
            seen = self._last_observations[m][agent] if self.parallel else env.observe(agent)
            kind.observer.write(seen, row[kind.first : kind.first + kind.observer.size])
            if self._seat_at >= 0:
                row[self._seat_at + seat] = 1
        except Exception as error:
            raise GameError(
                f"{self.who}.observe()",
                f"agent {agent}: its observation is not one of its space: {type(error).__name__}: {error}",
                m,
                self.steps[m],
                seat,
            ) from error
        if mask is None or not self.has["legal"]:
            return
        given = None
        if kind.masked:
            given = seen["action_mask"]
        elif self._mask_in_info:
            infos = self._infos[m] if self.parallel else env.infos
            given = (infos.get(agent) or {}).get("action_mask")
        try:
            self._write_mask(kind, given, mask)
        except Exception as error:
            raise GameError(
                f"{self.who}.observe()", f"agent {agent}: its action_mask: {error}", m, self.steps[m], seat
            ) from error

    def _write_mask(self, kind: _Kind, given: Any, mask: np.ndarray) -> None:
        own = [p.size for p in kind.actor.parts if p.is_choice]
        short = np.ones(sum(own), np.uint8)
        if given is not None:
            write_mask(given, short)
        if len(short) == len(mask):
            mask[...] = short
            return
        at = 0
        for part, size, first in zip(self.spec.action, own, self.layout.mask_offset):
            mask[first : first + size] = short[at : at + size]
            at += size

    def _step_all(self, m: int, choices: List[List[int]], values: np.ndarray, rewards: np.ndarray) -> None:
        env = self._envs[m]
        actions = {}
        for agent in env.agents:
            seat = self._seat_of(m, agent)
            row = m * self.rows_per_match + (seat if self.rows_per_match > 1 else 0)
            actions[agent] = self._kinds[seat].actor.make(choices[row], values[row])
        observations, given, terminations, truncations, self._infos[m] = env.step(actions)
        for agent, reward in given.items():
            rewards[self._seat_of(m, agent)] += reward
        self._last_observations[m] = dict(observations)
        if not env.agents:
            cut = any(truncations.get(a) and not terminations.get(a) for a in actions)
            self.status[m] = int(TRUNCATED if cut else FINISHED)

    def _step_one(self, m: int, choices: List[int], values: np.ndarray, rewards: np.ndarray) -> None:
        env = self._envs[m]
        seat = self._seat_of(m, env.agent_selection)
        env.step(self._kinds[seat].actor.make(choices, values))
        for agent, reward in env.rewards.items():
            rewards[self._seat_of(m, agent)] += reward
        self._skip_the_dead(m)

    def _skip_the_dead(self, m: int) -> None:
        """Takes out the agents that have ended until one is to act that has not; ends the match if there is none."""
        env = self._envs[m]
        while env.agents:
            terminations, truncations, agent = env.terminations, env.truncations, env.agent_selection
            if not (terminations[agent] or truncations[agent]):
                return
            if all(terminations[a] or truncations[a] for a in env.agents):
                cut = any(truncations[a] and not terminations[a] for a in env.agents)
                self.status[m] = int(TRUNCATED if cut else FINISHED)
                return
            env.step(None)
        self.status[m] = int(FINISHED)

    def _raised(self, method: str, match: int, error: Exception) -> Exception:
        if isinstance(error, GameError):
            return error
        what = str(error) if isinstance(error, RivalError) else f"{type(error).__name__}: {error}"
        return GameError(f"{self.who}.{method}", what, match, self.steps[match])


def _module(identity: str, who: str) -> Any:
    path = identity.replace("/", ".")
    wrong: Optional[ImportError] = None
    for name in (f"pettingzoo.{path}", path):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                module = importlib.import_module(name)
        except ImportError as error:
            # That the module itself is not there says less than what it fails to import.
            if wrong is None or (error.name and not name.startswith(error.name)):
                wrong = error
            continue
        except Exception as error:
            raise RivalError(f"{who}: {type(error).__name__}: {error}") from error
        if hasattr(module, "env") or hasattr(module, "parallel_env"):
            return module
    assert wrong is None or isinstance(wrong, ImportError)
    if wrong is not None and wrong.name and not f"pettingzoo.{path}".startswith(wrong.name) and not path.startswith(wrong.name):
        raise MissingPackage(wrong.name, who, f'"pettingzoo[{identity.partition("/")[0]}]"') from wrong
    raise RivalError(
        f"{who}: there is no such environment ({wrong or 'its module has neither env() nor parallel_env()'}); they are named as "
        "classic/connect_four_v3, or by a module with env() or parallel_env(), as mpe2.simple_spread_v3"
    ) from wrong


def _made(make: Any, options: Dict[str, Any], who: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return make(**options)
    except ImportError as error:
        if not error.name:
            raise RivalError(f"{who}: {error}") from error
        raise MissingPackage(error.name, who) from error
    except TypeError as error:
        raise RivalError(f"{who}: it does not take these arguments ({', '.join(options) or 'none'}): {error}") from error
    except Exception as error:
        raise RivalError(f"{who}: it cannot be made: {type(error).__name__}: {error}") from error


def _without_own_wrappers(env: Any) -> Any:
    """The environment without PettingZoo's outermost wrappers against calls in the wrong order and actions that are not
    allowed: there are none here, and looking things up through them takes most of a small game's time."""
    while type(env) in (OrderEnforcingWrapper, AssertOutOfBoundsWrapper, TerminateIllegalWrapper):
        env = env.env
    inner = getattr(env, "aec_env", None) if type(env) is aec_to_parallel_wrapper else None
    if inner is not None:
        env.aec_env = _without_own_wrappers(inner)
    return env


def _free_name(name: str, parts: Sequence[ObservationPart]) -> str:
    while any(p.name == name for p in parts):
        name += "_"
    return name


def _teams(given: Any, seats: int, who: str) -> List[int]:
    if given is None:
        return []
    if given == "one":
        return [0] * seats
    teams = list(given) if isinstance(given, (list, tuple)) else [given]
    if len(teams) != seats or not all(isinstance(t, int) for t in teams):
        raise RivalError(f"{who}: rival.teams is 'one', or a team for each of the {seats} agents, such as rival.teams=0,1")
    return teams
