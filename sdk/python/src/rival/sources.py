"""Games by the names that the command line takes."""
from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
from typing import Any, Callable, Tuple
from urllib.parse import unquote

from .batch import Batch
from .errors import RivalError
from .spec import Spec


class Source:
    """A game by its name: `make_batch(matches)`, or just source(matches), makes a batch of it."""

    def __init__(self, name: str, make_batch: Callable[[int], Batch]) -> None:
        self.name, self.make_batch = name, make_batch

    def __call__(self, matches: int) -> Batch:
        return self.make_batch(matches)

    @property
    def spec(self) -> Spec:
        batch = self.make_batch(1)
        try:
            return batch.spec
        finally:
            batch.close()


def open_source(name: str) -> Source:
    """The game of this name: `file.py:Class`, `module:Class`, `gym:ID[?key=value&...]`,
    `pettingzoo:FAMILY/NAME[?...]` or `openspiel:GAMESTRING`. Raises RivalError, which says what is wrong with it."""
    kind, _, rest = name.partition(":")
    if kind == "gym":
        from .adapters.gym import GymBatch

        return Source(name, lambda matches: GymBatch(rest, matches))
    if kind == "pettingzoo":
        from .adapters.pettingzoo import PettingZooBatch

        return Source(name, lambda matches: PettingZooBatch(rest, matches))
    if kind == "openspiel":
        from .adapters.openspiel import OpenSpielBatch

        return Source(name, lambda matches: OpenSpielBatch(rest, matches))
    path, colon, class_name = name.rpartition(":")
    if not colon:
        raise RivalError(
            f"'{name}' is no game: a class is named as my_game.py:MyGame, an environment as gym:CartPole-v1, "
            "pettingzoo:classic/connect_four_v3 or openspiel:kuhn_poker"
        )
    return open_class(_class_named(path, class_name), name)


def open_class(game: Any, name: str = "") -> Source:
    """A class of yours that is a `Game`, or has its members."""
    from .game import GameBatch

    return Source(name or game.__name__, lambda matches: GameBatch(game, matches))


def _class_named(path: str, class_name: str) -> Any:
    from .game import Game

    if path.endswith(".py"):
        full = os.path.abspath(path)
        if not os.path.exists(full):
            raise RivalError(f"'{path}:{class_name}': there is no file {full}")
        name = os.path.splitext(os.path.basename(full))[0]
        spec = importlib.util.spec_from_file_location(name, full)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        folder = os.path.dirname(full)
        if folder not in sys.path:
            sys.path.insert(0, folder)  # what it imports from beside itself
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise RivalError(f"'{path}' cannot be imported: {type(error).__name__}: {error}") from error
    else:
        try:
            module = importlib.import_module(path)
        except ImportError as error:
            raise RivalError(f"'{path}:{class_name}': {error}; a file is named with its ending, as in my_game.py") from error
    found = getattr(module, class_name, None)
    if not inspect.isclass(found):
        games = [n for n, v in vars(module).items() if inspect.isclass(v) and issubclass(v, Game) and v is not Game]
        has = f"; it has {', '.join(games)}" if games else "; it has no class that is a rival.Game"
        raise RivalError(f"'{path}' has no class {class_name}{has}")
    if not issubclass(found, Game):
        raise RivalError(f"{class_name} of '{path}' is no game: derive it from rival.Game")
    return found


def split_options(text: str) -> Tuple[str, dict]:
    """'ID?key=value&key=value' as ID and a dict, with values as numbers, truth values and None where they are such."""
    name, _, query = text.partition("?")
    options = {}
    for pair in query.split("&") if query else []:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise RivalError(f"'{text}': what follows the '?' should be key=value, several with & between them")
        options[unquote(key)] = plain_value(unquote(value))
    return name, options


def plain_value(text: str) -> Any:
    import ast

    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
