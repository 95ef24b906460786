import unittest

from helpers import need

need("gymnasium")

import gymnasium  # noqa: E402
import numpy as np  # noqa: E402
from gymnasium import spaces  # noqa: E402

import rival  # noqa: E402
from rival.check import Rows  # noqa: E402


class Odd(gymnasium.Env):
    """An environment of whatever spaces; its observations and steps are what the test says."""

    metadata = {"render_modes": []}
    seen = ended = masked = None
    last = []

    def __init__(self, observation=None, action=None, seen=None, reward=1.0, end=(False, False), info=None):
        self.observation_space = observation or spaces.Box(-1, 1, (2,), np.float32)
        self.action_space = action or spaces.Discrete(3)
        self.seen, self.reward, self.end, self.info = seen, reward, end, info or {}
        Odd.last = []

    def see(self):
        return np.zeros(2, np.float32) if self.seen is None else self.seen

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        Odd.last.append(("seed", seed))
        return self.see(), self.info

    def step(self, action):
        Odd.last.append(action)
        return (self.see(), self.reward, *self.end, self.info)


gymnasium.register("Odd-v0", Odd)
gymnasium.register("Odd-v1", Odd, max_episode_steps=3)


def batch_of(name="Odd-v0", matches=1, **options):
    """Made as by its name, with arguments that a name cannot hold."""
    made = gymnasium.make
    gymnasium.make = lambda identity, **given: made(identity, **given, **options)
    try:
        batch = rival.open("gym:" + name)(matches)
    finally:
        gymnasium.make = made
    rows = Rows(batch)
    return batch, rows


def started(*arguments, **options):
    batch, rows = batch_of(*arguments, **options)
    keys = np.arange(batch.matches, dtype=np.uint64) + np.uint64(5)
    batch.start(np.arange(batch.matches, dtype=np.int32), np.zeros(0, np.float32), np.zeros((0, 1), np.int32), keys)
    batch.observe(rows.observations, rows.masks, rows.seats)
    return batch, rows


class Spaces(unittest.TestCase):
    def test_nested_observations(self):
        space = spaces.Dict(
            {
                "b": spaces.Tuple([spaces.Discrete(3, start=-1), spaces.MultiDiscrete([2, 3])]),
                "c": spaces.MultiBinary(3),
                "d": spaces.Box(0, 255, (), np.uint8),
            }
        )
        batch, rows = started(observation=space, seen={"b": (-1, np.array([1, 2])), "c": [1, 0, 1], "d": 51})
        parts = [(p.name, p.kind, p.size) for p in batch.spec.observation]
        self.assertEqual(parts, [("b.0", "vector", 3), ("b.1", "vector", 5), ("c", "vector", 3), ("d", "vector", 1)])
        np.testing.assert_allclose(rows.observations[0], [1, 0, 0, 0, 1, 0, 0, 1, 1, 0, 1, 0.2], rtol=1e-6)

    def test_pictures(self):
        picture = np.arange(6 * 7 * 3, dtype=np.uint8).reshape(6, 7, 3)
        batch, rows = started(observation=spaces.Box(0, 255, (6, 7, 3), np.uint8), seen=picture)
        self.assertEqual(batch.spec.observation[0].shape, (3, 6, 7))
        got = rows.observations[0].reshape(3, 6, 7)
        np.testing.assert_allclose(got[2, 1, 3], picture[1, 3, 2] / 255, rtol=1e-6)
        first = np.arange(4 * 6 * 7, dtype=np.uint8).reshape(4, 6, 7)
        batch, rows = started(observation=spaces.Box(0, 255, (4, 6, 7), np.uint8), seen=first)
        np.testing.assert_allclose(rows.observations[0] * 255, first.reshape(-1), rtol=1e-5)
        batch, _ = batch_of("Odd-v0?rival.channels=last", observation=spaces.Box(0, 255, (4, 6, 7), np.uint8))
        self.assertEqual(batch.spec.observation[0].shape, (7, 4, 6))
        stack = np.arange(2 * 6 * 7 * 3, dtype=np.uint8).reshape(2, 6, 7, 3)
        batch, rows = started(observation=spaces.Box(0, 255, (2, 6, 7, 3), np.uint8), seen=stack)
        got = rows.observations[0].reshape(6, 6, 7)
        np.testing.assert_allclose(got[3 + 2, 1, 3] * 255, stack[1, 1, 3, 2], rtol=1e-5)
        batch, _ = batch_of(observation=spaces.Box(-np.inf, np.inf, (5, 4), np.float64))
        self.assertEqual(batch.spec.observation[0].shape, (20,))

    def test_actions(self):
        for space, parts, choices, values, wanted in (
            (spaces.Discrete(3, start=5), [("action", 3)], [2], [], 7),
            (spaces.MultiDiscrete([2, 4]), [("action.0", 2), ("action.1", 4)], [1, 3], [], np.array([1, 3])),
            (spaces.MultiBinary(2), [("action.0", 2), ("action.1", 2)], [1, 0], [], np.array([1, 0])),
            (spaces.Box(-2, 4, (1, 2), np.float64), [("action", 2)], [], [-2, 3], np.array([[-2.0, 3]])),
            (
                spaces.Box(np.array([-1, 0], np.float32), np.array([1, 10], np.float32)),
                [("action", 2)],
                [],
                [0.5, -0.5],
                np.array([0.5, 2.5]),
            ),
            (
                spaces.Dict({"a": spaces.Discrete(2), "b": spaces.Tuple([spaces.Box(-1, 1, (1,)), spaces.Discrete(3)])}),
                [("a", 2), ("b.0", 1), ("b.1", 3)],
                [1, 2],
                [0.25],
                {"a": 1, "b": (np.array([0.25]), 2)},
            ),
        ):
            batch, rows = started(action=space)
            self.assertEqual([(p.name, p.size) for p in batch.spec.action], parts)
            rows.choices[:] = choices
            rows.values[:] = values
            batch.step(rows.choices, rows.values, rows.rewards, rows.status)
            taken = Odd.last[-1]
            self.assertTrue(space.contains(taken), (space, taken))
            self.assertEqual(type(taken), type(space.sample()))
            np.testing.assert_equal(taken, wanted)

    def test_what_cannot_be_mapped_is_named(self):
        for options, message in (
            ({"action": spaces.Box(-np.inf, np.inf, (2,))}, "action 'action' has no finite range"),
            ({"action": spaces.Box(0, 9, (2,), np.int32)}, "action 'action' is a Box of whole numbers"),
            ({"action": spaces.MultiBinary(65)}, "has 65 choices to make at once"),
            ({"action": spaces.Text(4)}, "action 'action' is a Text"),
            (
                {"observation": spaces.Dict({"x": spaces.Box(0, 1, (2,)), "note": spaces.Text(4)})},
                "observation 'note' is a Text",
            ),
            ({"observation": spaces.Box(0, 1, (2, 2, 2, 2, 2))}, "has 5 dimensions"),
            ({"observation": spaces.Sequence(spaces.Discrete(2))}, "is a Sequence"),
        ):
            with self.assertRaisesRegex(rival.RivalError, "gym:Odd-v0.*" + message):
                batch_of(**options)
        space = spaces.Dict({"x": spaces.Box(0, 1, (2,)), "note": spaces.Text(4)})
        batch, _ = batch_of("Odd-v0?rival.without=note", observation=space)
        self.assertEqual([p.name for p in batch.spec.observation], ["x"])


class Matches(unittest.TestCase):
    def test_ends(self):
        for end, status in (((False, False), 0), ((True, False), 1), ((False, True), 2), ((True, True), 1)):
            batch, rows = started(end=end, reward=2.5)
            batch.step(rows.choices, rows.values, rows.rewards, rows.status)
            self.assertEqual((rows.status.tolist(), rows.rewards.tolist()), ([status], [[2.5]]))
        self.assertFalse(batch.has["result"])

    def test_a_time_limit_truncates_and_the_last_observation_stays(self):
        batch, rows = started("Odd-v1", matches=2, seen=np.array([0.5, 1], np.float32))
        self.assertEqual(batch.spec.max_steps, 3)
        self.assertEqual(Odd.last[-1][0], "seed")
        for step in range(3):
            batch.step(rows.choices, rows.values, rows.rewards, rows.status)
            self.assertEqual(rows.status.tolist(), [2, 2] if step == 2 else [0, 0])
        batch.observe_seat(1, 0, rows.observations[0])
        self.assertEqual(rows.observations[0].tolist(), [0.5, 1])
        taken = len(Odd.last)
        batch.step(rows.choices, rows.values, rows.rewards, rows.status)  # nothing resets by itself
        self.assertEqual((len(Odd.last), rows.rewards.tolist(), rows.status.tolist()), (taken, [[0], [0]], [2, 2]))
        batch.observe(rows.observations, rows.masks, rows.seats)
        self.assertEqual((rows.seats.tolist(), rows.observations.any()), ([-1, -1], False))
        batch.start(np.array([1]), np.zeros(0), np.zeros(0), np.array([9], np.uint64))
        batch.observe(rows.observations, rows.masks, rows.seats)
        self.assertEqual((rows.seats.tolist(), rows.observations.tolist()), ([-1, 0], [[0, 0], [0.5, 1]]))

    def test_masks(self):
        batch, rows = started(info={"action_mask": np.array([1, 0, 1], np.int8)})
        self.assertEqual((batch.has["legal"], rows.masks.tolist()), (True, [[1, 0, 1]]))
        space = spaces.Dict({"x": spaces.Box(0, 1, (2,)), "action_mask": spaces.MultiBinary(3)})
        batch, rows = started(observation=space, seen={"x": np.ones(2), "action_mask": np.array([0, 1, 0])})
        self.assertEqual((rows.masks.tolist(), rows.observations.tolist()), ([[0, 1, 0]], [[1, 1]]))
        with self.assertRaisesRegex(rival.RivalError, r"Odd-v0.reset\(\), match 0.*action_mask: the action mask has 2 numb"):
            started(info={"action_mask": np.ones(2)})
        mask = {"action_mask": (np.array([1, 0]), np.array([0, 1, 1]))}
        batch, rows = started(action=spaces.MultiDiscrete([2, 3]), info=mask)
        self.assertEqual(rows.masks.tolist(), [[1, 0, 0, 1, 1]])

    def test_what_is_wrong_is_named(self):
        for options, message in (
            ({"seen": np.array([0, np.nan])}, r"gym:Odd-v0.reset\(\), match 0, step 0: observation part 'observation' holds nan"),
            ({"seen": np.zeros(3)}, r"gym:Odd-v0.reset\(\), match 0, step 0, seat 0: its observation is not one of its obs"),
            ({"reward": np.inf}, r"gym:Odd-v0.step\(\), match 0, step 1, seat 0: the reward is inf"),
            ({"reward": "x"}, r"gym:Odd-v0.step\(\), match 0, step 1, seat 0: the reward is 'x', which is no number"),
            ({"reward": None}, r"gym:Odd-v0.step\(\), match 0, step 1, seat 0: the reward is None, which is no number"),
            ({"end": (False,)}, r"gym:Odd-v0.step\(\), match 0.*another number of values than Gymnasium 1.x"),
        ):
            with self.assertRaisesRegex(rival.GameError, message):
                batch, rows = started(**options)
                batch.step(rows.choices, rows.values, rows.rewards, rows.status)

    def test_names(self):
        for name, message in (
            ("gym:CartPole-v9", "version"),
            ("gym:NoSuch-v0", "doesn't exist.*named with its module"),
            ("gym:CartPole-v1?wrong=1", r"does not take these arguments \(wrong\)"),
            ("gym:CartPole-v1?rival.wrong=1", "there is no rival.wrong; there are rival.channels"),
            ("gym:CartPole-v1?wrong", "should be key=value"),
        ):
            with self.assertRaisesRegex(rival.RivalError, message):
                rival.open(name)(1)
        self.assertEqual(rival.open("gym:FrozenLake-v1?map_name=8x8&is_slippery=false").spec.observation[0].size, 64)

    def test_cartpole_is_what_gymnasium_plays(self):
        batch = rival.open("gym:CartPole-v1")(1)
        self.assertEqual((batch.spec.name, batch.spec.max_steps), ("gym_cartpole_v1", 500))
        rows = Rows(batch)
        batch.start(np.array([0]), np.zeros(0), np.zeros(0), np.array([7], np.uint64))
        env = gymnasium.make("CartPole-v1")
        seen, _ = env.reset(seed=7)
        for step in range(500):
            batch.observe(rows.observations, rows.masks, rows.seats)
            np.testing.assert_array_equal(rows.observations[0], seen)
            rows.choices[0, 0] = action = int(seen[2] + seen[3] > 0)
            batch.step(rows.choices, rows.values, rows.rewards, rows.status)
            seen, reward, terminated, truncated, _ = env.step(action)
            self.assertEqual((rows.rewards[0, 0], rows.status[0]), (reward, 1 if terminated else 2 if truncated else 0))
            if terminated or truncated:
                break
        self.assertEqual((step, rows.status[0]), (499, 2))

    def test_environments_as_they_come(self):
        for name, packages in (
            ("gym:CartPole-v1", ()),
            ("gym:Pendulum-v1", ()),
            ("gym:FrozenLake-v1", ()),
            ("gym:Blackjack-v1", ()),
            ("gym:LunarLander-v3", ("Box2D",)),
            ("gym:CarRacing-v3?max_episode_steps=20", ("Box2D", "pygame")),
            ("gym:HalfCheetah-v5?max_episode_steps=50", ("mujoco", "imageio")),
        ):
            with self.subTest(name):
                need(*packages)
                played = rival.check_batch(name, matches=3)
                self.assertEqual(played.finished + played.truncated, 3)


if __name__ == "__main__":
    unittest.main()
