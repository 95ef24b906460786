// What a server may send, well or badly, with a WebSocket by hand.
import assert from "node:assert/strict";
import { test } from "node:test";

import { RivalError, Server } from "../rival.js";

const ABOUT = { bot: "b", version: "v", game: "g", observation: 1, parts: [{ name: "p", choices: 2 }], values: 1,
  rules: [{ name: "r", low: 0, high: 2.5 }], memory: true, temperature: 1, reaction_steps: 3 };

class Socket {
  sent = [];
  constructor(url, options) {
    Object.assign(this, { url, options });
    Socket.last = this;
    queueMicrotask(() => this.onopen());
  }
  send(message) {
    this.sent.push(message);
  }
  close() {
    queueMicrotask(() => this.end(1005));
  }
  end(code, reason = "") {
    this.onclose({ code, reason });
  }
  hear(data) {
    this.onmessage({ data: typeof data === "object" && !(data instanceof ArrayBuffer) ? JSON.stringify(data) : data });
  }
}

// A server, its socket and a session of so many seats.
async function connected(seats = 2, options = {}) {
  const server = await Server.connect("https://there:1/path", { WebSocket: Socket, ...options });
  const socket = Socket.last;
  const opening = server.open("b", { seats });
  const { id } = JSON.parse(socket.sent.pop());
  socket.hear({ id, opened: 7, seats, ...ABOUT });
  return { server, socket, session: await opening };
}

// The answer to a tick: choices 5, 6..., values 0.5, 1.5...
function answer(frame, change = {}) {
  const [, session, tick, , rows] = new Uint32Array(frame, 0, 5);
  const said = { kind: 2, version: 1, flags: 0, session, tick, rows, extra: 0, ...change };
  const bytes = new ArrayBuffer(20 + 8 * rows + said.extra);
  const view = new DataView(bytes);
  [said.kind, said.version].forEach((value, at) => view.setUint8(at, value));
  view.setUint16(2, said.flags, true);
  [said.session, said.tick, 1500, said.rows].forEach((value, n) => view.setUint32(4 + 4 * n, value, true));
  for (let row = 0; row < rows; ++row) {
    view.setInt32(20 + 4 * row, 5 + row, true);
    view.setFloat32(20 + 4 * (rows + row), row + 0.5, true);
  }
  return bytes;
}

const fails = (promise, message) =>
  assert.rejects(promise, (error) => error instanceof RivalError && (assert.match(error.message, message), true));

test("the bytes of a tick and its answer", async () => {
  const { session, socket, server } = await connected(300, { token: "secret" });
  assert.deepEqual([socket.url, socket.options.headers.Authorization], ["wss://there:1/path/v1/play", "Bearer secret"]);
  assert.equal(server.address, "https://there:1/path");
  assert.deepEqual([session.rules, session.reactionSteps, session.memory], [ABOUT.rules, 3, true]);
  const acted = session.act([1.5, -2], { seats: [258, 1], masks: [true, 0, 0, 7], budgetMs: 1.5 });
  const frame = socket.sent.pop();
  const view = new DataView(frame);
  assert.equal(frame.byteLength, 20 + 2 * (4 + 4 + 2));
  assert.deepEqual([...new Uint8Array(frame, 0, 8)], [1, 1, 0, 0, 7, 0, 0, 0]);
  assert.deepEqual([12, 16, 20, 24].map((at) => view.getUint32(at, true)), [1500, 2, 258, 1]);
  assert.deepEqual([28, 32].map((at) => view.getFloat32(at, true)), [1.5, -2]);
  assert.deepEqual([...new Uint8Array(frame, 36)], [1, 0, 0, 1]);
  socket.hear(answer(frame, { flags: 1 }));
  assert.deepEqual(await acted, {
    choices: new Int32Array([5, 6]), values: new Float32Array([0.5, 1.5]), late: true, microseconds: 1500 });
});

test("answers in any order, and not more ticks than a server takes", async () => {
  const { session, socket } = await connected(1);
  const asked = Array.from({ length: 300 }, () => session.act([0]));
  const forgotten = session.forget();
  assert.equal(socket.sent.length, 256);
  const frames = socket.sent.splice(0);
  for (const frame of frames.reverse()) socket.hear(answer(frame));
  assert.equal(socket.sent.length, 45); // what has waited, and the wish after it
  const { id, forget } = JSON.parse(socket.sent.pop());
  assert.equal(forget, 7);
  for (const frame of socket.sent.splice(0)) socket.hear(answer(frame));
  socket.hear({ id, forgotten: 7 });
  await Promise.all([...asked, forgotten]);
});

test("no more bytes than a server takes", async () => {
  const { session, socket } = await connected(1_500_000);
  const seats = Uint32Array.from({ length: 1_500_000 }, (_, seat) => seat);
  const asked = Array.from({ length: 5 }, () => session.act(new Float32Array(1_500_000), { seats }));
  assert.equal(socket.sent.length, 4); // of 15 MB
  while (socket.sent.length) socket.hear(answer(socket.sent.shift()));
  await Promise.all(asked);
});

test("errors are of the call that they name, and news are passed by", async () => {
  const { session, socket, server } = await connected(1);
  const [first, second] = [session.act([0]), session.act([0])];
  const [, , tick] = new Uint32Array(socket.sent[0], 0, 5);
  socket.hear({ something: "new" });
  socket.hear({ error: "row 0 is amiss", session: 7, tick });
  socket.hear({ expired: 99, reason: "none of ours" });
  socket.hear(answer(socket.sent[1]));
  await fails(first, /^session 7 of 'b' at https:\/\/there:1\/path: row 0 is amiss$/);
  await second;
  assert.equal(server.ended, "");
});

test("no answer in time", async () => {
  const { session, socket, server } = await connected(1, { timeoutMs: 20 });
  await fails(session.act([0]), /no answer within 0.02 s/);
  socket.hear(answer(socket.sent.pop())); // late, which is no fault
  assert.equal(server.ended, "");
  await fails(session.forget(), /no answer within 0.02 s/);
});

test("who asks is told, and what they throw is theirs", async () => {
  const told = [];
  const { session, socket, server } = await connected(1, {
    onExpired: (session) => {
      told.push(session);
      throw new Error("mine");
    },
    onDraining: (seconds) => told.push(seconds),
    onEnded: (why) => told.push(why),
  });
  assert.throws(() => socket.hear({ expired: 7, reason: "silence" }), /mine/);
  socket.hear({ draining: 30 });
  socket.end(1001);
  assert.deepEqual(told, [session, 30, server.ended]);
  assert.equal(server.ended, "the server closed the connection, code 1001: it ends; it was told to end");
  assert.equal(session.ended, "it expired: silence");
});

const WRONG = {
  "another kind": (frame) => answer(frame, { kind: 1 }),
  "another version": (frame) => answer(frame, { version: 2 }),
  "another session": (frame) => answer(frame, { session: 8 }),
  "another tick": (frame) => answer(frame, { tick: 99 }),
  "other rows": (frame) => answer(frame, { rows: 3 }),
  "more bytes": (frame) => answer(frame, { extra: 4 }),
  "no header": () => new ArrayBuffer(19),
  "no JSON": () => "{",
  "no object": () => "7",
  nothing: () => "null",
  "an answer to no wish": () => ({ id: 99, closed: 7 }),
  "a tick's number as that of a wish": (frame) => ({ id: new Uint32Array(frame, 8, 1)[0], closed: 7 }),
  "an error of nothing": () => ({ error: "what" }),
};
for (const [what, wrong] of Object.entries(WRONG))
  test(`${what} ends the connection`, async () => {
    let ended = "";
    const { session, socket, server } = await connected(2, { onEnded: (why) => (ended = why) });
    const acted = session.act([0, 0]);
    socket.hear(wrong(socket.sent.pop()));
    await fails(acted, /it sent a message that is not of this protocol/);
    assert.equal(ended, server.ended);
    await fails(server.open("b"), /not of this protocol/);
  });

test("a description that is none", async () => {
  for (const change of [{ observation: -1 }, { parts: null }, { opened: "7" }, { rules: [null] }, { values: 0.5 }]) {
    const server = await Server.connect("http://there", { WebSocket: Socket });
    const opening = server.open("b");
    const { id } = JSON.parse(Socket.last.sent.pop());
    Socket.last.hear({ id, opened: 7, seats: 1, ...ABOUT, ...change });
    await fails(opening, /not of this protocol/);
  }
});

test("whatever bytes arrive, calls end with actions or a RivalError", async () => {
  let state = 1;
  const random = (below) => (state = (state * 48271) % 2147483647) % below;
  let fine = 0, wrong = 0;
  for (let n = 0; n < 2000; ++n) {
    const { session, socket } = await connected(2);
    const acted = session.act([0, 0]);
    const frame = socket.sent.pop();
    const bytes = new Uint8Array(answer(frame));
    for (let changes = random(3); changes; --changes) bytes[random(bytes.length)] = random(256);
    const text = [...JSON.stringify({ error: "x", session: 7, tick: new Uint32Array(frame, 8, 1)[0] })];
    for (let changes = random(3); changes; --changes) text[random(text.length)] = String.fromCharCode(32 + random(90));
    socket.hear(n % 2 ? text.join("") : bytes.buffer.slice(0, random(4) ? undefined : random(bytes.length)));
    socket.end(1006);
    await acted.then(() => ++fine, (error) => (assert.ok(error instanceof RivalError, error), ++wrong));
  }
  assert.ok(fine > 100 && wrong > 100, `${fine} and ${wrong}`);
});
