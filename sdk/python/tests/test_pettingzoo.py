import sys
import types
import unittest

from helpers import need

need("pettingzoo", "gymnasium")

import numpy as np  # noqa: E402
import pettingzoo  # noqa: E402
from gymnasium import spaces  # noqa: E402

import rival  # noqa: E402
from rival.check import Rows  # noqa: E402


class Coming(pettingzoo.ParallelEnv):
    """a and b begin; b leaves after the first step, c comes in the second; all is cut after the third."""

    metadata = {"name": "coming"}
    possible_agents = ["a", "b", "c"]
    end = "cut"
    sizes = {"a": 2, "b": 2, "c": 2}
    choices = {"a": 3, "b": 3, "c": 3}

    def __init__(self, end="cut"):
        self.end = end

    def observation_space(self, agent):
        return spaces.Box(-9, 9, (self.sizes[agent],), np.float32)

    def action_space(self, agent):
        return spaces.Discrete(self.choices[agent])

    def see(self):
        return {a: np.full(self.sizes[a], self.time, np.float32) for a in self.agents}

    def reset(self, seed=None, options=None):
        self.agents, self.time, self.taken = ["a", "b"], 0, []
        return self.see(), {a: {} for a in self.agents}

    def step(self, actions):
        self.taken.append(actions)
        self.time += 1
        was, over = list(actions), self.time == 3
        rewards = {a: float(self.time + i) for i, a in enumerate(was)}
        seen = {a: np.full(self.sizes[a], self.time, np.float32) for a in was}
        terminations = {a: (a == "b") or (over and self.end == "finished") for a in was}
        truncations = {a: over and self.end == "cut" for a in was}
        self.agents = [] if over else ["a"] if self.time == 1 else ["a", "c"]
        if self.agents == ["a", "c"]:
            seen["c"] = np.full(self.sizes["c"], 7, np.float32)
        return seen, rewards, terminations, truncations, {a: {} for a in was}


class Uneven(Coming):
    sizes = {"a": 2, "b": 2, "c": 4}
    choices = {"a": 3, "b": 3, "c": 2}


module = types.ModuleType("coming_v0")
module.parallel_env = Coming
sys.modules["coming_v0"] = module
uneven = types.ModuleType("uneven_v0")
uneven.parallel_env = Uneven
sys.modules["uneven_v0"] = uneven


def started(name, matches=1):
    batch = rival.open("pettingzoo:" + name)(matches)
    rows = Rows(batch)
    keys = np.arange(batch.matches, dtype=np.uint64)
    batch.start(np.arange(batch.matches, dtype=np.int32), np.zeros(0), np.zeros((0, batch.spec.seats)), keys)
    batch.observe(rows.observations, rows.masks, rows.seats)
    return batch, rows


def stepped(batch, rows):
    batch.step(rows.choices, rows.values, rows.rewards, rows.status)
    batch.observe(rows.observations, rows.masks, rows.seats)


class Parallel(unittest.TestCase):
    def test_agents_come_and_go(self):
        for end, status in (("cut", 2), ("finished", 1)):
            batch, rows = started(f"coming_v0?end={end}")
            self.assertEqual((batch.spec.seats, batch.spec.simultaneous, batch.has["result"]), (3, True, False))
            self.assertEqual(rows.seats.tolist(), [0, 1, -1])
            self.assertEqual(rows.observations.tolist(), [[0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0] * 5])
            rows.choices[:, 0] = [2, 1, 0]
            stepped(batch, rows)
            self.assertEqual(batch._envs[0].taken, [{"a": 2, "b": 1}])
            self.assertEqual((rows.rewards.tolist(), rows.seats.tolist()), ([[1, 2, 0]], [0, -1, -1]))
            stepped(batch, rows)
            self.assertEqual(rows.seats.tolist(), [0, -1, 2])
            self.assertEqual(rows.observations[2].tolist(), [7, 7, 0, 0, 1])
            stepped(batch, rows)
            self.assertEqual((rows.rewards.tolist(), rows.status.tolist()), ([[3, 0, 4]], [status]))
            self.assertEqual(rows.seats.tolist(), [-1, -1, -1])
            batch.observe_seat(0, 2, rows.observations[0])
            self.assertEqual(rows.observations[0].tolist(), [3, 3, 0, 0, 1])
            batch.observe_seat(0, 1, rows.observations[0])  # which left long ago
            self.assertFalse(rows.observations[0].any())

    def test_agents_of_different_spaces(self):
        batch, rows = started("uneven_v0")
        parts = [(p.name, p.size) for p in batch.spec.observation]
        self.assertEqual(parts, [("a.observation", 2), ("c.observation", 4), ("seat", 3)])
        stepped(batch, rows), stepped(batch, rows)
        self.assertEqual(rows.observations[2].tolist(), [0, 0, 7, 7, 7, 7, 0, 0, 1])
        self.assertEqual((rows.masks[0].tolist(), rows.masks[2].tolist()), ([1, 1, 1], [1, 1, 0]))

    def test_teams(self):
        self.assertEqual(rival.open("pettingzoo:coming_v0?rival.teams=one").spec.teams, [0, 0, 0])
        self.assertEqual(rival.open("pettingzoo:coming_v0?rival.teams=0,1,1").spec.teams, [0, 1, 1])
        with self.assertRaisesRegex(rival.RivalError, "a team for each of the 3 agents"):
            rival.open("pettingzoo:coming_v0?rival.teams=0,1").spec

    def test_environments_as_they_come(self):
        for name, packages in (
            ("mpe2/simple_spread_v3", ("mpe2",)),
            ("mpe2/simple_speaker_listener_v4", ("mpe2",)),
            ("sisl/multiwalker_v9", ("Box2D", "pygame")),
            ("classic/rps_v2", ("pygame",)),
        ):
            with self.subTest(name):
                need(*packages)
                played = rival.check_batch("pettingzoo:" + name, matches=2)
                self.assertEqual(played.finished + played.truncated, 2)


class Turns(unittest.TestCase):
    def test_connect_four(self):
        need("pygame")
        batch, rows = started("classic/connect_four_v3", 2)
        self.assertEqual(batch.spec.name, "pettingzoo_classic_connect_four_v3")
        self.assertEqual([p.shape for p in batch.spec.observation], [(2, 6, 7), (2,)])
        self.assertTrue(batch.has["result"] and batch.has["legal"] and not batch.spec.simultaneous)
        for move in range(7):
            self.assertEqual(rows.seats.tolist(), [move % 2] * 2)
            rows.choices[:, 0] = [move % 2, 0 if move < 6 else 1]
            stepped(batch, rows)
            self.assertFalse(rows.rewards.any())
        self.assertEqual(rows.status.tolist(), [1, 0])
        batch.results(rows.results)
        self.assertEqual(rows.results[0].tolist(), [1, -1])
        self.assertEqual(rows.masks[1].tolist(), [0, 1, 1, 1, 1, 1, 1])
        board = rows.observations[1, :84].reshape(2, 6, 7)
        self.assertEqual(board[1, 5, 1], 1)  # the last stone, seen by the other
        self.assertEqual(board.sum(), 7)
        played = rival.check_batch("pettingzoo:classic/tictactoe_v3", matches=16)
        self.assertEqual((played.finished, played.returns.sum()), (16, 0))
        self.assertTrue((np.abs(played.returns) <= 1).all())

    def test_names(self):
        for name, message in (
            ("classic/nosuch_v1", "there is no such environment"),
            ("nosuch/x_v1", "there is no such environment"),
            ("coming_v0?rival.api=aec", r"has no env\(\)"),
            ("coming_v0?wrong=1", r"does not take these arguments \(wrong\)"),
            ("coming_v0?rival.wrong=1", "there is no rival.wrong"),
        ):
            with self.assertRaisesRegex(rival.RivalError, message):
                rival.open("pettingzoo:" + name)(1)


if __name__ == "__main__":
    unittest.main()
