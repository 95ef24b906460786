"""Rival for Python: games as classes, the environments of others as games, and trained bots as objects."""
from .bot import Bot
from .check import check_batch
from .errors import GameError, MissingPackage, RivalError
from .game import Game, GameBatch
from .server import Server
from .sources import Source, open_class
from .sources import open_source as open  # noqa: A001
from .spec import (
    FINISHED,
    RUNNING,
    TRUNCATED,
    Choice,
    Parameter,
    Settings,
    Spec,
    Status,
    continuous,
    discrete,
    entities,
    grid,
    target,
    vector,
)

__version__ = "0.1.0"
__all__ = [
    "Bot", "Choice", "FINISHED", "Game", "GameBatch", "GameError", "MissingPackage", "Parameter", "RUNNING", "RivalError",
    "Server", "Settings", "Source", "Spec", "Status", "TRUNCATED", "check_batch", "continuous", "discrete", "entities",
    "grid", "open", "open_class", "openspiel_policy", "target", "vector",
]  # fmt: skip


def openspiel_policy(bot, game):
    """A `Bot` as a policy of OpenSpiel, for its evaluators: see rival.adapters.openspiel.policy."""
    from .adapters.openspiel import policy

    return policy(bot, game)
