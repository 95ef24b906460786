// A game server that has its bots from `rival serve`: matches of Connect Four, all at once, in which a bot plays
// against somebody who plays at random.
//
//   node game_server.mjs http://127.0.0.1:8765 BOT [--matches 100] [--rate 60] [--token TOKEN]
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { Server } from "../rival.js";
import { CELLS, COLUMNS, ConnectFour } from "./connect_four.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    matches: { type: "string", default: "100" },
    rate: { type: "string", default: "60" }, // ticks a second; 0: as fast as it goes
    token: { type: "string" },
  },
});
const [address, bot] = positionals;
if (!bot) {
  console.error("Usage: node game_server.mjs ADDRESS BOT [--matches 100] [--rate 60] [--token TOKEN]");
  process.exit(2);
}

const server = await Server.connect(address, {
  token: options.token,
  onDraining: (seconds) => console.error(`The bot server ends in ${seconds} s`),
});
const matches = Array.from({ length: Number(options.matches) }, () => new ConnectFour());
const session = await server.open(bot, { seats: matches.length }); // a seat of the session for each match
if (session.game !== "connect_four") throw new Error(`${session} plays ${session.game}`);

const observations = new Float32Array(matches.length * 2 * CELLS), masks = new Uint8Array(matches.length * COLUMNS);
const random = (below) => Math.floor(below * Math.random());
const rate = Number(options.rate);
let late = 0, next = performance.now();
while (matches.some((match) => !match.over)) {
  const seats = [];
  matches.forEach((match, seat) => {
    if (match.over) return;
    const mask = new Uint8Array(COLUMNS);
    match.legal(mask);
    if (match.mover === seat % 2) {
      // The bot's turn: it begins in every other match.
      match.observe(match.mover, observations.subarray(seats.length * 2 * CELLS));
      masks.set(mask, seats.length * COLUMNS);
      seats.push(seat);
    } else {
      const allowed = [...mask.keys()].filter((column) => mask[column]);
      match.play(allowed[random(allowed.length)]);
    }
  });
  const actions = await session.act(observations.subarray(0, seats.length * 2 * CELLS), {
    seats,
    masks: masks.subarray(0, seats.length * COLUMNS),
    budgetMs: 1000 / (rate || 60),
  });
  late += actions.late ? seats.length : 0;
  seats.forEach((seat, row) => matches[seat].play(actions.choices[row]));
  if (!rate) continue;
  next += 1000 / rate;
  await sleep(Math.max(0, next - performance.now()));
}
await server.close();

const won = matches.filter((match, seat) => match.winner === seat % 2).length;
const drawn = matches.filter((match) => match.winner < 0).length;
const score = (100 * (won + drawn / 2)) / matches.length;
const counted = `${won} won, ${drawn} drawn of ${matches.length} matches against random play`;
console.log(`${bot}: ${counted}; score ${score.toFixed(1)}%`);
if (late) console.log(`${late} decisions were late, and made by the fallback`);
