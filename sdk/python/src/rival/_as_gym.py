"""A game of one seat as a gymnasium.Env."""
from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Tuple

import gymnasium

from ._as_spaces import spaces_of
from .errors import RivalError
from .spec import FINISHED, RUNNING, TRUNCATED


class GymEnv(gymnasium.Env):
    metadata = {"render_modes": ["ansi"], "render_fps": 10}

    def __init__(self, match: Any, render_mode: Optional[str]) -> None:
        self._match = match
        if match.spec.seats != 1:
            match.close()
            raise RivalError(f"'{match.game}' has {match.spec.seats} seats: use rival.envs.aec_env or parallel_env")
        self.observation_space, self.action_space = spaces_of(match.spec)
        self.render_mode = render_mode

    def reset(
        self, *, seed: Optional[int] = None, options: Optional[Mapping[str, Any]] = None
    ) -> Tuple[Any, Dict[str, Any]]:
        super().reset(seed=seed)
        self._match.start(int(self.np_random.integers(0, 1 << 63)), options)
        return self._match.observation(0), self._info()

    def step(self, action: Any) -> Tuple[Any, float, bool, bool, Dict[str, Any]]:
        if not self._match.running:
            raise RivalError("the match is over, or has not begun: call reset()")
        gained = self._match.step({0: action})
        status = self._match.status
        return self._match.observation(0), float(gained[0]), status == FINISHED, status == TRUNCATED, self._info()

    def render(self) -> Any:
        return self._match.text() if self.render_mode == "ansi" else None

    def close(self) -> None:
        self._match.close()

    def _info(self) -> Dict[str, Any]:
        running = self._match.status == RUNNING
        return {"action_mask": self._match.mask(0)} if self._match.masked and running else {}
