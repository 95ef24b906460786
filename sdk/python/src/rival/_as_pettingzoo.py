"""Games as environments of PettingZoo: one after another, or all at once."""
from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np
import pettingzoo
from gymnasium.utils import seeding

from ._as_spaces import spaces_of
from .errors import RivalError
from .spec import FINISHED, RUNNING, TRUNCATED


class _Seats:
    """What both have in common: agents are seats, and see what they may do along with what they see."""

    def _set_up(self, match: Any, render_mode: Optional[str], parallel: bool) -> None:
        self._match = match
        self.render_mode = render_mode
        self.metadata = {
            "name": f"rival_{match.spec.name}",
            "render_modes": ["ansi"] if match.has_text else [],
            "is_parallelizable": parallel,
            "render_fps": 10,
        }
        self.possible_agents = [f"seat_{i}" for i in range(match.spec.seats)]
        self.agents: List[str] = []
        # Each agent's are its own, to be seeded by themselves.
        self._spaces = {agent: spaces_of(match.spec, match.layout.mask_size) for agent in self.possible_agents}
        self._random: Optional[np.random.Generator] = None

    def observation_space(self, agent: str) -> Any:
        return self._spaces[agent][0]

    def action_space(self, agent: str) -> Any:
        return self._spaces[agent][1]

    def render(self) -> Any:
        return self._match.text() if self.render_mode == "ansi" else None

    def close(self) -> None:
        self._match.close()

    def _begin(self, seed: Optional[int], options: Optional[Mapping[str, Any]]) -> None:
        if seed is not None or self._random is None:
            self._random, _ = seeding.np_random(seed)
        self._match.start(int(self._random.integers(0, 1 << 63)), options)
        self.agents = [self.possible_agents[seat] for seat in self._match.playing()]

    def _observed(self, agent: str) -> Any:
        seat = self.possible_agents.index(agent)
        seen = self._match.observation(seat)
        return {"observation": seen, "action_mask": self._match.mask(seat)} if self._match.masked else seen


class TurnsEnv(_Seats, pettingzoo.AECEnv):
    def __init__(self, match: Any, render_mode: Optional[str]) -> None:
        super().__init__()
        self._set_up(match, render_mode, False)

    def reset(self, seed: Optional[int] = None, options: Optional[Mapping[str, Any]] = None) -> None:
        self._begin(seed, options)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: Dict[str, Dict[str, Any]] = {agent: {} for agent in self.agents}
        self.agent_selection = self.possible_agents[self._match.acting()[0]]

    def observe(self, agent: str) -> Any:
        return self._observed(agent)

    def step(self, action: Any) -> None:
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[agent] = 0.0
        gained = self._match.step({self.possible_agents.index(agent): action})
        self.rewards = {a: float(gained[self.possible_agents.index(a)]) for a in self.agents}
        status = self._match.status
        if status == RUNNING:
            self.agent_selection = self.possible_agents[self._match.acting()[0]]
        else:
            self.terminations = dict.fromkeys(self.agents, status == FINISHED)
            self.truncations = dict.fromkeys(self.agents, status == TRUNCATED)
            self.agent_selection = self.agents[(self.agents.index(agent) + 1) % len(self.agents)]
        self._accumulate_rewards()
        self._deads_step_first()


class ParallelEnv(_Seats, pettingzoo.ParallelEnv):
    def __init__(self, match: Any, render_mode: Optional[str]) -> None:
        self._set_up(match, render_mode, True)

    def reset(
        self, seed: Optional[int] = None, options: Optional[Mapping[str, Any]] = None
    ) -> Tuple[Dict[str, Any], Dict[str, Dict[str, Any]]]:
        self._begin(seed, options)
        return {a: self._observed(a) for a in self.agents}, {a: {} for a in self.agents}

    def step(self, actions: Mapping[str, Any]) -> Any:
        if not self.agents:
            raise RivalError("the match is over, or has not begun: call reset()")
        acting = self._match.acting()
        try:
            taken = {seat: actions[self.possible_agents[seat]] for seat in acting}
        except KeyError as error:
            raise RivalError(f"there is no action of {error.args[0]}, which is to act") from None
        gained = self._match.step(taken)
        status, agents = self._match.status, self.agents
        observations = {a: self._observed(a) for a in agents}
        if status != RUNNING:
            self.agents = []
        return (
            observations,
            {a: float(gained[self.possible_agents.index(a)]) for a in agents},
            dict.fromkeys(agents, status == FINISHED),
            dict.fromkeys(agents, status == TRUNCATED),
            {a: {} for a in agents},
        )

