// Against `rival serve`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";

import { RivalError, Server } from "../rival.js";
import { ConnectFour } from "../examples/connect_four.mjs";
import { blocks, ROOT, serve, temporaryFolder, train } from "./helpers.mjs";

const COUNT = 200, WIDTH = 84, TOKEN = "a secret of some length";
const folder = temporaryFolder(after);
const bot = train(folder, "c4", 100000), recalls = train(folder, "recalls", 1, "--hidden", "24", "--set", "memory=24");
const { address } = await serve(after, bot, recalls);
const server = await Server.connect(address);
after(() => server.close());

// Rows of matches after some moves, and what is allowed there.
const observations = new Float32Array(COUNT * WIDTH), masks = new Uint8Array(COUNT * 7);
for (let m = 0, state = 1; m < COUNT; ++m) {
  const match = new ConnectFour();
  const plies = m % 12;
  while (match.plies < plies && !match.over) {
    state = (state * 48271) % 2147483647;
    match.play(state % 7);
  }
  match.observe(match.mover, observations.subarray(m * WIDTH));
  match.legal(masks.subarray(m * 7, m * 7 + 7));
}
const rows = (from, to) => [observations.slice(from * WIDTH, to * WIDTH), masks.slice(7 * from, 7 * to)];
const fails = (promise, message) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof RivalError, `${error?.stack}`);
    assert.match(error.message, message);
    return true;
  });

test("what is served", async () => {
  const [first, second] = await server.bots();
  assert.deepEqual([first.bot, second.bot], ["c4", "recalls"]);
  const session = await server.open("c4", { seats: 3 });
  const { number, bot, version, game, seats, observation, parts, values, rules, memory, reactionSteps } = session;
  assert.equal(version, first.version);
  assert.deepEqual({ bot, game, seats, observation, values, memory, reactionSteps },
    { bot: "c4", game: "connect_four", seats: 3, observation: 84, values: 0, memory: false, reactionSteps: 0 });
  assert.deepEqual([parts, rules, session.maskSize, session.temperature], [[{ name: "column", choices: 7 }], [], 7, 0]);
  assert.equal(`${session}`, `session ${number} of 'c4' at ${address}`);
  assert.equal((await server.open("recalls")).memory, true);
});

test("seats, in any order", async () => {
  const session = await server.open("c4", { seats: COUNT });
  const all = await session.act(observations, { masks });
  assert.ok(all.choices instanceof Int32Array && all.values instanceof Float32Array);
  assert.deepEqual([all.choices.length, all.values.length, all.late], [COUNT, 0, false]);
  assert.ok(all.microseconds > 0);
  assert.ok(new Set(all.choices).size > 1);
  all.choices.forEach((choice, row) => assert.equal(masks[7 * row + choice], 1));
  const seats = [150, 3, 77];
  const some = await session.act(seats.flatMap((s) => [...rows(s, s + 1)[0]]), {
    seats: new Uint16Array(seats),
    masks: seats.flatMap((s) => Array.from(rows(s, s + 1)[1], Boolean)),
  });
  assert.deepEqual([...some.choices], seats.map((s) => all.choices[s]));
  assert.equal((await session.act([], { seats: [] })).choices.length, 0);
});

test("masks", async () => {
  const session = await server.open("c4", { seats: COUNT });
  for (let column = 0; column < 7; ++column) {
    const only = new Uint8Array(COUNT * 7);
    for (let row = 0; row < COUNT; ++row) only[7 * row + column] = 1;
    assert.deepEqual(new Set((await session.act(observations, { masks: only })).choices), new Set([column]));
  }
});

test("no time", async () => {
  const session = await server.open("c4", { seats: 2, fallback: [3] });
  const allowed = new Uint8Array(14).fill(1);
  allowed[7] = allowed[10] = 0;
  const late = await session.act(rows(0, 2)[0], { masks: allowed, budgetMs: 0 });
  assert.deepEqual([late.late, ...late.choices], [true, 3, 1]);
  assert.equal((await session.act(rows(0, 2)[0], { masks: allowed, budgetMs: 10000 })).late, false);
});

test("memories are forgotten in the order of the calls", async () => {
  const session = await server.open("recalls", { seats: COUNT });
  const act = async () => [...(await session.act(observations, { masks })).choices];
  const fresh = await act();
  const then = await act();
  assert.notDeepEqual(then, fresh); // what is remembered makes a difference
  const some = new Uint8Array([0, 1]);
  const calls = [session.forget(), act(), act(), session.forget([]), act(), session.forget(some), act()];
  const [, first, second, , third, , fourth] = await Promise.all(calls);
  assert.deepEqual([first, second], [fresh, then]);
  assert.notDeepEqual(third, first);
  assert.deepEqual(fourth.slice(0, 2), fresh.slice(0, 2));
  assert.notDeepEqual(fourth.slice(2), fresh.slice(2));
});

test("many sessions, and more ticks in flight than a server takes", async () => {
  const sessions = await Promise.all([0, 1, 2].map(() => server.open("c4", { seats: 10 })));
  const parts = sessions.map((_, s) => rows(10 * s, 10 * s + 10));
  const act = (s) => sessions[s].act(parts[s][0], { masks: parts[s][1] });
  const wanted = await Promise.all(sessions.map((_, s) => act(s)));
  const asked = Array.from({ length: 900 }, (_, n) => act(n % 3));
  const closed = sessions.map((session) => session.close()); // after what was asked
  for (const [n, { choices }] of (await Promise.all(asked)).entries()) assert.deepEqual(choices, wanted[n % 3].choices);
  await Promise.all(closed);
});

test("what is amiss is named, and all goes on", async () => {
  const session = await server.open("c4", { seats: 4 });
  const [seen, allowed] = rows(0, 4);
  const broken = seen.slice(), none = allowed.slice();
  broken[2 * WIDTH + 5] = NaN;
  none.fill(0, 7, 14);
  const name = "session \\d+ of 'c4' at http.*: ";
  for (const [call, message] of [
    [() => session.act(broken), "row 2 \\(seat 2\\): observation\\[5\\]"],
    [() => session.act(broken, { seats: [3, 2, 1, 0] }), "row 2 \\(seat 1\\)"],
    [() => session.act(seen, { masks: none }), "row 1 \\(seat 1\\): the mask allows no choice"],
    [() => session.act(seen, { seats: [0, 1, 3, 3] }), "row 3 \\(seat 3\\): .* twice"],
    [() => session.act(seen, { seats: [0, 1, 2, 4] }), "row 3 \\(seat 4\\): the session has seats 0 to 3"],
    [() => session.act(seen, { seats: [0, -1, 2, 3] }), "row 1 \\(seat -1\\): the session has seats 0 to 3"],
    [() => session.act(seen, { seats: [0, 1, 2, 2.5] }), "row 3 \\(seat 2.5\\)"],
    [() => session.act(seen.subarray(1)), "335 observations, should be 4 rows of 84"],
    [() => session.act(seen, { masks: [1] }), "1 masks, should be 4 rows of 7"],
    [() => session.act(seen, { budgetMs: 1e7 }), "a budget of 10000000 ms"],
    [() => session.act(seen, { budgetMs: NaN }), "a budget of NaN ms"],
    [() => session.act(seen, { budget_ms: 1 }), "unknown option 'budget_ms'"],
    [() => session.forget([4]), "'seats': the session has seats 0 to 3"],
  ])
    await fails(call(), new RegExp(name + message));
  await fails(server.open("c5"), /^http.*: the bot 'c5': unknown bot 'c5'.*c4/);
  await fails(server.open("c4", { seats: 0 }), /'seats' is a whole number of at least 1/);
  await fails(server.open("c4", { fallback: [7] }), /'column' has choices 0 to 6/);
  assert.equal(session.ended + server.ended, "");
  await session.act(seen, { masks: allowed });
  const large = await server.open("c4", { seats: 60_000 });
  await fails(large.act(new Float32Array(60_000 * WIDTH)), /more than the 16777216 that a server takes/);
  await large.close();
});

test("sessions end", async () => {
  const [seen] = rows(0, 1);
  const session = await server.open("c4");
  const asked = session.act(seen);
  await session.close();
  assert.equal(session.ended, "it was closed");
  assert.equal((await asked).choices.length, 1);
  await session.close();
  for (const call of [session.act(seen), session.forget()])
    await fails(call, /session \d+ of 'c4' at http.*: it was closed/);

  const other = await Server.connect(address, { onEnded: () => assert.fail("it was closed on purpose") });
  const theirs = await other.open("c4");
  const pending = [theirs.act(seen), theirs.forget(), other.open("c4")];
  const failed = pending.map((call) => fails(call, /the connection was closed/));
  await other.close();
  await other.close();
  await Promise.all(failed);
  await fails(theirs.act(seen), /the connection was closed/);
  await theirs.close();
});

test("addresses and tokens", async () => {
  for (const wrong of ["127.0.0.1:8765", "ftp://127.0.0.1", "", "ws://127.0.0.1:1"])
    await fails(Server.connect(wrong), /is no address of a server/);
  await fails(Server.connect(address, { token: "a\r\nb" }), /printable ASCII/);
  await fails(Server.connect(address, { timeout: 1 }), /unknown option 'timeout'/);
  await fails(Server.connect(address + "/other"), /404: there is no such path/);
  const onEnded = () => assert.fail("there was no connection");
  await fails(Server.connect("http://127.0.0.1:1", { onEnded }), /^http:\/\/127.0.0.1:1: cannot connect: .*(REFUSED|bad port)/);
  const with_slash = await Server.connect(address + "/");
  assert.equal(with_slash.address, address);
  await with_slash.close();
});

test("a token, silence and the end", { timeout: 60_000 }, async () => {
  const file = join(folder, "token");
  writeFileSync(file, TOKEN + "\n");
  const strict = await serve(after, bot, "--token-file", file, "--idle-seconds", "1");
  for (const token of [undefined, TOKEN + "s"])
    await fails(Server.connect(strict.address, { token }), /401: a token is needed/);
  const told = {};
  const heard = (name) => new Promise((resolve) => (told[name] = resolve));
  const [expired, draining, ended] = ["onExpired", "onDraining", "onEnded"].map(heard);
  const server = await Server.connect(strict.address, { token: TOKEN, ...told });
  assert.equal((await server.bots())[0].bot, "c4");

  const [session, silent] = await Promise.all([server.open("c4"), server.open("c4")]);
  const [seen] = rows(0, 1);
  let over = false;
  expired.then(() => (over = true));
  while (!over) await session.act(seen).then(() => new Promise((resolve) => setTimeout(resolve, 50)));
  assert.equal(await expired, silent);
  assert.equal(silent.ended, "it expired: no tick for 1 seconds");
  await fails(silent.act(seen), /it expired: no tick for 1 seconds/);
  await silent.close();

  assert.equal(server.draining, null);
  strict.process.kill("SIGTERM");
  assert.equal(await draining, 30);
  assert.ok(server.draining > 0 && server.draining <= 30);
  await fails(server.open("c4"), /no new sessions/);
  await fails(Server.connect(strict.address, { token: TOKEN }), /503: draining/);
  assert.equal((await session.act(seen)).choices.length, 1);
  await session.close();
  assert.match(await ended, /code 1001.*it was told to end/);
  await fails(server.open("c4"), /it was told to end/);
  await strict.exited;
});

test("the types name what there is", async () => {
  const declared = (name) => {
    const [, body] = readFileSync(new URL("../rival.d.ts", import.meta.url), "utf8").match(
      new RegExp(`^export class ${name} {\n(.*?)^}`, "ms"));
    return [...body.matchAll(/^ {2}(?:readonly )?(\w+)(?=[(:])/gm)].map(([, member]) => member).sort();
  };
  const there = (object) =>
    [...Object.keys(object), ...Object.getOwnPropertyNames(Object.getPrototypeOf(object))]
      .filter((member) => member !== "constructor")
      .sort();
  assert.deepEqual(declared("Server"), there(server));
  assert.deepEqual(declared("Session"), there(await server.open("c4")));
  assert.throws(() => new Server(), RivalError);
});

test("the documents' code runs", async () => {
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(join(ROOT, "sdk/javascript"), join(folder, "node_modules/rival"));
  const found = ["sdk/javascript/README.md", "docs/serve.md"].map((page) => blocks(page, "js"));
  assert.deepEqual(found.map((each) => each.length), [1, 1]);
  for (const [code] of found) {
    const file = join(folder, "snippet.mjs");
    writeFileSync(file, code.replace("http://127.0.0.1:8765", address).replaceAll('"demo"', '"c4"'));
    const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, file]);
    assert.match(stdout, /Int32Array/);
  }
});
