import os
import tempfile
import textwrap
import unittest

import helpers  # noqa: F401
import numpy as np

import rival
from rival.check import Rows


class TwentyOne(rival.Game):
    """Say 1, 2 or 3; who reaches 21 wins

    and more."""

    seats = 2
    observation = [rival.vector("sum", 22)]
    action = [rival.discrete("number", 3)]
    max_steps = 21

    def reset(self, seed, settings):
        self.sum, self.mover = 0, 0

    def to_act(self):
        return self.mover

    def observe(self, seat):
        return np.eye(22)[self.sum]

    def legal(self, seat):
        return [c for c in range(3) if self.sum + c < 21]

    def step(self, actions):
        self.sum += actions[self.mover] + 1
        self.mover = 1 - self.mover

    def status(self):
        return rival.FINISHED if self.sum == 21 else rival.RUNNING

    def result(self, team):
        return -1 if team == self.mover else 1

    def text(self):
        return f"sum {self.sum}"


class Arena(rival.Game):
    """All kinds of parts, all seats at once"""

    seats = 3
    teams = [0, 0, 1]
    simultaneous = True
    observation = [rival.vector("self", 2), rival.grid("map", 2, 3, 4), rival.entities("units", 4, 3)]
    action = [
        rival.discrete("what", 3),
        rival.target("whom", "units", 4).when("what", [1, 2]),
        rival.continuous("where", 2, -3, 5),
    ]
    parameters = [rival.Parameter("length", 5, 1, 10, "steps", 1)]
    choices = [rival.Choice("hero", ("bear", "crow"))]

    def reset(self, seed, settings):
        self.left = int(settings.length)
        self.hero = list(settings.picks["hero"])
        self.log = []
        self.start = self.random.integers(1000)

    def to_act(self):
        return [0, 2] if self.left % 2 else [0, 1, 2]

    def observe(self, seat, out):
        out["self"] = [seat, self.left]
        out["map"][1, 2, 3] = seat
        out["units"][:2] = [[1, 2, 3], [1, 5, 6]]

    def legal(self, seat):
        return {"what": np.array([True, False, True]), "whom": [0, 1]}

    def step(self, actions):
        self.log.append(actions)
        self.left -= 1
        return {2: 0.5}

    def status(self):
        return rival.TRUNCATED if self.left == 0 else rival.RUNNING


def batch_of(game, matches=2):
    batch = rival.open_class(game)(matches)
    rows = Rows(batch)
    spec = batch.spec
    parameters = np.array([p.value for p in spec.parameters], np.float32)
    picks = np.full((len(spec.choices), spec.seats), -1, np.int32)
    batch.start(np.arange(matches, dtype=np.int32), parameters, picks, np.arange(matches, dtype=np.uint64))
    return batch, rows


def observed(batch, rows):
    batch.observe(rows.observations, rows.masks, rows.seats)


def stepped(batch, rows):
    batch.step(rows.choices, rows.values, rows.rewards, rows.status)


class Playing(unittest.TestCase):
    def test_a_game_of_turns(self):
        batch, rows = batch_of(TwentyOne)
        self.assertEqual(batch.spec.name, "twenty_one")
        self.assertEqual(batch.spec.description, "Say 1, 2 or 3; who reaches 21 wins")
        self.assertEqual({k for k, v in batch.has.items() if v}, {"result", "legal", "text", "copy"})
        rows.choices[:] = [[2], [0]]
        for turn in range(7):
            observed(batch, rows)
            self.assertEqual(rows.seats.tolist(), [turn % 2, turn % 2])
            self.assertEqual(rows.observations.argmax(axis=1).tolist(), [3 * turn, turn])
            self.assertEqual(rows.masks[0].tolist(), [1, 1, 1])
            stepped(batch, rows)
        self.assertEqual(rows.status.tolist(), [1, 0])
        batch.results(rows.results)
        self.assertEqual(rows.results[0].tolist(), [1, -1])
        self.assertTrue(np.isnan(rows.results[1]).all())
        observed(batch, rows)
        self.assertEqual(rows.seats.tolist(), [-1, 1])
        self.assertEqual(rows.observations[0].any(), False)
        stepped(batch, rows)  # the first one stays as it is
        self.assertEqual(batch.text(0), "sum 21")
        self.assertEqual(batch.text(1), "sum 8")
        rows.results[:] = np.nan
        batch.results(rows.results)
        self.assertTrue(np.isnan(rows.results).all())

    def test_all_kinds_of_parts(self):
        batch, rows = batch_of(Arena)
        observed(batch, rows)
        self.assertEqual(rows.seats.tolist(), [0, -1, 2, 0, -1, 2])
        row = rows.observations[2]
        self.assertEqual(row[:2].tolist(), [2, 5])
        self.assertEqual(row[2:26].reshape(2, 3, 4)[1, 2, 3], 2)
        self.assertEqual(row[26:].reshape(4, 3).tolist(), [[1, 2, 3], [1, 5, 6], [0, 0, 0], [0, 0, 0]])
        self.assertEqual(rows.masks[2].tolist(), [1, 0, 1, 1, 1, 0, 0])
        self.assertFalse(rows.masks[1].any())
        rows.choices[2], rows.values[2] = [2, 1], [4, -3]
        stepped(batch, rows)
        taken = batch.games[0].log[0]
        self.assertEqual(sorted(taken), [0, 2])
        self.assertEqual((taken[2]["what"], taken[2]["whom"], taken[2]["where"].tolist()), (2, 1, [4, -3]))
        self.assertEqual(rows.rewards.tolist(), [[0, 0, 0.5]] * 2)
        for _ in range(4):
            observed(batch, rows)
            stepped(batch, rows)
        self.assertEqual(rows.status.tolist(), [2, 2])
        batch.observe_seat(0, 1, rows.observations[0])
        self.assertEqual(rows.observations[0, :2].tolist(), [1, 0])

    def test_settings_and_seeds_arrive(self):
        batch = rival.open_class(Arena)(2)
        picks = np.array([[1, -1, 0]], np.int32)
        batch.start(np.array([1, 0], np.int32), np.array([3], np.float32), picks, np.array([2**64 - 1, 7], np.uint64))
        self.assertEqual([g.left for g in batch.games], [3, 3])
        self.assertEqual(batch.games[0].hero, [1, -1, 0])
        self.assertEqual(batch.games[0].start, np.random.default_rng(7).integers(1000))
        self.assertEqual(batch.games[1].start, np.random.default_rng(2**64 - 1).integers(1000))

    def test_the_spec_as_json(self):
        spec = Arena.spec()
        json = spec.to_json()
        self.assertEqual(json["teams"], [0, 0, 1])
        whom = json["action"][1]
        self.assertEqual((whom["entities"], whom["when_part"], whom["when_choices"]), ("units", 0, [1, 2]))
        again = rival.Spec.from_json(json).validate()
        self.assertEqual(again.to_json(), json)
        theirs = {**json, "teams": 2, "team_of": [0, 0, 1]}  # as the program writes it
        self.assertEqual(rival.Spec.from_json(theirs).teams, [0, 0, 1])
        self.assertEqual(rival.Spec.from_json({**theirs, "team_of": [0, 1, 2]}).teams, [])

    def test_a_copy_goes_on_by_itself(self):
        batch, rows = batch_of(Arena)
        batch.games[0].random.random()
        self.assertTrue(batch.copy(0, 1))
        a, b = batch.games
        self.assertEqual(a.random.random(), b.random.random())
        batch.copy(0, 1, key=3)
        self.assertEqual(batch.games[1].random.random(), np.random.default_rng(3).random())
        self.assertNotEqual(batch.games[0].random.random(), 0)

    def test_what_a_game_draws(self):
        class Drawn(TwentyOne):
            def stage(self):
                return {"kind": "board"}

            def scene(self):
                return {"sum": np.int64(self.sum), "at": np.zeros(2)}

        batch, _ = batch_of(Drawn)
        self.assertTrue(batch.has["scene"])
        self.assertEqual(batch.stage(0), '{"kind": "board"}')
        self.assertEqual(batch.scene(0), '{"sum": 0, "at": [0.0, 0.0]}')
        plain, _ = batch_of(TwentyOne)
        self.assertEqual((plain.has["scene"], plain.scene(0), plain.stage(0)), (False, "", ""))

    def test_check_batch(self):
        played = rival.check_batch(TwentyOne, matches=16)
        self.assertEqual((played.finished, played.truncated), (16, 0))
        self.assertEqual(played.returns.sum(axis=1).tolist(), [0] * 16)
        self.assertEqual(rival.check_batch(Arena, matches=3).truncated, 3)

    def test_check_batch_finds_chance_that_is_not_of_the_seed(self):
        class Loose(TwentyOne):
            def observe(self, seat):
                return np.random.random(22)

        with self.assertRaisesRegex(rival.RivalError, "the same seeds and actions gave other matches"):
            rival.check_batch(Loose)


class Broken(unittest.TestCase):
    """What is wrong is named: class, method, match, seat and field."""

    def refused(self, pattern, base=TwentyOne, **members):
        game = type("Odd", (base,), members)
        with self.assertRaisesRegex(rival.RivalError, pattern):
            batch, rows = batch_of(game)
            for _ in range(30):
                observed(batch, rows)
                stepped(batch, rows)
                batch.results(rows.results)

    def test_observations(self):
        self.refused(
            r"Odd\.observe\(\), match 0, step 0, seat 0: observation part 'sum' has the shape \(3,\), should have \(22,\)",
            observe=lambda self, seat: [1, 2, 3],
        )
        self.refused("observation part 'sum' is no array of numbers", observe=lambda self, seat: "abc")
        self.refused(
            r"observe\(\), match 1, step 2, seat 0: observation part 'sum' holds nan at 5",
            observe=lambda self, seat: [np.nan if i == 5 and self.sum == 2 and self.odd else 0 for i in range(22)],
            reset=lambda self, seed, settings: (TwentyOne.reset(self, seed, settings), setattr(self, "odd", seed == 1)),
        )
        self.refused("no observation part 'more'", observe=lambda self, seat: {"sum": np.zeros(22), "more": 1})
        self.refused("observation part 'sum' is missing", observe=lambda self, seat: {"som": np.zeros(22)})
        self.refused(
            r"observe\(\), match 0, step 0, seat 0: ZeroDivisionError: division by zero \(test_game.py, line",
            observe=lambda self, seat: 1 / 0,
        )
        self.refused("parts 'self', 'map', 'units', so it is a dict", Arena, observe=lambda self, seat: np.zeros(3))
        self.refused(
            r"ValueError: observation part 'map' has the shape \(2,\)",
            Arena,
            observe=lambda self, seat, out: out.__setitem__("map", [1, 2]),
        )
        self.refused("has no observation part 'mop'", Arena, observe=lambda self, seat, out: out.__setitem__("mop", 1))

    def test_masks(self):
        self.refused(r"legal\(\), match 0, step 0, seat 0: nothing is allowed in 'number'", legal=lambda self, seat: [])
        self.refused(r"'number' has no choice 3; they are 0 to 2", legal=lambda self, seat: [3])
        self.refused(r"mask of 'number' has the shape \(2,\)", legal=lambda self, seat: [True, False])
        self.refused("'number' is None", legal=lambda self, seat: None)
        self.refused("no discrete action part 'wot'", Arena, legal=lambda self, seat: {"wot": [0]})

    def test_steps(self):
        self.refused(r"step\(\), match 0, step 0: the rewards are 1; with 2 seats", step=lambda self, actions: 1)
        self.refused("there are 3 rewards for 2 seats", step=lambda self, actions: [1, 2, 3])
        self.refused("a reward is given to 2", step=lambda self, actions: {2: 1})
        self.refused(r"step\(\), match 0, step 1, seat 1: the reward is inf", step=lambda self, actions: [0, np.inf])
        self.refused("the reward 'x' is no number", step=lambda self, actions: ["x", 0])
        self.refused(r"status\(\), match 0, step 0: None is none of", status=lambda self: None)
        self.refused(r"status\(\), match 0, step 0: True is none of", status=lambda self: True)
        self.refused(r"to_act\(\), match 0, step 0: there is no seat 2", to_act=lambda self: 2)
        self.refused("2 seats at once", to_act=lambda self: [0, 1])
        self.refused("there is no seat, and the match runs", to_act=lambda self: [])
        self.refused("'a' is no seat", to_act=lambda self: "a")
        self.refused(r"result\(\), match 0, step 21: the result of team 0 is nan", result=lambda self, team: np.nan)
        self.refused(r"reset\(\), match 0, step 0: KeyError", reset=lambda self, seed, settings: {}["x"])

    def test_specs(self):
        self.refused("Odd has no step", step=None)
        self.refused("observation has no parts", observation=[])
        self.refused("two of the name 'a'", action=[rival.discrete("a", 2), rival.discrete("a", 2)])
        self.refused("name 'my game'", name="my game")
        self.refused("seats must be 1 to 64, is 65", seats=65)
        self.refused("needs a low below its high", action=[rival.continuous("a", 1, 1, 1)])
        self.refused("holds 'board'; make its parts with", observation=["board"])
        self.refused("no observation part 'units'", action=[rival.target("t", "units", 4)])
        self.refused("teams must name a team for every seat", teams=[0, 2])
        self.refused("its default is outside", parameters=[rival.Parameter("p", 3, 0, 1)])


class Names(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "my_game.py")
        with open(self.path, "w") as file:
            file.write(
                textwrap.dedent(
                    """
                    import rival
                    class Coin(rival.Game):
                        observation = [rival.vector("nothing", 1)]
                        action = [rival.discrete("side", 2)]
                        def reset(self, seed, settings): self.over = False
                        def to_act(self): return 0
                        def observe(self, seat): return [1]
                        def step(self, actions):
                            self.over = True
                            return float(actions[0] == self.random.integers(2))
                        def status(self): return rival.FINISHED if self.over else rival.RUNNING
                    class Other: pass
                    """
                )
            )

    def test_a_class_in_a_file(self):
        source = rival.open(self.path + ":Coin")
        self.assertEqual(source.spec.name, "coin")
        self.assertEqual(rival.check_batch(source).finished, 8)

    def test_what_is_not_there(self):
        for name, message in (
            (self.path + ":Cion", "has no class Cion; it has Coin"),
            (self.path + ":Other", "Other of .* is no game: derive it from rival.Game"),
            (self.path + "x.py:Coin", "there is no file"),
            ("no_such_module_here:Coin", "a file is named with its ending"),
            ("coin", "is no game: a class is named as my_game.py:MyGame"),
        ):
            with self.assertRaisesRegex(rival.RivalError, message):
                rival.open(name)(1)

    def test_a_file_that_does_not_run(self):
        with open(self.path, "w") as file:
            file.write("import nonesuch\n")
        with self.assertRaisesRegex(rival.RivalError, "cannot be imported: ModuleNotFoundError: No module named 'nonesuch'"):
            rival.open(self.path + ":Coin")


if __name__ == "__main__":
    unittest.main()
