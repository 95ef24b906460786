"""A game in Python over the transport, for worker_test: `worker_fake.py SDK MODE --listen ADDRESS`."""
import os
import sys
import time
import types

sys.path.insert(0, sys.argv[1])
import numpy as np  # noqa: E402

from rival import _worker  # noqa: E402

MODE = sys.argv[2]


class Spec:
    """Two seats add 1 or 2 in turn, and look at the sum; who gets to 9 wins."""

    seats, simultaneous = 2, False
    observation = [types.SimpleNamespace(name="sum", channels=1, height=1, width=2)]
    action = [types.SimpleNamespace(name="add", kind="discrete", size=2)]
    parameters = [types.SimpleNamespace(name="first", value=0.0)]
    choices = []

    def team_of(self, seat):
        return seat

    def to_json(self):
        return {
            "name": "nine",
            "description": "Whoever gets to 9 wins",
            "seats": self.seats,
            "observation": [{"name": "sum", "kind": "vector", "width": 2}],
            "action": [{"name": "add", "kind": "discrete", "size": 2}],
            "parameters": [{"name": "first", "value": 0, "low": 0, "high": 4, "step": 1}],
            "max_steps": 9,
        }


class Batch:
    has = {"result": True, "legal": True, "text": True, "action_text": True}

    def __init__(self, matches):
        self.spec = Spec()
        self.sums, self.movers, self.status = [0] * matches, [0] * matches, [2] * matches

    def start(self, matches, parameters, picks, keys):
        for match, key in zip(matches.tolist(), keys.tolist()):
            self.sums[match] = int(parameters[0]) + key % 2
            self.movers[match], self.status[match] = 0, 0

    def observe(self, observations, masks, seats):
        for match, running in enumerate(self.status):
            seats[match] = -1 if running else self.movers[match]
            self.observe_seat(match, self.movers[match], observations[match], masks[match])

    def observe_seat(self, match, seat, observation, mask=None):
        observation[:] = self.sums[match] / 9, seat
        if mask is not None:
            mask[:] = 1, self.sums[match] < 8
        if MODE == "nan" and self.sums[match] > 4:
            observation[0] = float("nan")

    def step(self, choices, values, rewards, status):
        rewards[:] = 0
        self.finished = []
        for match, running in enumerate(self.status):
            if running:
                continue
            self.sums[match] += 1 + int(choices[match, 0])
            self.movers[match] ^= 1
            if MODE == "raise" and self.sums[match] > 4:
                raise KeyError("queen")
            if MODE == "exit" and self.sums[match] > 4:
                print("out of memory", file=sys.stderr, flush=True)
                os._exit(9)
            if MODE == "hang" and self.sums[match] > 4:
                time.sleep(1000)
            if self.sums[match] >= 9:
                self.status[match] = 1
                self.finished.append(match)
        status[:] = self.status

    def results(self, results):
        for match in self.finished:
            results[match, self.movers[match]], results[match, 1 - self.movers[match]] = -1, 1

    def text(self, match):
        return f"the sum is {self.sums[match]}"

    def action_text(self, match, seat, choice):
        return f"+{choice + 1}"

    def close(self):
        pass


_worker.serve(Batch, sys.argv[4], _worker.token_from_environment())
