"""Spaces of Gymnasium as parts of a Spec: how observations are written into rows and actions made from them."""
from __future__ import annotations

import re
from typing import Any, Callable, Iterator, List, Optional, Sequence, Tuple

import numpy as np
from gymnasium import spaces

from ..errors import RivalError
from ..spec import ActionPart, ObservationPart, continuous, discrete, grid, vector

_LARGEST_VALUE = 1e9
_MOST_PARTS = 64
_PICTURE_SIDE = 16  # of a matrix of real numbers from which on it is read as a picture

Write = Callable[[Any, np.ndarray], None]  # (value, its part of the row)
Make = Callable[[Sequence[int], np.ndarray], Any]  # (a row of choices, a row of values) -> action


def _name(path: str, root: str) -> str:
    return re.sub(r"[=\x00-\x1f\x7f]", "_", path)[:64] or root


def _kind(space: Any) -> str:
    return type(space).__name__


def _is_whole(dtype: Any) -> bool:
    return np.dtype(dtype).kind in "iub"


def children(space: Any) -> Optional[List[Tuple[str, Any, Any]]]:
    """The spaces in a Dict or Tuple as (name, key, space); None of any other."""
    if isinstance(space, spaces.Dict):
        return [(str(key), key, sub) for key, sub in space.spaces.items()]
    if isinstance(space, spaces.Tuple):
        return [(str(i), i, sub) for i, sub in enumerate(space.spaces)]
    return None


# ---- observations ----


class Observer:
    """How observations of a space are written. `parts`: what they become; `plain`: just one vector of numbers as it is."""

    def __init__(self, space: Any, who: str, channels: str = "", skip: Sequence[str] = ()) -> None:
        self.parts: List[ObservationPart] = []
        self._writers: List[Tuple[Tuple[Any, ...], int, int, Write]] = []
        self.size = 0
        self.plain = False
        self._channels = channels
        self._add(space, "", (), who, skip)
        if not self.parts:
            raise RivalError(f"{who}: the observation space is empty")

    def write(self, value: Any, row: np.ndarray) -> None:
        for path, first, last, write in self._writers:
            leaf = value
            for key in path:
                leaf = leaf[key]
            write(leaf, row[first:last])

    def _add(self, space: Any, name: str, path: Tuple[Any, ...], who: str, skip: Sequence[str] = ()) -> None:
        inside = children(space)
        if inside is not None:
            for sub_name, key, sub in inside:
                if key not in skip:
                    self._add(sub, f"{name}.{sub_name}" if name else sub_name, path + (key,), who)
            return
        part, write = self._leaf(space, _name(name, "observation"), who)
        self.plain = not path and write is _write_plain and isinstance(space, spaces.Box) and len(space.shape) == 1
        self.parts.append(part)
        self._writers.append((path, self.size, self.size + part.size, write))
        self.size += part.size

    def _leaf(self, space: Any, name: str, who: str) -> Tuple[ObservationPart, Write]:
        if isinstance(space, spaces.Discrete):
            return vector(name, int(space.n)), _one_hot([int(space.n)], [int(space.start)])
        if isinstance(space, spaces.MultiDiscrete):
            sizes = [int(n) for n in np.asarray(space.nvec).reshape(-1)]
            starts = [int(s) for s in np.asarray(getattr(space, "start", np.zeros(len(sizes)))).reshape(-1)]
            return vector(name, sum(sizes)), _one_hot(sizes, starts)
        if isinstance(space, spaces.MultiBinary):
            return self._numbers(tuple(np.atleast_1d(space.shape)), np.zeros(1), np.ones(1), space.dtype, name, who)
        if isinstance(space, spaces.Box):
            return self._numbers(space.shape, space.low, space.high, space.dtype, name, who)
        raise RivalError(
            f"{who}: observation '{name}' is a {_kind(space)}, which Rival cannot read; it reads Box, Discrete, "
            "MultiDiscrete, MultiBinary, and Dict and Tuple of them. A wrapper can turn it into one of these"
        )

    def _numbers(
        self, shape: Tuple[int, ...], low: np.ndarray, high: np.ndarray, dtype: Any, name: str, who: str
    ) -> Tuple[ObservationPart, Write]:
        if 0 in shape:
            raise RivalError(f"{who}: observation '{name}' has the shape {shape}: there is nothing in it")
        scale = _scale(low, high, dtype)
        picture = len(shape) >= 3 or (len(shape) == 2 and (_is_whole(dtype) or min(shape) >= _PICTURE_SIDE))
        if not picture:
            size = int(np.prod(shape, dtype=np.int64)) if shape else 1
            return vector(name, size), (_write_plain if scale is None else _scaled(scale))
        order: Tuple[int, ...]
        planes: Tuple[int, ...]
        if len(shape) == 2:
            order, planes = (0, 1), (1,) + tuple(shape)
        elif len(shape) == 3:
            first = self._channels == "first" or (
                self._channels != "last" and shape[0] < min(shape[1:]) and not shape[2] < min(shape[:2])
            )
            order = (0, 1, 2) if first else (2, 0, 1)
            planes = tuple(shape[i] for i in order)
        elif len(shape) == 4:  # several pictures: their channels one after another
            first = self._channels == "first" or (
                self._channels != "last" and shape[1] < min(shape[2:]) and not shape[3] < min(shape[1:3])
            )
            order = (0, 1, 2, 3) if first else (0, 3, 1, 2)
            planes = (shape[0] * shape[order[1]], shape[order[2]], shape[order[3]])
        else:
            raise RivalError(
                f"{who}: observation '{name}' has {len(shape)} dimensions; Rival reads vectors, and pictures with channels"
            )
        return grid(name, *planes), _picture(tuple(shape), order, scale)


def _scale(low: np.ndarray, high: np.ndarray, dtype: Any) -> Optional[Tuple[float, float]]:
    """(what to subtract, what to multiply by) to come to 0..1 from whole numbers, or the values of pictures, whose one
    range is known and wider than 2; None: they stay as they are."""
    lowest, highest = float(np.min(low)), float(np.max(high))
    if lowest != float(np.max(low)) or highest != float(np.min(high)) or not np.isfinite(highest - lowest):
        return None
    if highest - lowest <= 2 or not (_is_whole(dtype) or highest - lowest == 255):
        return None
    return lowest, 1 / (highest - lowest)


def _write_plain(value: Any, row: np.ndarray) -> None:
    row[...] = np.asarray(value).reshape(-1)


def _scaled(scale: Tuple[float, float]) -> Write:
    def write(value: Any, row: np.ndarray) -> None:
        row[...] = np.asarray(value).reshape(-1)
        if scale[0]:
            row -= scale[0]
        row *= scale[1]

    return write


def _picture(shape: Tuple[int, ...], order: Tuple[int, ...], scale: Optional[Tuple[float, float]]) -> Write:
    target = tuple(shape[i] for i in order)

    def write(value: Any, row: np.ndarray) -> None:
        view = row.reshape(target)
        array = np.asarray(value)
        if array.shape != shape:
            raise ValueError(f"its shape is {array.shape}, should be {shape}")
        view[...] = array.transpose(order)
        if scale is not None:
            if scale[0]:
                row -= scale[0]
            row *= scale[1]

    return write


def _one_hot(sizes: Sequence[int], starts: Sequence[int]) -> Write:
    firsts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64) - np.asarray(starts, np.int64)
    low, high = np.asarray(starts), np.asarray(starts) + np.asarray(sizes)

    def write(value: Any, row: np.ndarray) -> None:
        numbers = np.asarray(value).reshape(-1).astype(np.int64)
        if numbers.shape != low.shape or (numbers < low).any() or (numbers >= high).any():
            raise ValueError(f"{value!r} is not in the space")
        row[...] = 0
        row[firsts + numbers] = 1

    if len(sizes) == 1:
        start, size = starts[0], sizes[0]

        def write_one(value: Any, row: np.ndarray) -> None:
            number = int(value) - start
            if not 0 <= number < size:
                raise ValueError(f"{value!r} is not in the space")
            row[...] = 0
            row[number] = 1

        return write_one
    return write


# ---- actions ----


class Actor:
    """How actions of a space are made from a row's choices and values. `parts`: what they become; `make`."""

    def __init__(self, space: Any, who: str) -> None:
        self.parts: List[ActionPart] = []
        self.starts: List[int] = []  # of the choices, in their order
        self._values = 0
        self._who = who
        self.make: Make = self._add(space, "")
        # One discrete choice: its number plus `start` is the action.
        self.plain = isinstance(space, spaces.Discrete)
        if len(self.parts) > _MOST_PARTS:
            raise RivalError(
                f"{who}: its actions would have {len(self.parts)} parts, and Rival takes at most {_MOST_PARTS}"
            )
        if not self.parts:
            raise RivalError(f"{who}: the action space is empty")

    def _add(self, space: Any, path: str) -> Make:
        inside = children(space)
        if inside is not None:
            makers = [(key, self._add(sub, f"{path}.{name}" if path else name)) for name, key, sub in inside]
            if isinstance(space, spaces.Dict):
                return lambda choices, values: {key: make(choices, values) for key, make in makers}
            return lambda choices, values: tuple(make(choices, values) for _, make in makers)
        name = _name(path, "action")
        if isinstance(space, spaces.Discrete):
            return self._discrete(space, name)
        if isinstance(space, spaces.MultiDiscrete):
            return self._several([int(n) for n in space.nvec.reshape(-1)], getattr(space, "start", None), space, name)
        if isinstance(space, spaces.MultiBinary):
            return self._several([2] * int(np.prod(space.shape, dtype=np.int64)), None, space, name)
        if isinstance(space, spaces.Box):
            return self._box(space, name)
        raise RivalError(
            f"{self._who}: action '{name}' is a {_kind(space)}, which Rival cannot make; it makes Box, Discrete, "
            "MultiDiscrete, MultiBinary, and Dict and Tuple of them. A wrapper can turn it into one of these"
        )

    def _discrete(self, space: Any, name: str) -> Make:
        index, start = len(self.starts), int(space.start)
        self.parts.append(discrete(name, int(space.n)))
        self.starts.append(start)
        return lambda choices, values: choices[index] + start

    def _several(self, sizes: Sequence[int], start: Any, space: Any, name: str) -> Make:
        first, shape, dtype = len(self.starts), space.shape, space.dtype
        starts = np.zeros(len(sizes), dtype) if start is None else np.asarray(start, dtype).reshape(-1)
        if len(self.parts) + len(sizes) > _MOST_PARTS:
            raise RivalError(
                f"{self._who}: action '{name}' has {len(sizes)} choices to make at once, and Rival takes at most {_MOST_PARTS}"
            )
        for i, size in enumerate(sizes):
            self.parts.append(discrete(f"{name}.{i}", size))
            self.starts.append(int(starts[i]))
        last = first + len(sizes)

        def make(choices: Sequence[int], values: np.ndarray) -> Any:
            return (np.array(choices[first:last], dtype) + starts).reshape(shape)

        return make

    def _box(self, space: Any, name: str) -> Make:
        low, high = np.asarray(space.low, np.float64), np.asarray(space.high, np.float64)
        if _is_whole(space.dtype):
            raise RivalError(
                f"{self._who}: action '{name}' is a Box of whole numbers; Discrete or MultiDiscrete says what they can be"
            )
        if not (np.isfinite(low).all() and np.isfinite(high).all()) or max(-low.min(), high.max()) > _LARGEST_VALUE:
            raise RivalError(
                f"{self._who}: action '{name}' has no finite range (low {space.low.min()}, high {space.high.max()}), so "
                "Rival does not know how large its values should be; gymnasium.wrappers.RescaleAction and ClipAction, or "
                "a Box with bounds, say it"
            )
        shape, dtype, first = space.shape, space.dtype, self._values
        size = int(np.prod(shape, dtype=np.int64)) if shape else 1
        if size < 1:
            raise RivalError(f"{self._who}: action '{name}' has the shape {shape}: there is nothing in it")
        self._values = last = first + size
        if (low == low.flat[0]).all() and (high == high.flat[0]).all() and low.flat[0] < high.flat[0]:
            self.parts.append(continuous(name, size, float(low.flat[0]), float(high.flat[0])))
            flat = len(shape) == 1

            def make(choices: Sequence[int], values: np.ndarray) -> Any:
                own = values[first:last].astype(dtype)
                return own if flat else own.reshape(shape)

            return make
        self.parts.append(continuous(name, size, -1, 1))
        middle, half = (low + high).reshape(-1) / 2, (high - low).reshape(-1) / 2
        low, high = space.low, space.high

        def make_scaled(choices: Sequence[int], values: np.ndarray) -> Any:
            return np.clip((middle + half * values[first:last]).astype(dtype).reshape(shape), low, high)

        return make_scaled


# ---- masks ----


def write_mask(mask: Any, row: np.ndarray) -> None:
    """A mask as the environments give it (an array, or tuples and dicts of them) into a row."""
    at = 0
    for leaf in _leaves(mask):
        array = np.asarray(leaf).reshape(-1)
        if at + array.size > row.size:
            at += array.size
            break
        row[at : at + array.size] = array != 0
        at += array.size
    if at != row.size:
        raise ValueError(f"the action mask has {at} numbers, the action space {row.size} choices")


def _leaves(mask: Any) -> Iterator[Any]:
    if isinstance(mask, dict):
        for value in mask.values():
            yield from _leaves(value)
    elif isinstance(mask, tuple):
        for value in mask:
            yield from _leaves(value)
    elif mask is not None:
        yield mask
