"""Games of OpenSpiel: `openspiel:GAMESTRING`, as pyspiel.load_game() takes it; and Rival's bots as policies of OpenSpiel."""
from __future__ import annotations

import difflib
import itertools
from typing import Any, Dict, List, Optional, Tuple, Union, cast

import numpy as np

from ..batch import Batch
from ..errors import GameError, MissingPackage, RivalError
from ..sources import split_options
from ..spec import FINISHED, RUNNING, ObservationPart, Spec, discrete, grid, plain_name, vector

try:
    import pyspiel
    from open_spiel.python.observation import INFO_STATE_OBS_TYPE, make_observation
except ImportError as error:
    raise MissingPackage("open_spiel", "a game of OpenSpiel") from error

_MOST_CHOICES = 1 << 20
_CHANCE, _TERMINAL = int(pyspiel.PlayerId.CHANCE), int(pyspiel.PlayerId.TERMINAL)
_LARGE = 1024  # numbers from which on a matrix is read as a picture
_OWN = ("seat",)


class View:
    """How a game of OpenSpiel is seen and played: its Spec, and rows of a state. All states of the game share one."""

    def __init__(self, game: Any, name: str, own: Optional[Dict[str, Any]] = None) -> None:
        own = own or {}
        kind = game.get_type()
        who = self.who = f"openspiel:{name}"
        self.game = game
        if kind.dynamics == pyspiel.GameType.Dynamics.MEAN_FIELD:
            raise RivalError(f"{who}: a mean field game has a population instead of players, which Rival cannot play")
        self.simultaneous = kind.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS and game.num_players() > 1
        self.players = game.num_players()
        self.choices = game.num_distinct_actions()
        if not 1 <= self.players <= 64:
            raise RivalError(f"{who}: it has {self.players} players; Rival takes 1 to 64")
        if not 1 <= self.choices <= _MOST_CHOICES:
            raise RivalError(f"{who}: it has {self.choices} actions; Rival takes at most {_MOST_CHOICES}")
        perfect = kind.information == pyspiel.GameType.Information.PERFECT_INFORMATION
        # What a player knows, with all it remembers, where something is hidden; elsewhere what it sees now.
        if perfect:
            self.remembers = not kind.provides_observation_tensor
        else:
            self.remembers = kind.provides_information_state_tensor
        if not (kind.provides_information_state_tensor if self.remembers else kind.provides_observation_tensor):
            raise RivalError(
                f"{who}: it gives neither an observation tensor nor an information state tensor, so there is nothing for a "
                "network to see"
            )
        shape = [int(n) for n in (game.information_state_tensor_shape() if self.remembers else game.observation_tensor_shape())]
        layout = game.information_state_tensor_layout() if self.remembers else game.observation_tensor_layout()
        self.size = int(np.prod(shape, dtype=np.int64))
        self._planes: Optional[Tuple[int, int, int]] = None  # of a tensor whose channels come last
        what = "information_state" if self.remembers else "observation"
        if len(shape) == 3 and min(shape) > 0:
            if layout == pyspiel.TensorLayout.HWC:
                self._planes = (shape[0], shape[1], shape[2])
                shape = [shape[2], shape[0], shape[1]]
            observation: List[ObservationPart] = [grid(what, *shape)]
        elif len(shape) == 2 and self.size > _LARGE:
            observation = [grid(what, 1, *shape)]
        else:
            observation = [vector(what, self.size)]
        self.seat_at = -1
        if self.players > 1 and own.get("seat", True):
            self.seat_at = self.size
            observation.append(vector("seat", self.players))
        self.terminal_rewards = kind.reward_model == pyspiel.GameType.RewardModel.TERMINAL
        self.spec = Spec(
            name=plain_name("openspiel_" + name),
            description=f"{kind.long_name} of OpenSpiel".replace("\n", " "),
            source="OpenSpiel",
            seats=self.players,
            observation=observation,
            action=[discrete("action", self.choices)],
            simultaneous=self.simultaneous,
            hidden_information=not perfect,
            max_steps=max(0, int(game.max_game_length())),
        )
        self.spec.validate()
        self._observer = self._fast_observer()
        if self._observer is not None:  # what is called for every row
            inner = getattr(self._observer, "_observation", None)
            self._set_from = getattr(inner, "set_from", self._observer.set_from)
            self._tensor_seen = self._observer.tensor

    def _fast_observer(self) -> Any:
        """An observer that writes into an array of its own; None where a game only gives lists."""
        try:
            observer = make_observation(self.game, INFO_STATE_OBS_TYPE if self.remembers else None)
            if observer is None or observer.tensor is None or len(observer.tensor) != self.size:
                return None
            state = self.game.new_initial_state()
            for number in range(1000):
                if not state.is_chance_node():
                    break
                state.apply_action(_draw(state, uniform(0, number)))
            if not state.is_terminal() and not state.is_chance_node():
                observer.set_from(state, 0)
                if not np.array_equal(observer.tensor, np.asarray(self._tensor(state, 0), np.float32)):
                    return None
            return observer
        except Exception:  # not all games can; the lists say the same
            return None

    def _tensor(self, state: Any, player: int) -> List[float]:
        return state.information_state_tensor(player) if self.remembers else state.observation_tensor(player)

    def write(self, state: Any, player: int, row: np.ndarray) -> None:
        """What the player sees, but for the part that says which one it is."""
        if self._observer is not None:
            self._set_from(state, player)
            tensor = self._tensor_seen
        else:
            tensor = self._tensor(state, player)
        if self._planes is not None:
            tensor = np.asarray(tensor, np.float32).reshape(self._planes).transpose(2, 0, 1).reshape(-1)
        row[: self.size] = tensor


class OpenSpielBatch(Batch):
    """Many matches of one game of OpenSpiel, in one loop.

    Games of imperfect information are seen by their information state, the others by their observation. Chance is
    drawn here, from the match's key. In games of several players the returns are the result; in those of one player its
    rewards come as they are given. Nothing is scaled.
    """

    def __init__(self, name: str, matches: int) -> None:
        text, options = split_options(name)
        own = {key[6:]: value for key, value in options.items() if key.startswith("rival.")}
        if len(own) != len(options) or set(own) - set(_OWN):
            raise RivalError(
                f"openspiel:{name}: arguments of a game stand in brackets, as in breakthrough(rows=6,columns=6); after a '?' "
                "there may be rival.seat=false"
            )
        game = _load(text)
        self.view = View(game, text, own)
        several = self.view.players > 1
        super().__init__(
            self.view.spec,
            max(1, matches),
            legal=True,
            result=several,
            text=True,
            seat_text=True,
            action_text=True,
            copy=True,
        )
        self.who = self.view.who
        self._game = game
        self._states: List[Any] = [None] * self.matches
        self._keys: List[int] = [0] * self.matches
        self._drawn: List[int] = [0] * self.matches  # how many numbers of its key a match has used
        self._before: List[List[float]] = [[] for _ in range(self.matches)]  # returns so far, where rewards are wanted
        self._player: List[int] = [0] * self.matches  # whose turn it is
        self._ended: List[int] = []
        self._rows_of: Any = None  # the array of the last observe()
        self._rows: List[np.ndarray] = []  # its rows

    def start(self, matches: np.ndarray, parameters: np.ndarray, picks: np.ndarray, keys: np.ndarray) -> None:
        for m, key in zip(np.asarray(matches).tolist(), np.asarray(keys).tolist()):
            self.steps[m], self._keys[m], self._drawn[m] = 0, key, 0
            try:
                self._states[m] = self._game.new_initial_state()
                self.status[m] = int(RUNNING)
                self._after_chance(m)
                if not self.has["result"]:
                    self._before[m] = self._states[m].returns()
            except Exception as error:
                raise self._raised("new_initial_state()", m, error) from error

    def observe(self, observations: np.ndarray, masks: np.ndarray, seats: np.ndarray) -> None:
        observations[...] = 0
        masks[...] = 0
        seats[...] = -1
        write, per, simultaneous = self.view.write, self.rows_per_match, self.view.simultaneous
        status = self.status
        if self._rows_of is not observations:
            self._rows_of, self._rows = observations, list(observations)
        rows, places, players, allowed = self._rows, [], [], []
        m = 0
        try:
            for m, state in enumerate(self._states):
                if status[m]:
                    continue
                if simultaneous:
                    for player, legal in self._acting(state):
                        places.append(m * per + player)
                        players.append(player)
                        allowed.append(legal)
                        write(state, player, rows[m * per + player])
                else:
                    player = self._player[m]
                    places.append(m)
                    players.append(player)
                    allowed.append(state.legal_actions())
                    write(state, player, rows[m])
        except Exception as error:
            raise self._raised("observe()", m, error) from error
        seats[places] = players
        if self.view.seat_at >= 0:
            observations[places, self.view.seat_at + np.array(players, np.int64)] = 1
        of = np.repeat(np.array(places, np.int64), [len(legal) for legal in allowed])
        masks[of, np.fromiter(itertools.chain.from_iterable(allowed), np.int64, len(of))] = 1
        if not np.isfinite(observations).all():
            self.refuse_unfinite(observations, "observe()", self.who)

    def step(self, choices: np.ndarray, values: np.ndarray, rewards: np.ndarray, status: np.ndarray) -> None:
        rewards[...] = 0
        self._ended = []
        taken = choices[:, 0].tolist()
        per, gives, simultaneous = self.rows_per_match, not self.has["result"], self.view.simultaneous
        now, steps = self.status, self.steps
        m = 0
        try:
            for m, state in enumerate(self._states):
                if now[m]:
                    continue
                if simultaneous and state.is_simultaneous_node():
                    joint = [0] * self.view.players
                    for player in range(self.view.players):
                        legal = state.legal_actions(player)
                        if legal:
                            joint[player] = taken[m * per + player]
                    state.apply_actions(joint)
                elif simultaneous:
                    state.apply_action(taken[m * per + state.current_player()])
                else:
                    state.apply_action(taken[m])
                steps[m] += 1
                self._after_chance(m)
                if gives:
                    returns = state.returns()
                    rewards[m] = np.subtract(returns, self._before[m])
                    self._before[m] = returns
                if now[m]:
                    self._ended.append(m)
        except Exception as error:
            raise self._raised("apply_action()", m, error) from error
        if not np.isfinite(rewards).all():
            m = int(np.argwhere(~np.isfinite(rewards))[0][0])
            raise GameError(f"{self.who}.returns()", "a reward is not finite", m, self.steps[m])
        status[...] = self.status

    def results(self, results: np.ndarray) -> None:
        if not self.has["result"]:
            return
        if not self._ended:
            return
        results[self._ended] = [self._states[m].returns() for m in self._ended]
        if not np.isfinite(results[self._ended]).all():
            m = next(m for m in self._ended if not np.isfinite(results[m]).all())
            raise GameError(f"{self.who}.returns()", f"the returns are {results[m].tolist()}", m, self.steps[m])

    def observe_seat(self, match: int, seat: int, observation: np.ndarray, mask: Optional[np.ndarray] = None) -> None:
        observation[...] = 0
        state = self._states[match]
        if mask is not None:
            mask[...] = 0
        if state is None:
            return
        try:
            self.view.write(state, seat, observation)
            if self.view.seat_at >= 0:
                observation[self.view.seat_at + seat] = 1
            if mask is not None and self.status[match] == RUNNING:
                mask[dict(self._acting(state)).get(seat, [])] = 1
        except Exception as error:
            raise self._raised("observe()", match, error, seat) from error

    def text(self, match: int) -> str:
        return str(self._states[match])

    def seat_text(self, match: int, seat: int) -> str:
        kind, state = self._game.get_type(), self._states[match]
        if kind.information == pyspiel.GameType.Information.PERFECT_INFORMATION:
            return str(state)
        if kind.provides_information_state_string:
            return str(state.information_state_string(seat))
        return str(state.observation_string(seat)) if kind.provides_observation_string else ""

    def action_text(self, match: int, seat: int, choice: int) -> str:
        try:
            return str(self._states[match].action_to_string(seat, choice))
        except Exception:  # not an action of this position
            return str(choice)

    def copy(self, match: int, into: int, key: Optional[int] = None, source: Optional[Batch] = None) -> bool:
        other = self if source is None else cast(OpenSpielBatch, source)
        self._states[into] = other._states[match].clone()
        self.status[into], self.steps[into] = other.status[match], other.steps[match]
        self._player[into], self._before[into] = other._player[match], list(other._before[match])
        self._keys[into], self._drawn[into] = (other._keys[match], other._drawn[match]) if key is None else (key, 0)
        return True

    # ---- one match ----

    def _acting(self, state: Any) -> List[Tuple[int, List[int]]]:
        if not (self.view.simultaneous and state.is_simultaneous_node()):
            return [(state.current_player(), state.legal_actions())]
        all_legal = [(p, state.legal_actions(p)) for p in range(self.view.players)]
        return [(p, legal) for p, legal in all_legal if legal]

    def _after_chance(self, m: int) -> None:
        state = self._states[m]
        player = state.current_player()
        while player == _CHANCE:
            state.apply_action(_draw(state, uniform(self._keys[m], self._drawn[m])))
            self._drawn[m] += 1
            player = state.current_player()
        if player == _TERMINAL:
            self.status[m] = int(FINISHED)
        self._player[m] = player

    def _raised(self, method: str, match: int, error: Exception, seat: int = -1) -> GameError:
        if isinstance(error, GameError):
            return error
        return GameError(f"{self.who}.{method}", f"{type(error).__name__}: {error}", match, self.steps[match], seat)


def uniform(key: int, number: int) -> float:
    """Number `number` of a key's sequence, from 0 up to 1: SplitMix64 (Steele et al., 2014), which needs no set-up."""
    z = (key + (number + 1) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return ((z ^ (z >> 31)) >> 11) * 2.0**-53


def _draw(state: Any, at: float) -> int:
    """The outcome of a chance node at a place from 0 to 1 of its distribution."""
    outcomes = state.chance_outcomes()
    for action, probability in outcomes:
        at -= probability
        if at < 0:
            return action
    return max(outcomes, key=lambda o: o[1])[0]  # rounding left something over


def _load(text: str) -> Any:
    name = text.partition("(")[0].strip()
    if name.startswith("python_"):
        import open_spiel.python.games  # noqa: F401  registers them
    names = pyspiel.registered_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, 3) or [other for other in names if name and name in other][:3]
        hint = f"do you mean {' or '.join(near)}?" if near else "pyspiel.registered_names() lists what there is"
        raise RivalError(f"openspiel:{text}: OpenSpiel has no game '{name}'; {hint}")
    try:
        return pyspiel.load_game(text)
    except Exception as error:
        raise RivalError(f"openspiel:{text}: OpenSpiel does not load it: {str(error).strip()[:500]}") from error


def policy(bot: Any, game: Union[str, Any]) -> Any:
    """A bot that was trained on this game as an OpenSpiel policy, for exploitability.nash_conv() and the like.

    Only bots without a memory, whose play depends on the present information state alone, are policies in OpenSpiel's
    sense; others are refused. `game`: a game string, or a game of pyspiel.
    """
    from open_spiel.python.policy import Policy

    if isinstance(game, str):
        game = _load(split_options(game[len("openspiel:") :] if game.startswith("openspiel:") else game)[0])
    view = View(game, str(game))
    bot.fits(view.spec)
    if bot.memory:
        raise RivalError(
            f"{bot.path}: it has a memory, so what it plays depends on more than the present information state; train with "
            "--memory 0 to have it judged by OpenSpiel"
        )

    class BotPolicy(Policy):
        def __init__(self) -> None:
            super().__init__(game, list(range(view.players)))
            self._known: Dict[Any, Dict[int, float]] = {}

        def action_probabilities(self, state: Any, player_id: Optional[int] = None) -> Dict[int, float]:
            player = state.current_player() if player_id is None else player_id
            row = np.zeros(bot.observation_size, np.float32)
            mask = np.zeros(bot.mask_size, np.uint8)
            legal = state.legal_actions(player)
            view.write(state, player, row)
            if view.seat_at >= 0:
                row[view.seat_at + player] = 1
            mask[legal] = 1
            key = (player, row.tobytes(), mask.tobytes())
            known = self._known.get(key)
            if known is None:
                p = bot.probabilities(row, mask)
                known = self._known[key] = {a: float(p[a]) for a in legal}
            return known

    return BotPolicy()
