#!/usr/bin/env python3
"""How a bot for a game of OpenSpiel does against OpenSpiel's own MCTS.

    openspiel_mcts.py BOT GAMESTRING [--simulations 100] [--matches 200] [--seed 1] [--temperature 0]

A match in each seat by turns; the search evaluates by one random playout and has the default constant, 2. Prints won, drawn,
lost and the score, from 0 to 1, with its standard error. Games of two players that move in turn and sum to zero. Needs
open_spiel, and the package `rival` (sdk/python) on the path of Python.
"""
import argparse
import math

import numpy as np
import pyspiel
from open_spiel.python.algorithms import mcts

import rival


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("bot")
    arguments.add_argument("game")
    arguments.add_argument("--simulations", type=int, default=100)
    arguments.add_argument("--matches", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--temperature", type=float, default=0)
    options = arguments.parse_args()
    game = pyspiel.load_game(options.game)
    policy = rival.openspiel_policy(rival.Bot.load(options.bot), options.game)
    random = np.random.RandomState(options.seed)
    scores = []
    for match in range(options.matches):
        evaluator = mcts.RandomRolloutEvaluator(1, random)
        search = mcts.MCTSBot(game, 2, options.simulations, evaluator, random_state=random)
        own, state = match % 2, game.new_initial_state()
        while not state.is_terminal():
            if state.is_chance_node():
                actions, probabilities = zip(*state.chance_outcomes())
                state.apply_action(int(random.choice(actions, p=probabilities)))
            elif state.current_player() == own:
                chances = policy.action_probabilities(state)
                actions, probabilities = list(chances), np.array(list(chances.values()))
                if options.temperature <= 0:
                    state.apply_action(actions[int(probabilities.argmax())])
                else:
                    weights = probabilities ** (1 / options.temperature)
                    state.apply_action(int(random.choice(actions, p=weights / weights.sum())))
            else:
                state.apply_action(search.step(state))
        scores.append((np.sign(state.returns()[own]) + 1) / 2)
    won, drawn = scores.count(1), scores.count(0.5)
    mean = float(np.mean(scores))
    error = math.sqrt(max(mean * (1 - mean), 1e-9) / len(scores))
    print(f"{won} won, {drawn} drawn, {len(scores) - won - drawn} lost: score {mean:.3f} +- {error:.3f}")


if __name__ == "__main__":
    main()
