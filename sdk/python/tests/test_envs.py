import os
import subprocess
import sys
import time
import unittest
import warnings

from helpers import need

need("gymnasium", "pettingzoo")

import numpy as np  # noqa: E402

import rival  # noqa: E402
import rival.envs  # noqa: E402


class Case(unittest.TestCase):
    def setUp(self):
        if "RIVAL_PROGRAM" not in os.environ:
            self.skipTest("RIVAL_PROGRAM does not name the program; ctest does")

    def made(self, make, *arguments, **options):
        env = make(*arguments, **options)
        self.addCleanup(env.close)
        return env


class Gymnasium(Case):
    def test_its_own_checker(self):
        from gymnasium.utils.env_checker import check_env

        for game in ("cartpole", "pendulum"):
            with self.subTest(game), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                env = self.made(rival.envs.gym_env, game)
                check_env(env, skip_render_check=True)

    def test_a_match(self):
        env = self.made(rival.envs.gym_env, "cartpole")
        first, info = env.reset(seed=3)
        self.assertEqual((first.shape, info["action_mask"].tolist()), ((4,), [1, 1]))
        total, over = 0.0, False
        while not over:
            seen, reward, terminated, truncated, info = env.step(0)
            total, over = total + reward, terminated or truncated
        self.assertTrue(terminated and not truncated and 8 <= total <= 12)
        self.assertFalse(seen.any())  # there is nothing to see any more
        with self.assertRaisesRegex(rival.RivalError, "call reset"):
            env.step(0)
        self.assertTrue((env.reset(seed=3)[0] == first).all())
        self.assertFalse((env.reset()[0] == first).all())
        env = self.made(rival.envs.gym_env, "pendulum")
        env.reset(seed=1)
        for step in range(200):
            seen, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        self.assertEqual((step, terminated, truncated), (199, False, True))
        self.assertTrue(seen.any())  # a learner estimates by it what would have followed

    def test_a_game_from_elsewhere_comes_back(self):
        env = self.made(rival.envs.gym_env, "gym:CartPole-v1")
        self.assertEqual(env.reset(seed=1)[0].shape, (4,))


    def test_the_process_ends_with_this_one(self):
        code = (
            "import os, threading, rival.envs; made = [];"
            "t = threading.Thread(target=lambda: made.append(rival.envs.gym_env('cartpole'))); t.start(); t.join();"
            "made[0].reset(seed=1); print(made[0]._match._client._process.pid, flush=True); os.kill(os.getpid(), 9)"
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment)
        process = int(done.stdout)
        self.assertEqual(done.returncode, -9)
        for _ in range(200):
            try:
                os.kill(process, 0)
                with open(f"/proc/{process}/stat", encoding="ascii") as file:
                    if file.read().split()[2] == "Z":
                        return
            except OSError:
                return
            time.sleep(0.02)
        self.fail("it still runs")


class PettingZoo(Case):
    def test_its_own_tests(self):
        import pettingzoo
        from pettingzoo.test import api_test, parallel_api_test, seed_test

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for game in ("tic_tac_toe", "leduc_poker", "pig"):
                with self.subTest(game):
                    env = self.made(rival.envs.aec_env, game)
                    api_test(env, num_cycles=100)
            seed_test(lambda: self.made(rival.envs.aec_env, "pig"), num_cycles=20)
            # Older ones (the newest for Python 3.9 is 1.26) take every masked action for a single number.
            if tuple(int(n) for n in pettingzoo.__version__.split(".")[:2]) >= (1, 27):
                env = self.made(rival.envs.parallel_env, "lanes", parameters={"team_size": 1})
                parallel_api_test(env, num_cycles=50)
            env = self.made(rival.envs.aec_env, "lanes", parameters={"team_size": 1})
            api_test(env, num_cycles=50)

    def test_a_match(self):
        env = self.made(rival.envs.aec_env, "tic_tac_toe", render_mode="ansi")
        env.reset(seed=1)
        for move, cell in enumerate((0, 3, 1, 4, 2)):
            self.assertEqual(env.agent_selection, f"seat_{move % 2}")
            seen, _, terminated, truncated, _ = env.last()
            self.assertEqual((seen["observation"].shape, seen["action_mask"].sum()), ((2, 3, 3), 9 - move))
            env.step(cell)
        self.assertIn("X X X", env.render())
        self.assertEqual(env.rewards, {"seat_0": 1.0, "seat_1": -1.0})
        self.assertTrue(all(env.terminations.values()) and not any(env.truncations.values()))

    def test_what_cannot_be(self):
        for make, game, options, message in (
            (rival.envs.gym_env, "connect_four", {}, "has 2 seats: use rival.envs.aec_env"),
            (rival.envs.parallel_env, "connect_four", {}, "act in turn: use rival.envs.aec_env"),
            (rival.envs.aec_env, "pig", {"parameters": {"gaol": 3}}, "has no parameter 'gaol'; it has goal, head_start"),
            (rival.envs.aec_env, "nosuch", {}, "nosuch"),
            (rival.envs.aec_env, "pig", {"program": "/nonexistent/rival"}, "cannot be started"),
        ):
            with self.assertRaisesRegex(rival.RivalError, message):
                make(game, **options)

    def test_an_illegal_action_is_named(self):
        env = self.made(rival.envs.aec_env, "tic_tac_toe")
        env.reset(seed=1)
        env.step(4)
        with self.assertRaisesRegex(rival.GameError, "match 0, step 1, seat 1: it was given the illegal choice 4 of 'cell'"):
            env.step(4)


class WithBots(Case):
    def test_a_bot_plays_in_an_environment(self):
        import tempfile

        import samples

        env = self.made(rival.envs.aec_env, "tic_tac_toe")
        with tempfile.TemporaryDirectory() as folder:
            samples.random_bot(folder + "/bot", rival.Spec("tic_tac_toe", [rival.grid("board", 2, 3, 3)], [rival.discrete("cell", 9)]))
            bot = rival.Bot.load(folder + "/bot")
        env.reset(seed=1)
        for agent in env.agent_iter():
            seen, reward, terminated, truncated, _ = env.last()
            env.step(None if terminated or truncated else bot.act(seen["observation"].reshape(-1), seen["action_mask"]))
        self.assertEqual(np.abs(reward) <= 1, True)


if __name__ == "__main__":
    unittest.main()
