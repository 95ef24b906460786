"""A Spec as spaces of Gymnasium."""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import numpy as np
from gymnasium import spaces

from .spec import ActionPart, Spec


class Actions(spaces.Dict):
    """Actions of several parts; sample() also takes the mask as environments give it, a byte for each choice of all parts."""

    def __init__(self, parts: List[ActionPart]) -> None:
        super().__init__({p.name: _of_part(p) for p in parts})
        self._parts = parts

    def sample(self, mask: Optional[Any] = None, probability: Optional[Any] = None) -> Dict[str, Any]:
        if isinstance(mask, np.ndarray):
            at, split = 0, {}
            for part in self._parts:
                split[part.name] = mask[at : at + part.size] if part.is_choice else None
                at += part.size if part.is_choice else 0
            mask = split
        return super().sample(mask=mask) if probability is None else super().sample(mask=mask, probability=probability)


def _of_part(part: ActionPart) -> Any:
    if part.is_choice:
        return spaces.Discrete(part.size)
    return spaces.Box(np.float32(part.low), np.float32(part.high), (part.size,), np.float32)


def spaces_of(spec: Spec, mask_size: int = 0) -> Tuple[Any, Any]:
    """(observations, actions); with a mask size, the mask stands beside what is observed."""
    boxes: Dict[str, Any] = {p.name: spaces.Box(-np.inf, np.inf, p.shape, np.float32) for p in spec.observation}
    seen: Any = next(iter(boxes.values())) if len(boxes) == 1 else spaces.Dict(boxes)
    if mask_size:
        seen = spaces.Dict({"observation": seen, "action_mask": spaces.Box(0, 1, (mask_size,), np.int8)})
    return seen, _of_part(spec.action[0]) if len(spec.action) == 1 else Actions(spec.action)
