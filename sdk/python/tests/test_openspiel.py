import unittest

from helpers import need

need("pyspiel")

import numpy as np  # noqa: E402
import pyspiel  # noqa: E402

import rival  # noqa: E402
from rival.check import Rows, play  # noqa: E402


class Games(unittest.TestCase):
    def test_kuhn_poker(self):
        batch = rival.open("openspiel:kuhn_poker")(400)
        spec = batch.spec
        self.assertEqual((spec.name, spec.seats, spec.max_steps), ("openspiel_kuhn_poker", 2, 3))
        self.assertEqual([(p.name, p.size) for p in spec.observation], [("information_state", 11), ("seat", 2)])
        self.assertTrue(spec.hidden_information and batch.has["result"])
        seen = []

        def pass_always(rows):
            seen.append(rows.observations.copy())
            rows.choices[:] = 0

        played = play(batch, act=pass_always)
        self.assertEqual((played.finished, played.steps), (400, 800))
        self.assertEqual(sorted(set(played.returns.reshape(-1))), [-1, 1])  # as they are, not scaled
        # Chance is drawn from the match's key, each card as often as another.
        first = seen[0][:, :11].reshape(400, 11)
        state = pyspiel.load_game("kuhn_poker").new_initial_state()
        state.apply_action(2), state.apply_action(0)
        wanted = np.array(state.information_state_tensor(0), np.float32)
        shares = [(first == np.roll(wanted, 0)).all(axis=1).mean()]
        self.assertAlmostEqual(shares[0], 1 / 3, delta=0.08)

    def test_breakthrough(self):
        batch = rival.open("openspiel:breakthrough(rows=6,columns=6)")(4)
        self.assertEqual([p.shape for p in batch.spec.observation], [(3, 6, 6), (2,)])
        self.assertFalse(batch.spec.hidden_information)
        rows = Rows(batch)
        batch.start(np.arange(4), np.zeros(0), np.zeros(0), np.arange(4, dtype=np.uint64))
        game = pyspiel.load_game("breakthrough(rows=6,columns=6)")
        state = game.new_initial_state()
        for _ in range(6):
            batch.observe(rows.observations, rows.masks, rows.seats)
            np.testing.assert_array_equal(rows.observations[2, :108], state.observation_tensor(state.current_player()))
            self.assertEqual(rows.observations[2, 108:].tolist(), np.eye(2)[state.current_player()].tolist())
            self.assertEqual(np.flatnonzero(rows.masks[2]).tolist(), state.legal_actions())
            action = state.legal_actions()[-1]
            self.assertEqual(batch.action_text(2, state.current_player(), action), state.action_to_string(action))
            rows.choices[:] = action
            batch.step(rows.choices, rows.values, rows.rewards, rows.status)
            state.apply_action(action)
        self.assertEqual(batch.text(2), str(state))
        batch.copy(2, 3)
        state.apply_action(state.legal_actions()[0])
        self.assertNotEqual(batch.text(3), str(state))

    def test_games_of_all_kinds(self):
        for name in (
            "leduc_poker",
            "kuhn_poker(players=3)",
            "goofspiel(num_cards=5)",
            "oshi_zumo(coins=8)",
            "matrix_pd",  # both may lose
            "liars_dice(numdice=1)",
            "backgammon",
            "hearts",
            "catch",
            "python_tic_tac_toe",
            "blotto(coins=4,fields=3)",
            "markov_soccer(horizon=20)",
        ):
            with self.subTest(name):
                played = rival.check_batch("openspiel:" + name, matches=3)
                self.assertEqual(played.finished, 3)
        spec = rival.open("openspiel:goofspiel(num_cards=5)").spec
        self.assertTrue(spec.simultaneous)

    def test_one_player_is_given_rewards(self):
        batch = rival.open("openspiel:catch")(8)
        self.assertFalse(batch.has["result"])
        played = play(batch)
        self.assertEqual(played.finished, 8)
        self.assertTrue(set(played.returns.reshape(-1)) <= {-1.0, 1.0})

    def test_what_cannot_be_played_is_named(self):
        for name, message in (
            ("kuhn_pokr", "has no game 'kuhn_pokr'; do you mean kuhn_poker"),
            ("breakthrough(nonsense=1)", "OpenSpiel does not load it: .*nonsense"),
            ("mfg_crowd_modelling", "a mean field game"),
            ("kuhn_poker?players=3", "stand in brackets"),
        ):
            with self.assertRaisesRegex(rival.RivalError, message):
                rival.open("openspiel:" + name)(1)
        self.assertEqual(rival.open("openspiel:tic_tac_toe?rival.seat=false").spec.observation[-1].name, "observation")


if __name__ == "__main__":
    unittest.main()
