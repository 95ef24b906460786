"""A trained bot as an object, in numpy alone: docs/formats/bot.md is its file, src/nn/network.hpp its network."""
from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import numpy as np

from .errors import RivalError
from .spec import ActionPart, Layout, ObservationPart, Spec

_LARGE_GRID = 1024  # numbers above which a grid is convolved, if that is left to the network
_LAST_STACK_CELLS = 64
_LARGEST_LOGIT = np.float32(1e8)
_LARGEST_HEADER = 100_000_000
_NEWEST_FORMAT = 1

Array = np.ndarray


class Heads(NamedTuple):
    """What a bot's network says of some rows."""

    logits: Array  # [rows, mask_size] of all choices, before the mask
    mean: Array  # [rows, value_count] of the continuous values, in the game's units, clipped to their ranges
    std: Array  # [value_count] the same units
    value: Array  # [rows] the expected rest of the return
    memory: Array  # [rows, memory] after the decision


class Bot:
    """A trained player.

    Observations are one row [observation_size], rows [n, observation_size], or a dict of arrays by part; masks likewise
    [mask_size] or [n, mask_size], of 0 and 1, or None: all is allowed. A bot with a memory (`bot.memory` is its width) is
    also given that of its players, an array of `bot.start(n)` that act() brings up to date; a player's row is zero when
    its match begins.

    A bot that sees rules which were drawn while it learnt has the part `rules` after those of the game: docs/formats/bot.md.
    What `limits` says (steps of reaction, steps between decisions) is the caller's to keep.
    """

    path: str
    game: str
    steps: int  # decisions it was trained on
    limits: Tuple[int, int]  # (steps that it takes to react, steps from one decision to the next)
    observation: List[ObservationPart]
    action: List[ActionPart]
    memory: int

    @staticmethod
    def load(path: Union[str, "os.PathLike[str]"]) -> "Bot":
        """The bot of a file. Raises RivalError, which names the file and what is wrong with it."""
        return Bot(os.fspath(path))

    def __init__(self, path: str) -> None:
        self.path = path
        tensors, metadata = _read_safetensors(path)
        about, parts = _json_of(metadata, "rival", path), _json_of(metadata, "parts", path)
        if about.get("format") != _NEWEST_FORMAT:
            raise RivalError(f"{path}: its format is {about.get('format')}; this version of the package reads {_NEWEST_FORMAT}")
        try:
            self.game, self.steps = str(about["game"]), int(about.get("steps", 0))
            self.limits = tuple(about.get("limits", (0, 1)))  # type: ignore[assignment]
            self.observation = [_observation_part(p) for p in parts["observation"]]
            self.action = [_action_part(p) for p in parts["action"]]
            hidden = [int(h) for h in about["hidden"]]
            self.memory = int(about.get("memory", 0))
            reading, entity = str(about.get("grid", "auto")), int(about.get("entity", 64))
            inner = about.get("entity_inner", 0)
            if type(inner) is not int or not 0 <= inner <= 1024:
                raise ValueError(f"'entity_inner' must be 0 to 1024, is {json.dumps(inner)}")
        except (KeyError, TypeError, ValueError) as error:
            raise RivalError(f"{path}: its metadata is not a bot's: {type(error).__name__}: {error}") from error
        self.spec = Spec(self.game, self.observation, self.action)
        self.layout = Layout(self.spec)
        self.observation_size = self.layout.observation_size
        self.mask_size, self.value_count = self.layout.mask_size, self.layout.value_count
        self._tensors, self._left = tensors, set(tensors)
        self._build(hidden, reading, entity, inner)
        if self._left:
            raise RivalError(f"{path}: the tensor '{sorted(self._left)[0]}' belongs to nothing")
        del self._tensors, self._left

    # ---- what callers use ----

    def start(self, rows: int = 1) -> Array:
        """The memories of so many players at the beginning of their matches: zeros [rows, memory]."""
        return np.zeros((rows, self.memory), np.float32)

    def evaluate(self, observation: Any, memory: Optional[Array] = None) -> Heads:
        """All that the network says; `memory` [rows, memory] stays as it is."""
        rows, _ = self._rows(observation)
        return self._forward(rows, memory)

    def probabilities(
        self, observation: Any, mask: Any = None, memory: Optional[Array] = None, temperature: float = 1.0
    ) -> Array:
        """How likely each choice is, [mask_size] or [rows, mask_size]: each discrete part sums to 1, or is zero where
        nothing is allowed. Of a part that depends on another: given that it counts. Memories stay."""
        rows, one = self._rows(observation)
        p = self._probabilities(self._forward(rows, memory).logits, self._mask(mask, len(rows)), temperature)
        return p[0] if one else p

    def value(self, observation: Any, memory: Optional[Array] = None) -> Any:
        """The expected rest of the return."""
        rows, one = self._rows(observation)
        value = self._forward(rows, memory).value
        return float(value[0]) if one else value

    def act(
        self,
        observation: Any,
        mask: Any = None,
        memory: Optional[Array] = None,
        temperature: float = 1.0,
        random: Optional[np.random.Generator] = None,
    ) -> Any:
        """Decides, and brings `memory` up to date. At temperature 1 it plays as it was trained, at 0 what is most likely.

        A game with one discrete part gets a number, one with one continuous part an array, others a dict by part; of
        several rows, arrays of them with the row first.
        """
        rows, one = self._rows(observation)
        choices, values = self.act_rows(rows, mask, memory, temperature, random)
        made: Dict[str, Any] = {}
        for i, part in enumerate(self.action):
            c, v = self.layout.choice_index[i], self.layout.value_offset[i]
            taken = choices[:, c] if part.is_choice else values[:, v : v + part.size]
            made[part.name] = (int(taken[0]) if part.is_choice else taken[0]) if one else taken
        return next(iter(made.values())) if len(made) == 1 else made

    def act_rows(
        self,
        rows: Array,
        mask: Any = None,
        memory: Optional[Array] = None,
        temperature: float = 1.0,
        random: Optional[np.random.Generator] = None,
    ) -> Tuple[Array, Array]:
        """The same for rows [n, observation_size]: choices int32 [n, choices], values float32 [n, values]."""
        random = random or _random()
        heads = self._forward(rows, memory)
        if self.memory:
            assert memory is not None
            memory[...] = heads.memory
        n = len(rows)
        masks = self._mask(mask, n)
        p = self._probabilities(heads.logits, masks, temperature if temperature > 0 else 1.0)
        choices = np.zeros((n, self.layout.choice_count), np.int32)
        values = heads.mean.copy()
        for i, part in enumerate(self.action):
            counts = self._counts(part, choices, n)
            if part.is_choice:
                first, c = self.layout.mask_offset[i], self.layout.choice_index[i]
                own = p[:, first : first + part.size]
                allowed = masks[:, first : first + part.size] != 0
                if (counts & ~allowed.any(axis=1)).any():
                    raise RivalError(f"{self.path}: the mask allows nothing in '{part.name}'")
                if temperature <= 0:
                    drawn = own.argmax(axis=1)
                else:
                    total = own.cumsum(axis=1)
                    drawn = (total <= random.random(n)[:, None] * total[:, -1:]).sum(axis=1)
                    last = part.size - 1 - allowed[:, ::-1].argmax(axis=1)  # takes what rounding leaves over
                    drawn = np.minimum(drawn, last)
                choices[:, c] = np.where(counts, drawn, allowed.argmax(axis=1))
            else:
                first = self.layout.value_offset[i]
                columns = slice(first, first + part.size)
                if temperature > 0:
                    noise = random.standard_normal((n, part.size)).astype(np.float32) * np.float32(temperature)
                    raw = self._raw_mean[:, columns] + noise * np.exp(self._log_std[columns])
                    values[:, columns] = self._scaled(raw, columns)
                middle = np.float32((part.low + part.high) / 2)
                values[:, columns] = np.where(counts[:, None], values[:, columns], middle)
        return choices, values

    def fits(self, spec: Spec) -> None:
        """Raises RivalError, with the first part that differs, if the bot was made for other observations or actions."""
        for kind, then, now in (
            ("observation", self.observation, spec.observation),
            ("action", self.action, [_resolved(spec, p) for p in spec.action]),
        ):
            for number in range(max(len(then), len(now))):
                a = then[number] if number < len(then) else None
                b = now[number] if number < len(now) else None
                if a != b:
                    raise RivalError(
                        f"{self.path} was made for another game than '{spec.name}' as it is now: its {kind} part {number} is "
                        f"{a or 'not there'}, the game's {b or 'not there'}"
                    )

    # ---- rows ----

    def _rows(self, observation: Any) -> Tuple[Array, bool]:
        if isinstance(observation, Mapping):
            pieces = []
            one = False
            for part in self.observation:
                if part.name not in observation:
                    raise RivalError(f"{self.path}: the observation has no part '{part.name}'")
                piece = np.asarray(observation[part.name], np.float32)
                alone = piece.shape in (part.shape, (part.size,))
                if not alone and piece.shape[1:] not in (part.shape, (part.size,)):
                    raise RivalError(
                        f"{self.path}: observation part '{part.name}' has the shape {piece.shape}, should have {part.shape}"
                    )
                one |= alone
                pieces.append(piece.reshape(1 if alone else len(piece), -1))
            return np.concatenate(pieces, axis=1), one
        rows = np.asarray(observation, np.float32)
        if rows.shape == (self.observation_size,):
            return rows[None, :], True
        if rows.ndim == 2 and rows.shape[1] == self.observation_size:
            return rows, False
        raise RivalError(
            f"{self.path}: the observation has the shape {rows.shape}, should have ({self.observation_size},) or "
            f"(rows, {self.observation_size})"
        )

    def _mask(self, mask: Any, n: int) -> Array:
        if mask is None or self.mask_size == 0:
            return np.ones((n, self.mask_size), np.uint8)
        if isinstance(mask, Mapping):
            mask = np.concatenate(
                [np.asarray(mask[p.name]).reshape(n, -1) for p in self.action if p.is_choice], axis=1
            )
        masks = np.asarray(mask).reshape(-1, self.mask_size) if np.size(mask) == n * self.mask_size else np.asarray(mask)
        if masks.shape != (n, self.mask_size):
            raise RivalError(f"{self.path}: the mask has the shape {masks.shape}, should have ({n}, {self.mask_size})")
        return masks

    def _probabilities(self, logits: Array, masks: Array, temperature: float) -> Array:
        # A temperature so low that it would take a row's logits out of range is raised for that row.
        largest = np.abs(logits).max(axis=1, keepdims=True, initial=0)
        factor = np.float32(min(1 / temperature, float(_LARGEST_LOGIT))) if temperature > 0 else _LARGEST_LOGIT
        with np.errstate(divide="ignore", over="ignore"):
            scale = np.where(largest * factor <= _LARGEST_LOGIT, factor, _LARGEST_LOGIT / np.maximum(largest, 1e-30))
        scaled = (logits * scale).astype(np.float32)
        out = np.zeros_like(scaled)
        for i, part in enumerate(self.action):
            if not part.is_choice:
                continue
            own = slice(self.layout.mask_offset[i], self.layout.mask_offset[i] + part.size)
            allowed = masks[:, own] != 0
            top = np.where(allowed, scaled[:, own], -np.inf).max(axis=1, keepdims=True)
            top = np.where(np.isfinite(top), top, 0)
            e = np.where(allowed, np.exp(np.clip(scaled[:, own] - top, -80, 0)), 0)
            total = e.sum(axis=1, keepdims=True)
            out[:, own] = e / np.where(total > 0, total, 1)
        return out

    def _counts(self, part: ActionPart, choices: Array, n: int) -> Array:
        if not part.when_choices:
            return np.ones(n, bool)
        assert isinstance(part.when_part, int)
        return np.isin(choices[:, self.layout.choice_index[part.when_part]], part.when_choices)

    # ---- the network ----

    def _tensor(self, name: str, *shape: int) -> Array:
        tensor = self._tensors.get(name)
        if tensor is None:
            raise RivalError(f"{self.path}: the tensor '{name}' is missing")
        if tensor.shape != shape:
            raise RivalError(f"{self.path}: the tensor '{name}' has the shape {list(tensor.shape)}, should have {list(shape)}")
        if not np.isfinite(tensor).all():
            raise RivalError(f"{self.path}: the tensor '{name}' holds a value that is not finite")
        self._left.discard(name)
        return tensor

    def _dense(self, name: str, size_in: int, size_out: int) -> Tuple[Array, Array]:
        return self._tensor(name + ".weight", size_in, size_out), self._tensor(name + ".bias", size_out)

    def _build(self, hidden: List[int], reading: str, entity: int, inner: int) -> None:
        self._flat: List[slice] = []
        self._convolved: List[Tuple[slice, ObservationPart, List[Tuple[int, Array, Array]]]] = []
        self._encoders: List[Tuple[slice, ObservationPart, List[Tuple[Array, Array]]]] = []
        entities: List[Tuple[slice, ObservationPart]] = []
        encoder_of: Dict[int, int] = {}
        trunk_in = flat = 0
        for number, (part, first) in enumerate(zip(self.observation, self.layout.observation_offset)):
            columns = slice(first, first + part.size)
            if part.kind == "entities":
                encoder_of[number] = len(entities)
                entities.append((columns, part))
            elif part.kind == "grid" and (reading == "convolution" or (reading == "auto" and part.size > _LARGE_GRID)):
                layers: List[Tuple[int, Array, Array]] = []
                channels, height, width, out = part.channels, part.height, part.width, 16
                while True:
                    stride = 2 if height * width > _LAST_STACK_CELLS else 1
                    layers.append((stride, *self._dense(f"encoder.{part.name}.{len(layers)}", 9 * channels, out)))
                    height, width = (height - 1) // stride + 1, (width - 1) // stride + 1
                    channels, out = out, min(2 * out, 64)
                    if height * width <= _LAST_STACK_CELLS:
                        break
                self._convolved.append((columns, part, layers))
                trunk_in += height * width * channels
            else:
                self._flat.append(columns)
                flat += part.size
                trunk_in += part.size
        for columns, part in entities:
            name = "encoder." + part.name
            if inner == 0:
                dense = [self._dense(name, part.width, entity)]
            else:  # the first layer reads the flat parts as well
                dense = [self._dense(name, part.width + flat, inner), self._dense(name + ".1", inner, entity)]
            self._encoders.append((columns, part, dense))
        size = trunk_in + entity * len(self._encoders)
        self._trunk = []
        for i, width in enumerate(hidden):
            self._trunk.append(self._dense(f"trunk.{i}", size, width))
            size = width
        if self.memory not in (0, size):
            raise RivalError(f"{self.path}: its memory of {self.memory} is not as wide as the last layer, {size}")
        self._memory = self._dense("memory", size, 2 * size) if self.memory else None
        own = [i for i, p in enumerate(self.action) if p.kind == "discrete"]
        self._head_columns = np.concatenate(
            [np.arange(self.layout.mask_offset[i], self.layout.mask_offset[i] + self.action[i].size) for i in own]
            + [np.arange(self.mask_size, self.mask_size + self.value_count + 1)]
        )
        self._head = self._dense("head", size, len(self._head_columns))
        self._targets = []
        for i, target in enumerate(self.action):
            if target.kind == "target":
                assert isinstance(target.entities, int)
                query = self._dense("target." + target.name, size, entity)
                self._targets.append((encoder_of[target.entities], self.layout.mask_offset[i], target.size, *query))
        n = self.value_count
        self._log_std = self._tensor("action.log_std", n) if n else np.zeros(0, np.float32)
        ranges = [(p.low, p.high) for p in self.action if not p.is_choice for _ in range(p.size)]
        self._low = np.array([r[0] for r in ranges], np.float32)
        self._high = np.array([r[1] for r in ranges], np.float32)
        self._mean = self._tensor("observation.mean", self.observation_size)
        self._scale = self._tensor("observation.scale", self.observation_size)
        self._value_mean, self._value_scale = self._tensor("value.mean_and_scale", 2)

    def _scaled(self, raw: Array, own: slice) -> Array:
        """Values in units in which their range is [-1, 1] -> the game's, clipped."""
        low, high = self._low[own], self._high[own]
        return np.clip(low + (raw + np.float32(1)) * np.float32(0.5) * (high - low), low, high)

    def _forward(self, rows: Array, memory: Optional[Array]) -> Heads:
        n = len(rows)
        if self.memory and memory is None:
            raise RivalError(f"{self.path}: it has a memory: pass memory=bot.start(rows), and keep it through the match")
        if memory is not None and np.shape(memory) != (n, self.memory):
            raise RivalError(f"{self.path}: the memory has the shape {np.shape(memory)}, should have {(n, self.memory)}")
        x = np.clip((rows - self._mean) * self._scale, -10, 10).astype(np.float32, copy=False)
        pieces = [x[:, columns] for columns in self._flat]
        flat = np.concatenate(pieces, axis=1) if pieces else x[:, :0]
        for columns, part, layers in self._convolved:
            cells = x[:, columns].reshape(n, *part.shape).transpose(0, 2, 3, 1)
            for stride, w, b in layers:
                cells = _convolve(cells, stride, w, b)
            pieces.append(cells.reshape(n, -1))
        encoded = []
        for columns, part, dense in self._encoders:
            entities = x[:, columns].reshape(n, part.height, part.width)
            w, b = dense[0]
            if len(dense) == 2:  # what comes of the flat parts is the same for all entities of a row
                w, b = w[: part.width], (flat @ w[part.width :] + b)[:, None, :]
            e = np.maximum(entities @ w + b, 0)
            for w, b in dense[1:]:
                e = np.maximum(e @ w + b, 0)
            e = e * (entities[:, :, :1] != 0)
            encoded.append(e)
            pieces.append(e.max(axis=1))
        y = np.concatenate(pieces, axis=1)
        for w, b in self._trunk:
            y = np.maximum(y @ w + b, 0)
        after = np.zeros((n, 0), np.float32)
        if self._memory is not None:
            assert memory is not None
            gates = y @ self._memory[0] + self._memory[1]
            with np.errstate(over="ignore"):
                z = 1 / (1 + np.exp(-gates[:, : self.memory]))
            after = (memory + z * (gates[:, self.memory :] - memory)).astype(np.float32)
            y = y + after
        heads = np.zeros((n, self.mask_size + self.value_count + 1), np.float32)
        heads[:, self._head_columns] = y @ self._head[0] + self._head[1]
        for k, column, count, w, b in self._targets:
            query = y @ w + b
            heads[:, column : column + count] = np.einsum("nc,nic->ni", query, encoded[k]) / np.sqrt(
                np.float32(query.shape[1])
            )
        self._raw_mean = heads[:, self.mask_size : self.mask_size + self.value_count]
        return Heads(
            heads[:, : self.mask_size],
            self._scaled(self._raw_mean, slice(0, self.value_count)),
            np.exp(self._log_std) * (self._high - self._low) / 2,
            self._value_mean + self._value_scale * heads[:, -1],
            after,
        )


def _convolve(cells: Array, stride: int, w: Array, b: Array) -> Array:
    """[n, height, width, channels], 3x3 with padding 1, then ReLU."""
    n, height, width, channels = cells.shape
    out_height, out_width = (height - 1) // stride + 1, (width - 1) // stride + 1
    padded = np.zeros((n, height + 2, width + 2, channels), np.float32)
    padded[:, 1:-1, 1:-1] = cells
    patches = np.empty((n, out_height, out_width, 9, channels), np.float32)
    for ky in range(3):
        for kx in range(3):
            patches[:, :, :, ky * 3 + kx] = padded[
                :, ky : ky + stride * out_height : stride, kx : kx + stride * out_width : stride
            ][:, :out_height, :out_width]
    return np.maximum(patches.reshape(n, out_height, out_width, -1) @ w + b, 0)


_shared_random: Optional[np.random.Generator] = None


def _random() -> np.random.Generator:
    global _shared_random
    if _shared_random is None:
        _shared_random = np.random.default_rng()
    return _shared_random


def _observation_part(p: Dict[str, Any]) -> ObservationPart:
    if p["kind"] == "grid":
        return ObservationPart(p["name"], "grid", int(p["channels"]), int(p["height"]), int(p["width"]))
    if p["kind"] == "entities":
        return ObservationPart(p["name"], "entities", 1, int(p["count"]), int(p["features"]))
    if p["kind"] != "vector":
        raise ValueError(f"a part of kind {p['kind']}")
    return ObservationPart(p["name"], "vector", 1, 1, int(p["size"]))


def _action_part(p: Dict[str, Any]) -> ActionPart:
    if p["kind"] not in ("discrete", "target", "continuous"):
        raise ValueError(f"a part of kind {p['kind']}")
    part = ActionPart(
        p["name"], p["kind"], int(p["size"]), float(p.get("low", -1)), float(p.get("high", 1)), int(p.get("entities", -1))
    )
    return part.when(int(p["when"]["part"]), p["when"]["choices"]) if "when" in p else part


def _resolved(spec: Spec, part: ActionPart) -> ActionPart:
    """The part with numbers for the names of other parts, and ranges as the file has them."""
    from dataclasses import replace

    low, high = float(np.float32(part.low)), float(np.float32(part.high))
    entities = spec.observation_number(part.entities) if part.kind == "target" else -1
    when = spec.action_number(part.when_part) if part.when_choices else -1
    return replace(part, low=low, high=high, entities=entities, when_part=when)


def _json_of(metadata: Dict[str, str], key: str, path: str) -> Dict[str, Any]:
    try:
        found = json.loads(metadata[key])
    except KeyError:
        raise RivalError(f"{path}: it is no bot of Rival: its metadata has no '{key}'") from None
    except ValueError as error:
        raise RivalError(f"{path}: its metadata '{key}' is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise RivalError(f"{path}: its metadata '{key}' is no JSON object")
    return found


def _read_safetensors(path: str) -> Tuple[Dict[str, Array], Dict[str, str]]:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise RivalError(f"{path}: {error.strerror}") from error
    if len(data) < 8:
        raise RivalError(f"{path}: it is no safetensors file: it ends before its header")
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(len(data) - 8, _LARGEST_HEADER):
        raise RivalError(f"{path}: it is no safetensors file: its header would be {length} bytes long")
    try:
        header = json.loads(data[8 : 8 + length])
        metadata = header.pop("__metadata__", {})
        body = memoryview(data)[8 + length :]
        tensors = {}
        for name, about in header.items():
            if about["dtype"] != "F32":
                raise ValueError(f"the tensor '{name}' is of type {about['dtype']}, should be F32")
            first, last = about["data_offsets"]
            shape = tuple(int(n) for n in about["shape"])
            if not 0 <= first <= last <= len(body) or last - first != 4 * int(np.prod(shape, dtype=np.int64)):
                raise ValueError(f"the tensor '{name}' does not fit its place")
            tensors[name] = np.frombuffer(body[first:last], "<f4").reshape(shape)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RivalError(f"{path}: it is no safetensors file: {error}") from error
    return tensors, metadata
