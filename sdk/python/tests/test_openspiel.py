import tempfile
import unittest

from helpers import need

need("pyspiel")

import numpy as np  # noqa: E402
import pyspiel  # noqa: E402
import samples  # noqa: E402

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
        self.assertEqual(batch.seat_text(0, 0), str(batch._states[0].information_state_string(0)))
        # Chance is drawn from the match's key, each card as often as another.
        first = seen[0][:, :11].reshape(400, 11)
        state = pyspiel.load_game("kuhn_poker").new_initial_state()
        state.apply_action(2), state.apply_action(0)
        wanted = np.array(state.information_state_tensor(0), np.float32)
        self.assertAlmostEqual((first == wanted).all(axis=1).mean(), 1 / 3, delta=0.08)

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


def our_kuhn(history, player):
    """What Rival's own kuhn_poker shows of a position of OpenSpiel's."""
    row = np.zeros(11, np.float32)
    row[history[player]] = 1
    for i, action in enumerate(history[2:]):
        row[3 + 2 * i + action] = 1
    row[9 + player] = 1
    return row


def our_leduc(history, player):
    row = np.zeros(24, np.float32)
    row[history[player] // 2] = 1
    rounds, calls = [[], []], 0
    left = list(history[2:])
    while left:
        action = left.pop(0)
        rounds[0].append(action)
        calls = calls + 1 if action == 1 else 0
        if action == 1 and len(rounds[0]) > 1:
            if left:
                row[3 + left.pop(0) // 2] = 1
            rounds[1] = left
            break
    for i, actions in enumerate(rounds):
        for j, action in enumerate(actions):
            row[6 + 8 * i + 2 * j + action - 1] = 1
    row[22 + player] = 1
    return row


class NashConv(unittest.TestCase):
    def test_openspiel_and_rival_say_the_same_of_a_bot(self):
        from open_spiel.python.algorithms import exploitability
        from open_spiel.python.policy import Policy

        folder = samples.folder()
        ours, _ = samples.read(f"{folder}/nash_conv.safetensors")
        for name, seen in (("kuhn_poker", our_kuhn), ("leduc_poker", our_leduc)):
            bot, game = rival.Bot.load(f"{folder}/{name}.bot"), pyspiel.load_game(name)

            class Theirs(Policy):
                def action_probabilities(self, state, player_id=None):
                    player = state.current_player()
                    mask = np.zeros(bot.mask_size)
                    mask[state.legal_actions()] = 1
                    p = bot.probabilities(seen(state.history(), player), mask)
                    return {a: float(p[a]) for a in state.legal_actions()}

            theirs = exploitability.nash_conv(game, Theirs(game, [0, 1]))
            self.assertGreater(theirs, 0.5)
            self.assertAlmostEqual(theirs, float(ours[name][0]), places=4)

    def test_of_a_bot_for_the_game_itself(self):
        from open_spiel.python.algorithms import exploitability

        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = folder.name + "/bot.safetensors"
        for name in ("kuhn_poker", "leduc_poker"):
            game = pyspiel.load_game(name)
            spec = rival.open("openspiel:" + name).spec
            samples.random_bot(path, spec)
            policy = rival.openspiel_policy(rival.Bot.load(path), "openspiel:" + name)
            random = exploitability.nash_conv(game, policy)
            # One whose every weight is 0 plays uniformly.
            tensors, metadata = samples.read(path)
            samples.write(path, {n: t * (0 if n.startswith("head") else 1) for n, t in tensors.items()}, metadata)
            uniform = exploitability.nash_conv(game, rival.openspiel_policy(rival.Bot.load(path), game))
            self.assertAlmostEqual(uniform, {"kuhn_poker": 11 / 12, "leduc_poker": 4.747222}[name], places=4)
            self.assertNotAlmostEqual(random, uniform, places=2)
        samples.random_bot(path, spec, hidden=(4,), memory=4)
        with self.assertRaisesRegex(rival.RivalError, "has a memory"):
            rival.openspiel_policy(rival.Bot.load(path), "leduc_poker")
        with self.assertRaisesRegex(rival.RivalError, "was made for another game"):
            rival.openspiel_policy(rival.Bot.load(path), "kuhn_poker")


if __name__ == "__main__":
    unittest.main()
