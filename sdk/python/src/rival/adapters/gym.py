"""Environments of Gymnasium as games of one seat: `gym:ID[?key=value&...]`.

The keys are arguments of the environment, but for rival.channels=first|last (of pictures, where their shape does not tell),
rival.hidden=true (what is not seen matters: play is kept unpredictable) and rival.without=NAME,NAME (parts of a Dict
observation that are left out).
"""
from __future__ import annotations

import math
import warnings
from typing import Any, Dict, List, Optional

import numpy as np

from ..batch import Batch
from ..errors import GameError, MissingPackage, RivalError
from ..sources import split_options
from ..spec import RUNNING, Spec, plain_name

try:
    import gymnasium
    from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit
except ImportError as error:
    raise MissingPackage("gymnasium", "an environment of Gymnasium") from error

from .spaces import Actor, Observer, write_mask

_OWN = ("channels", "hidden", "without")
_INSTALL = {  # where the package to install has another name than what is imported
    "ale_py": "ale-py",
    "Box2D": "gymnasium[box2d]",
    "box2d": "gymnasium[box2d]",
    "imageio": "gymnasium[mujoco]",
    "mujoco": "gymnasium[mujoco]",
    "pygame": "pygame",
}


class GymBatch(Batch):
    """Many environments of one kind, stepped in one loop.

    Rewards are passed on as they are; there is no result. `terminated` finishes a match, `truncated` (a TimeLimit too)
    truncates it. Nothing resets by itself. The wrappers that gymnasium.make() adds to count steps and to check the order
    of calls are taken off: the steps are counted here, and the order is right.
    """

    def __init__(self, name: str, matches: int) -> None:
        identity, options = split_options(name)
        own = {key[6:]: options.pop(key) for key in list(options) if key.startswith("rival.")}
        for key in own:
            if key not in _OWN:
                raise RivalError(f"gym:{name}: there is no rival.{key}; there are " + ", ".join("rival." + k for k in _OWN))
        self.who = f"gym:{identity}"
        self._made = [_make(identity, options, self.who) for _ in range(max(1, matches))]
        first = self._made[0]
        self._limit = 0
        self._envs: List[Any] = []
        for env in self._made:
            env, self._limit = _without_own_wrappers(env)
            self._envs.append(env)
        space = first.observation_space
        self._mask_key: Optional[str] = None
        skip = [part for part in str(own.get("without", "")).split(",") if part]
        if isinstance(space, gymnasium.spaces.Dict) and "action_mask" in space.spaces:
            self._mask_key = "action_mask"
            skip.append("action_mask")
        observer = self._observer = Observer(space, self.who, str(own.get("channels", "")), skip)
        actor = self._actor = Actor(first.action_space, self.who)
        self._first_action = np.array([first.action_space.start], first.action_space.dtype) if actor.plain else None
        self._mask_in_info = False
        if self._mask_key is None and any(p.is_choice for p in actor.parts):
            _, info = self._envs[0].reset(seed=0)
            self._mask_in_info = isinstance(info, dict) and "action_mask" in info
        registered = first.spec
        spec = Spec(
            name=plain_name("gym_" + name.replace("?", "_")),
            description=f"The environment {identity} of Gymnasium",
            source=f"gymnasium {gymnasium.__version__}",
            observation=observer.parts,
            action=actor.parts,
            hidden_information=bool(own.get("hidden", False)),
            max_steps=self._limit or (registered.max_episode_steps if registered is not None else 0) or 0,
        )
        spec.validate()
        self._text = first.render_mode == "ansi"
        super().__init__(
            spec, len(self._made), legal=self._mask_in_info or self._mask_key is not None, text=self._text
        )
        if self.has["legal"] and self.layout.mask_size == 0:
            raise RivalError(f"{self.who}: there is an action mask, but no discrete actions")
        # All running matches step together: a match's steps are the turns since its start, and its limit is due at one.
        self._turn = 0
        self._started = [0] * self.matches
        self._due: Dict[int, List[int]] = {}
        self.status = bytearray(self.status)
        self._status_array = np.frombuffer(self.status, np.uint8)
        self._steps = [env.step for env in self._envs]
        self._seen: List[Any] = [None] * self.matches
        self._infos: List[Dict[str, Any]] = [{}] * self.matches

    def start(self, matches: np.ndarray, parameters: np.ndarray, picks: np.ndarray, keys: np.ndarray) -> None:
        for m, key in zip(np.asarray(matches).tolist(), np.asarray(keys).tolist()):
            self._started[m] = self._turn
            if self._limit:
                self._due.setdefault(self._turn + self._limit, []).append(m)
            try:
                self._seen[m], self._infos[m] = self._envs[m].reset(seed=(key ^ (key >> 32)) & 0x7FFFFFFF)
            except Exception as error:
                raise self._raised("reset", m, error) from error
            self.status[m] = int(RUNNING)

    def observe(self, observations: np.ndarray, masks: np.ndarray, seats: np.ndarray) -> None:
        status = self.status
        idle = [m for m, now in enumerate(status) if now] if status.count(0) < self.matches else []
        if self._observer.plain and observations.flags.c_contiguous:
            for m in idle:
                if self._seen[m] is None:  # it was never started
                    self._seen[m] = np.zeros(self.layout.observation_size, np.float32)
            try:
                np.concatenate(self._seen, out=observations.reshape(-1), casting="unsafe")
            except ValueError:
                self._write_all(observations)  # which says what is wrong
        else:
            self._write_all(observations)
        seats[...] = 0
        if idle:
            observations[idle] = 0
            seats[idle] = -1
        if self.has["legal"]:
            for m in range(self.matches):
                if status[m]:
                    masks[m] = 1
                else:
                    self._mask(m, masks[m])
        else:
            masks[...] = 1
        if not np.isfinite(observations).all():
            m = int(np.argmin(np.isfinite(observations).all(axis=1)))
            self.refuse_unfinite(observations, self._last_call(m), self.who)

    def step(self, choices: np.ndarray, values: np.ndarray, rewards: np.ndarray, status: np.ndarray) -> None:
        given = [0.0] * self.matches
        now, seen = self.status, self._seen
        plain, make = self._actor.plain, self._actor.make
        # One discrete choice is given as what sample() gives, which the space checks faster than an int.
        all_choices: Any = list(choices[:, 0] + self._first_action) if plain else choices.tolist()
        infos = self._infos if self._mask_in_info else None
        m = 0
        try:
            for m, step in enumerate(self._steps):
                if now[m]:
                    continue
                action = all_choices[m] if plain else make(all_choices[m], values[m])
                seen[m], given[m], terminated, truncated, info = step(action)
                if infos is not None:
                    infos[m] = info
                if terminated:
                    now[m] = 1
                elif truncated:
                    now[m] = 2
        except Exception as error:
            raise self._raised("step", m, error) from error
        self._turn += 1
        for m in self._due.pop(self._turn, ()):
            if not now[m] and self._turn - self._started[m] == self._limit:
                now[m] = 2
        try:
            rewards[:, 0] = given
            finite = math.isfinite(sum(given))
        except (TypeError, ValueError):
            for m, reward in enumerate(given):
                if np.ndim(reward) or not np.issubdtype(np.asarray(reward).dtype, np.number):
                    raise self._wrong("step()", f"the reward is {reward!r}, which is no number", m) from None
            raise
        if not finite and not np.isfinite(rewards).all():
            m = int(np.argmin(np.isfinite(rewards[:, 0])))
            raise self._wrong("step()", f"the reward is {given[m]}", m)
        status[...] = self._status_array

    def observe_seat(self, match: int, seat: int, observation: np.ndarray, mask: Optional[np.ndarray] = None) -> None:
        observation[...] = 0
        if self._seen[match] is not None:
            self._write(match, observation)
        if mask is not None:
            mask[...] = 1
            if self.has["legal"] and self.status[match] == RUNNING:
                self._mask(match, mask)

    def text(self, match: int) -> str:
        if not self._text or self._seen[match] is None:
            return ""
        drawn = self._envs[match].render()
        return drawn if isinstance(drawn, str) else ""

    def close(self) -> None:
        for env in self._made:
            env.close()

    def _write_all(self, observations: np.ndarray) -> None:
        for m in range(self.matches):
            if not self.status[m]:
                self._write(m, observations[m])

    def _write(self, m: int, row: np.ndarray) -> None:
        try:
            self._observer.write(self._seen[m], row)
        except Exception as error:
            space = self._made[m].observation_space
            raise self._wrong(
                self._last_call(m),
                f"its observation is not one of its observation space {_short(space)}: {error}",
                m,
            ) from error

    def _mask(self, m: int, row: np.ndarray) -> None:
        try:
            write_mask(self._seen[m][self._mask_key] if self._mask_key else self._infos[m].get("action_mask"), row)
        except Exception as error:
            raise self._wrong(self._last_call(m), f"its action_mask: {error}", m) from error

    def steps_of(self, match: int) -> int:
        return self._turn - self._started[match]

    def _last_call(self, match: int) -> str:
        return "step()" if self.steps_of(match) else "reset()"

    def _wrong(self, method: str, what: str, match: int) -> GameError:
        return GameError(f"{self.who}.{method}", what, match, self.steps_of(match), 0)

    def _raised(self, method: str, match: int, error: Exception) -> GameError:
        if isinstance(error, GameError):
            return error
        if isinstance(error, ValueError) and "unpack" in str(error):
            return self._wrong(f"{method}()", f"it returned another number of values than Gymnasium 1.x has ({error})", match)
        return self._wrong(f"{method}()", f"{type(error).__name__}: {error}", match)


def _short(space: Any) -> str:
    text = str(space)
    return text if len(text) <= 80 else text[:77] + "..."


def _make(identity: str, options: Dict[str, Any], who: str) -> Any:
    arguments = dict(options)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if "render_mode" not in arguments and _draws_text(identity):
                arguments["render_mode"] = "ansi"
            return gymnasium.make(identity, disable_env_checker=True, **arguments)
    except gymnasium.error.DependencyNotInstalled as error:
        raise RivalError(f"{who}: {error}") from error
    except (gymnasium.error.NameNotFound, gymnasium.error.NamespaceNotFound) as error:
        raise RivalError(
            f"{who}: {str(error).rstrip('.')}. What another package registers is named with its module, as in "
            "gym:minigrid:MiniGrid-Empty-5x5-v0"
        ) from error
    except gymnasium.error.Error as error:
        raise RivalError(f"{who}: {error}") from error
    except ImportError as error:
        if not error.name:
            raise RivalError(f"{who}: {error}") from error
        raise MissingPackage(error.name, who, _INSTALL.get(error.name)) from error
    except TypeError as error:
        given = ", ".join(options) or "none"
        raise RivalError(f"{who}: it does not take these arguments ({given}): {error}") from error
    except Exception as error:
        raise RivalError(f"{who}: it cannot be made: {type(error).__name__}: {error}") from error


def _draws_text(identity: str) -> bool:
    try:
        entry = gymnasium.spec(identity.partition(":")[2] or identity).entry_point
        made = gymnasium.envs.registration.load_env_creator(entry) if isinstance(entry, str) else entry
        return "ansi" in getattr(made, "metadata", {}).get("render_modes", [])
    except Exception:  # it is not registered yet, say: make() tells what is wrong
        return False


def _without_own_wrappers(env: Any) -> Any:
    """The environment without gymnasium.make()'s outermost wrappers, and the limit of steps that they held; 0: none."""
    limit = 0
    while True:
        if type(env) is TimeLimit:
            most = int(env._max_episode_steps)
            limit = min(limit, most) if limit else most
        elif type(env) not in (OrderEnforcing, PassiveEnvChecker):
            return env, limit
        env = env.env
