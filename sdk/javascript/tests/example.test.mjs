// The game server of examples/, and its rules.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { CELLS, COLUMNS, ConnectFour } from "../examples/connect_four.mjs";
import { ROOT, serve, temporaryFolder, train } from "./helpers.mjs";

// Each step of the match that Rival's own rules have written: what is seen, allowed and chosen.
test("the rules, and what is seen, are Rival's", () => {
  const text = readFileSync(join(ROOT, "games/connect_four/playthrough.txt"), "utf8");
  const steps = text.split(/^step \d+\n/m).slice(1);
  const match = new ConnectFour();
  let chosen = 0;
  for (const step of steps) {
    const choice = step.match(/^ {2}seat (\d) column: (\d) {2}\(of (.*)\)$/m);
    if (!choice) continue;
    const board = step.match(/sees board:\n((?: {4}[.1]{7} {2}[.1]{7}\n){6})/)[1];
    const lines = [...board.matchAll(/([.1]{7}) {2}([.1]{7})/g)];
    const cells = [1, 2].map((plane) => lines.map((line) => line[plane]).join("")).join("");
    const wanted = [...cells].map((cell) => (cell === "1" ? 1 : 0));
    const row = new Float32Array(2 * CELLS), mask = new Uint8Array(COLUMNS);
    assert.equal(match.mover, Number(choice[1]));
    match.observe(match.mover, row);
    match.legal(mask);
    assert.deepEqual([...row], wanted);
    assert.deepEqual([...mask.keys()].filter((c) => mask[c]).map((c) => c + 1), choice[3].split(", ").map(Number));
    assert.ok(!match.over);
    match.play(Number(choice[2]) - 1);
    ++chosen;
  }
  assert.ok(chosen >= 7);
  assert.ok(match.over);
  const rewards = [0, 1].map((seat) => (match.winner < 0 ? 0 : match.winner === seat ? 1 : -1));
  assert.deepEqual(steps.at(-1).match(/rewards: (.*)/)[1].split(" ").map(Number), rewards);
});

test("four in a row, in each direction and to the edges", () => {
  const winner = (columns) => {
    const match = new ConnectFour();
    for (const column of columns) match.play(column);
    return match.winner;
  };
  assert.equal(winner([0, 6, 1, 6, 2, 5, 3]), 0); // on the ground
  assert.equal(winner([6, 0, 5, 0, 6, 0, 5, 0]), 1); // upwards
  assert.equal(winner([3, 4, 4, 5, 5, 6, 5, 6, 6, 0, 6]), 0); // to the right and up
  assert.equal(winner([3, 2, 2, 1, 1, 0, 1, 0, 0, 6, 0]), 0); // to the left and up
  assert.equal(winner([5, 0, 6, 1, 0, 2, 1, 4]), -1); // no row goes on at the other side
  assert.throws(() => winner([0, 0, 0, 0, 0, 0, 0]), /column 0 cannot be played/);
});

// The 95% interval of a share (Wilson).
function interval(share, n) {
  const z = 1.96, middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return [middle - half, middle + half];
}

// A bot that was not trained takes a column again and again, and so gets four in a row more often than who plays at
// random; it scores 70%, and one that was trained for a second 93%.
test("a trained bot beats random play, and an untrained one not as clearly", { timeout: 120_000 }, async () => {
  const folder = temporaryFolder(after);
  const trained = train(folder, "trained", 100_000);
  const untrained = train(folder, "untrained", 1, "--set", "learning_rate=1e-12");
  const { address } = await serve(after, trained, untrained);
  const script = fileURLToPath(new URL("../examples/game_server.mjs", import.meta.url));
  const score = async (bot, ...options) => {
    const run = [...process.execArgv, script, address, bot, ...options];
    const { stdout } = await promisify(execFile)(process.execPath, run);
    const [, won, drawn, matches] = stdout.match(/: (\d+) won, (\d+) drawn of (\d+) matches/).map(Number);
    assert.match(stdout, new RegExp(`score ${((100 * (won + drawn / 2)) / matches).toFixed(1)}%`));
    return interval((won + drawn / 2) / matches, matches);
  };
  const many = ["--matches", "600", "--rate", "0"];
  const [low] = await score("trained", ...many), [, high] = await score("untrained", ...many);
  assert.ok(low > 0.82, `${low}`);
  assert.ok(high < 0.82, `${high}`);
  assert.ok((await score("trained", "--matches", "20"))[1] > 0.8); // 60 ticks a second
});
