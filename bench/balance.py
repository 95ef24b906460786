#!/usr/bin/env python3
"""`rival balance` beside a plain search for a target matrix, on the same seconds, in one run.

The plain search is what studios are told to do: draw the parameters at random within their bounds, let a tree search play a
few matches of every pair, keep the variant whose win rates lie nearest to the target (Hernandez et al. 2020 with random
search for the optimiser). Both begin at the same planted variant; both results are then measured by players trained
afresh for them, with seeds that neither has used.

    bench/balance.py build/rival duel --minutes 10 --plant sniper.damage=49.5
"""
import argparse
import json
import os
import random
import subprocess
import tempfile
import time


def balance(program, game, *options):
    ran = subprocess.run([program, "balance", game, "--json", *options], capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(ran.stderr)
    return json.loads(ran.stdout)


def distances(options):
    """How far the overall rates lie from one half: mean and worst, in points."""
    off = [100 * abs(o["rate"] - 0.5) for o in options]
    return sum(off) / len(off), max(off)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("game")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--judge-minutes", type=float, default=3)
    parser.add_argument("--plant", action="append", default=[], help="NAME=VALUE: where both begin")
    parser.add_argument("--players", default="search:50")
    parser.add_argument("--games", type=int, default=30, help="of the plain search, for each pair")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    spec = json.loads(subprocess.run([args.program, "games", args.game, "--json"], capture_output=True, text=True,
                                     check=True).stdout)
    planted = dict(p.split("=") for p in args.plant)
    parameters = {p["name"]: p for p in spec["parameters"]}
    values = {name: float(planted.get(name, p["value"])) for name, p in parameters.items()}
    as_options = lambda v: [x for name, value in v.items() for x in ("--parameter", f"{name}={value:g}")]

    with tempfile.TemporaryDirectory() as folder:
        begin = time.time()
        ours = balance(args.program, args.game, "--minutes", str(args.minutes), "--seed", str(args.seed), "--folder",
                     os.path.join(folder, "ours"), *as_options(values))
        budget = time.time() - begin
        ours_values = dict(values, **{c["parameter"]: c["to"] for c in ours["changes"]})

        draw, begin, best, tried = random.Random(args.seed), time.time(), None, 0
        candidate = values
        while time.time() - begin < budget:
            seen = balance(args.program, args.game, "--players", args.players, "--only-measure", "--matches",
                         str(args.games), "--seed", str(args.seed + tried), "--folder", os.path.join(folder, f"plain-{tried}"),
                         *as_options(candidate))
            tried += 1
            distance = distances(seen["options_before"])[0]
            if best is None or distance < best[0]:
                best = (distance, candidate)
            candidate = {}
            for name, p in parameters.items():
                step = p.get("step") or (p["high"] - p["low"]) / 1000
                candidate[name] = p["low"] + step * draw.randint(0, round((p["high"] - p["low"]) / step))

        print(f"{budget:.0f} s each; the plain search tried {tried} variants with {args.players}, {args.games} games a pair")
        print(f"{'':24}{'mean distance':>14}{'worst':>8}   points from 50%, by players trained afresh")
        judged = {}
        for name, of in (("as it was planted", values), ("rival balance", ours_values), ("plain search", best[1])):
            seen = balance(args.program, args.game, "--only-measure", "--minutes", str(args.judge_minutes), "--seed",
                         str(args.seed + 500), "--folder", os.path.join(folder, "judge-" + name.replace(" ", "-")),
                         *as_options(of))
            judged[name] = distances(seen["options_before"])
            print(f"{name:24}{judged[name][0]:14.2f}{judged[name][1]:8.2f}", flush=True)
        print(f"rival balance is {judged['plain search'][0] / judged['rival balance'][0]:.1f} times closer in the mean, "
              f"{judged['plain search'][1] / judged['rival balance'][1]:.1f} times in the worst")


if __name__ == "__main__":
    main()
