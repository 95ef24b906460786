import json
import os
import tempfile
import unittest

import helpers  # noqa: F401
import numpy as np
import samples

import rival

SAMPLES = (
    "discrete",
    "continuous",
    "memory",
    "convolution",
    "all_convolved",
    "entities",
    "entities_and_map",
    "everything",
    "entities_alone",
)


class Answers(unittest.TestCase):
    def test_as_the_program_does(self):
        folder = samples.folder()
        for name in SAMPLES:
            with self.subTest(name):
                bot = rival.Bot.load(os.path.join(folder, name + ".bot"))
                wanted, _ = samples.read(os.path.join(folder, name + ".decisions"))
                memory = bot.start(9) if bot.memory else None
                for turn in ("first.", "second."):
                    seen, mask = wanted[turn + "observation"], wanted[turn + "mask"]
                    p = bot.probabilities(seen, mask, memory)
                    np.testing.assert_allclose(p, wanted[turn + "probabilities"], atol=1e-5, rtol=0)
                    value = bot.value(seen, memory)
                    np.testing.assert_allclose(value, wanted[turn + "value"][:, 0], atol=1e-5, rtol=1e-5)
                    one = None if memory is None else memory[4:5].copy()
                    np.testing.assert_allclose(bot.probabilities(seen[4], mask[4], one), p[4], atol=1e-6)
                    choices, values = bot.act_rows(seen, mask, memory, temperature=0)
                    np.testing.assert_array_equal(choices, wanted[turn + "choices"])
                    np.testing.assert_allclose(values, wanted[turn + "values"], atol=2e-5, rtol=1e-5)
                # A control: other observations have other answers.
                self.assertFalse(np.allclose(bot.value(seen + 0.1, memory), wanted["second.value"][:, 0], atol=1e-5))
                self.assertEqual(bot.steps, 123)


class Playing(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.path = os.path.join(holder.name, "a.safetensors")
        self.spec = rival.Spec("little", [rival.vector("x", 3), rival.grid("g", 1, 2, 2)], [rival.discrete("c", 4)], seats=2)

    def test_one_row_and_many(self):
        samples.random_bot(self.path, self.spec)
        bot = rival.Bot.load(self.path)
        self.assertEqual((bot.game, bot.memory, bot.observation_size, bot.mask_size), ("little", 0, 7, 4))
        seen = np.random.default_rng(1).normal(size=(500, 7)).astype(np.float32)
        p = bot.probabilities(seen[0], [1, 0, 1, 1])
        self.assertEqual((p.shape, p[1]), ((4,), 0))
        self.assertAlmostEqual(p.sum(), 1, places=6)
        by_part = {"x": seen[0, :3], "g": seen[0, 3:].reshape(1, 2, 2)}
        np.testing.assert_array_equal(bot.probabilities(by_part, {"c": [1, 0, 1, 1]}), p)
        self.assertEqual(bot.act(seen[0], [0, 0, 1, 0]), 2)
        self.assertEqual(bot.act(seen[0], temperature=0), int(bot.probabilities(seen[0]).argmax()))
        # What is drawn comes as often as the probabilities say.
        drawn = bot.act(np.repeat(seen[:1], 4000, axis=0), random=np.random.default_rng(3))
        shares = np.bincount(drawn, minlength=4) / 4000
        np.testing.assert_allclose(shares, bot.probabilities(seen[0]), atol=0.03)
        sharp = bot.probabilities(seen, temperature=1e-9)
        np.testing.assert_allclose(sharp.max(axis=1), 1, atol=1e-6)

    def test_what_a_bot_remembers(self):
        samples.random_bot(self.path, self.spec, hidden=(6, 5), memory=5)
        bot = rival.Bot.load(self.path)
        seen = np.ones(7, np.float32)
        with self.assertRaisesRegex(rival.RivalError, "has a memory: pass memory=bot.start"):
            bot.act(seen)
        memory = bot.start()
        first = bot.probabilities(seen, memory=memory)
        self.assertFalse(memory.any())
        bot.act(seen, memory=memory)
        self.assertTrue(memory.any())
        self.assertFalse(np.allclose(bot.probabilities(seen, memory=memory), first))

    def test_parts_that_depend_on_others(self):
        folder = samples.folder()
        bot = rival.Bot.load(os.path.join(folder, "everything.bot"))
        wanted, _ = samples.read(os.path.join(folder, "everything.decisions"))
        action = bot.act(wanted["first.observation"], wanted["first.mask"], bot.start(9))
        self.assertEqual(sorted(action), ["card", "force", "move", "which", "whom"])
        self.assertEqual((action["card"].shape, action["force"].shape), ((9,), (9, 2)))
        whom = bot.spec.action_number("whom")
        first = bot.layout.mask_offset[whom]
        lowest = wanted["first.mask"][:, first : first + 4].argmax(axis=1)
        idle = ~np.isin(action["move"], [1, 2])
        np.testing.assert_array_equal(action["whom"][idle], lowest[idle])

    def test_shapes_are_checked(self):
        samples.random_bot(self.path, self.spec)
        bot = rival.Bot.load(self.path)
        for call, message in (
            (lambda: bot.act(np.zeros(6)), r"the observation has the shape \(6,\), should have \(7,\)"),
            (lambda: bot.act(np.zeros(7), np.zeros(3)), r"the mask has the shape \(3,\)"),
            (lambda: bot.act(np.zeros(7), np.zeros(4)), "the mask allows nothing in 'c'"),
            (lambda: bot.act({"x": np.zeros(3)}), "no part 'g'"),
            (lambda: bot.fits(rival.Spec("l", [rival.vector("x", 4)], self.spec.action)), "observation part 0"),
        ):
            with self.assertRaisesRegex(rival.RivalError, message):
                call()
        bot.fits(self.spec)

    def test_files_that_are_none(self):
        tensors, metadata = samples.random_bot(self.path, self.spec)

        def refused(message, tensors=tensors, metadata=metadata):
            samples.write(self.path, tensors, metadata)
            with self.assertRaisesRegex(rival.RivalError, message) as caught:
                rival.Bot.load(self.path)
            self.assertIn(self.path, str(caught.exception))

        about = json.loads(metadata["rival"])
        refused("no bot of Rival", metadata={})
        refused("its format is 2", metadata={**metadata, "rival": json.dumps({**about, "format": 2})})
        for inner in (-1, 1025, 1.5, "2", None, True):
            wrong = {**metadata, "rival": json.dumps({**about, "entity_inner": inner})}
            refused(f"'entity_inner' must be 0 to 1024, is {json.dumps(inner)}", metadata=wrong)
        refused("'trunk.1.weight' is missing", metadata={**metadata, "rival": json.dumps({**about, "hidden": [8, 8]})})
        refused("'head.weight' has the shape", {**tensors, "head.weight": np.zeros((8, 4))})
        refused("'head.bias' holds a value that is not finite", {**tensors, "head.bias": np.full(5, np.nan)})
        refused("the tensor 'more' belongs to nothing", {**tensors, "more": np.zeros(1)})
        for data in (b"", b"\xff" * 16, b"\x02" + b"\0" * 7 + b"[]"):
            with open(self.path, "wb") as file:
                file.write(data)
            with self.assertRaisesRegex(rival.RivalError, "no safetensors file"):
                rival.Bot.load(self.path)
        with self.assertRaisesRegex(rival.RivalError, "No such file"):
            rival.Bot.load(self.path + "x")


if __name__ == "__main__":
    unittest.main()
