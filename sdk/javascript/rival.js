// A game server's side of `rival serve` (docs/formats/serve.md). rival.d.ts says what each member promises.

const TICK = 1, ANSWER = 2, VERSION = 1, LATE = 1;
const HEADER = 20; // bytes: kind, version and flags in the first four, then session, tick, microseconds and rows
const LARGEST_TICK = 16 << 20; // bytes; a server ends the connection that sends more
const MOST_WAITING = 256; // ticks that a server takes before it has answered the first
const MOST_BYTES = 64 << 20; // of these
const LONGEST_TIMER = 2 ** 31 - 1; // ms
const CLOSE_MS = 1000;
const CLOSED = "it was closed";
const CLOSE_CODES = {
  1001: "it ends",
  1006: "without a word",
  1008: "there were too many wrong messages, or answers were not taken",
  1009: "a message was larger than it takes",
};

export class RivalError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = "RivalError";
  }
}

export class Server {
  #connection;

  static async connect(address, options = {}) {
    return new Server(await Connection.open(address, options));
  }

  constructor(connection) {
    if (!(connection instanceof Connection)) throw new RivalError("Server.connect(address) makes a Server");
    this.#connection = connection;
  }

  get address() {
    return this.#connection.address;
  }

  get ended() {
    return this.#connection.ended;
  }

  get draining() {
    const until = this.#connection.drained;
    return until === null ? null : Math.max(0, (until - performance.now()) / 1000);
  }

  async bots() {
    const body = await this.#connection.get("/bots");
    if (!Array.isArray(body?.bots)) throw new RivalError(`${this.address}/bots: it has no list of bots`);
    return body.bots;
  }

  async open(bot, options = {}) {
    const whom = `${this.address}: the bot '${bot}'`;
    known(options, ["seats", "fallback"], whom);
    const { seats = 1, fallback } = options;
    const wish = { open: bot, seats, ...(fallback && { fallback: Array.from(fallback) }) };
    return this.#connection.wish(wish, whom, (reply) => new Session(this.#connection, reply));
  }

  close() {
    return this.#connection.close();
  }
}

export class Session {
  #connection;
  #ended = "";

  constructor(connection, opened) {
    if (!(connection instanceof Connection)) throw new RivalError("Server.open(bot) makes a Session");
    this.#connection = connection;
    const whole = (value) => {
      if (!Number.isInteger(value) || value < 0) throw new TypeError(`${value} is no number of something`);
      return value;
    };
    this.number = whole(opened.opened);
    this.seats = whole(opened.seats);
    this.bot = String(opened.bot);
    this.version = String(opened.version);
    this.game = String(opened.game);
    this.observation = whole(opened.observation);
    this.parts = opened.parts.map(({ name, choices }) => ({ name: String(name), choices: whole(choices) }));
    this.values = whole(opened.values);
    this.rules = opened.rules.map(({ name, low, high }) => ({ name: String(name), low: +low, high: +high }));
    this.memory = Boolean(opened.memory);
    this.temperature = Number(opened.temperature);
    this.reactionSteps = whole(opened.reaction_steps);
    this.maskSize = this.parts.reduce((sum, part) => sum + part.choices, 0);
    connection.sessions.set(this.number, (why) => {
      this.#ended = `it expired: ${why}`;
      return this;
    });
  }

  get ended() {
    return this.#ended || this.#connection.ended;
  }

  async act(observations, options = {}) {
    this.#check();
    known(options, ["seats", "masks", "budgetMs"], this);
    const { masks, budgetMs } = options;
    const seats = this.#seats(options.seats);
    const rows = seats.length;
    const wanted = (what, given, each) => {
      if (given.length !== rows * each)
        throw new RivalError(`${this}: ${given.length} ${what}, should be ${rows} rows of ${each}`);
    };
    wanted("observations", observations, this.observation);
    if (masks) wanted("masks", masks, this.maskSize);
    const microseconds = budgetMs === undefined ? 0 : Math.max(1, Math.round(1000 * budgetMs));
    if (!(microseconds < 2 ** 32)) throw new RivalError(`${this}: a budget of ${budgetMs} ms is none, up to an hour`);

    const size = HEADER + rows * (4 + 4 * this.observation + this.maskSize);
    if (size > LARGEST_TICK)
      throw new RivalError(`${this}: a tick of ${size} bytes is more than the ${LARGEST_TICK} that a server takes`);
    const frame = new ArrayBuffer(size);
    new Uint32Array(frame, 0, 5).set([TICK | (VERSION << 8), this.number, 0, microseconds, rows]);
    new Uint32Array(frame, HEADER, rows).set(seats);
    new Float32Array(frame, HEADER + 4 * rows, rows * this.observation).set(observations);
    const allowed = new Uint8Array(frame, HEADER + 4 * rows * (1 + this.observation));
    if (masks) for (let i = 0; i < allowed.length; ++i) allowed[i] = masks[i] ? 1 : 0;
    else allowed.fill(1);
    return this.#connection.tick(frame, this);
  }

  async forget(seats) {
    this.#check();
    const wish = { forget: this.number, ...(seats && { seats: Array.from(seats) }) };
    await this.#connection.wish(wish, this, () => {});
  }

  async close() {
    if (this.ended) return;
    this.#ended = CLOSED;
    try {
      await this.#connection.wish({ close: this.number }, this, () => {});
    } catch (error) {
      if (this.#ended === CLOSED) throw error; // else it has expired meanwhile
    }
    this.#connection.sessions.delete(this.number);
  }

  toString() {
    return `session ${this.number} of '${this.bot}' at ${this.#connection.address}`;
  }

  #check() {
    if (this.ended) throw new RivalError(`${this}: ${this.ended}`);
  }

  #seats(given) {
    if (!given) return Uint32Array.from({ length: this.seats }, (_, seat) => seat);
    for (let row = 0; row < given.length; ++row)
      if (!(Number.isInteger(given[row]) && given[row] >= 0 && given[row] < this.seats))
        throw new RivalError(`${this}: row ${row} (seat ${given[row]}): the session has seats 0 to ${this.seats - 1}`);
    return given;
  }
}

// What a server and its sessions share: the socket, and what is waited for. Nothing of it is exported.
class Connection {
  ended = "";
  drained = null; // by which performance.now() the server ends
  sessions = new Map(); // by number: what ends that session, and gives it
  #socket;
  #options;
  #base;
  #waiting = new Map(); // by its number, which is a wish's id or a tick's
  #next = 0;
  #unanswered = 0; // ticks
  #bytes = 0; // of these
  #outbox = []; // what waits for answers to these; in order
  #closed; // a promise
  #quiet = true; // nobody is told of its end: not before it is there, nor of close()

  constructor(address, options) {
    known(options, ["token", "timeoutMs", "WebSocket", "onExpired", "onDraining", "onEnded"], address);
    this.address = String(address).replace(/\/+$/, "");
    this.#options = { timeoutMs: 10_000, ...options };
    try {
      this.#base = new URL(this.address);
    } catch {
      this.#base = null;
    }
    if (!["http:", "https:"].includes(this.#base?.protocol))
      throw new RivalError(`'${address}' is no address of a server, as in http://127.0.0.1:8765`);
    if (!/^[ -~]*$/.test(options.token ?? "")) throw new RivalError("a token is of printable ASCII characters");
    if (new Uint8Array(new Uint32Array([1]).buffer)[0] !== 1)
      throw new RivalError("ticks are little-endian, and this processor is not");
  }

  static async open(address, options) {
    const connection = new Connection(address, options);
    const WebSocket = options.WebSocket ?? globalThis.WebSocket ?? (await webSocketOfNode());
    await connection.#connect(WebSocket);
    return connection;
  }

  get #headers() {
    const { token } = this.#options;
    return token === undefined ? {} : { Authorization: `Bearer ${token}` };
  }

  #url(path) {
    return this.#base.href.replace(/\/$/, "") + path;
  }

  async #connect(WebSocket) {
    const url = this.#url("/v1/play").replace(/^http/, "ws");
    const headers = this.#headers;
    const socket = headers.Authorization ? new WebSocket(url, { headers }) : new WebSocket(url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    let stop;
    const failed = await new Promise((resolve) => {
      stop = this.#timer(() => resolve("no answer in time"));
      socket.onmessage = ({ data }) => this.#hear(data);
      socket.onopen = () => {
        this.#quiet = false;
        resolve("");
      };
      socket.onerror = ({ message }) => resolve(message || "no WebSocket can be opened there");
      this.#closed = new Promise((done) => {
        socket.onclose = (event) => {
          resolve("the connection was closed at once");
          done();
          this.#over(closing(event));
        };
      });
    });
    stop();
    if (!failed) return;
    this.#quiet = true;
    socket.close();
    // A WebSocket does not say what the server said.
    await this.get("/v1/play", 426);
    throw new RivalError(`${this.address}: cannot connect: ${failed}`);
  }

  // The object at a path, or what the server says instead, as an error. `fine`: a status that is no error.
  async get(path, fine = 200) {
    const { timeoutMs } = this.#options;
    let response, text;
    try {
      const signal = timeoutMs <= LONGEST_TIMER ? AbortSignal.timeout(timeoutMs) : undefined;
      response = await fetch(this.#url(path), { headers: this.#headers, signal });
      text = await response.text();
    } catch (error) {
      const why = error.cause?.message || error.cause?.code || error.message;
      throw new RivalError(`${this.address}: cannot connect: ${why}`, { cause: error });
    }
    let body;
    try {
      body = JSON.parse(text);
    } catch {
      body = null;
    }
    if (response.status !== fine)
      throw new RivalError(`${this.address}: ${response.status}: ${body?.error ?? response.statusText}`);
    return body;
  }

  // Sends a wish. The promise is of what `read` makes of its answer.
  wish(wish, whom, read) {
    return this.#ask(whom, (number) => JSON.stringify({ ...wish, id: number }), { read });
  }

  // Sends a tick, whose number is not in its frame yet. The promise is of its actions.
  tick(frame, session) {
    const rows = new Uint32Array(frame, 16, 1)[0];
    const numbered = (number) => {
      new Uint32Array(frame, 8, 1)[0] = number;
      return frame;
    };
    return this.#ask(session, numbered, { session, rows });
  }

  #ask(whom, message, entry) {
    if (this.ended) return Promise.reject(new RivalError(`${whom}: ${this.ended}`));
    const number = (this.#next = (this.#next + 1) >>> 0);
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new RivalError(`${whom}: ${why}`));
      // It stays among what is waited for: its answer may come yet.
      const stop = this.#timer(() => fail(`no answer within ${this.#options.timeoutMs / 1000} s`));
      const written = message(number);
      const size = entry.session ? written.byteLength : 0; // 0: no tick
      this.#waiting.set(number, { ...entry, size, resolve, fail, stop });
      this.#outbox.push({ size, written });
      this.#send();
    });
  }

  #send() {
    while (this.#outbox.length) {
      const { size, written } = this.#outbox[0];
      if (size && (this.#unanswered >= MOST_WAITING || this.#bytes + size > MOST_BYTES)) return;
      this.#outbox.shift();
      if (size) ++this.#unanswered;
      this.#bytes += size;
      this.#socket.send(written);
    }
  }

  // Calls `late` when a call has waited too long. The value stops that.
  #timer(late) {
    const { timeoutMs } = this.#options;
    if (!(timeoutMs <= LONGEST_TIMER)) return () => {};
    const timer = setTimeout(late, timeoutMs);
    return () => clearTimeout(timer);
  }

  #taken(number) {
    const entry = this.#waiting.get(number);
    this.#waiting.delete(number);
    entry.stop();
    if (entry.size) {
      --this.#unanswered;
      this.#bytes -= entry.size;
      this.#send();
    }
    return entry;
  }

  #hear(data) {
    if (this.ended) return;
    let told = () => {};
    try {
      if (typeof data === "string") told = this.#told(JSON.parse(data));
      else this.#answered(data);
    } catch (error) {
      this.#fail(`it sent a message that is not of this protocol: ${error.message}`);
    }
    told(); // what the caller's functions throw is the caller's
  }

  // The value: what is left to be done, for those who asked to be told.
  #told(message) {
    const { onExpired, onDraining } = this.#options;
    const nothing = () => {};
    if ("id" in message) {
      const entry = this.#waiting.get(message.id);
      if (!entry?.read) throw new TypeError(`an answer to the wish ${message.id}`);
      if ("error" in message) entry.fail(message.error);
      else entry.resolve(entry.read(message));
      this.#taken(message.id);
    } else if ("expired" in message) {
      const session = this.sessions.get(message.expired)?.(String(message.reason));
      this.sessions.delete(message.expired);
      if (session && onExpired) return () => onExpired(session);
    } else if ("draining" in message) {
      const seconds = Number(message.draining);
      this.drained = performance.now() + 1000 * seconds;
      if (onDraining) return () => onDraining(seconds);
    } else if ("error" in message) {
      const entry = this.#waiting.get(message.tick);
      if (entry?.session?.number !== message.session) throw new TypeError(message.error);
      this.#taken(message.tick).fail(message.error);
    }
    return nothing;
  }

  #answered(frame) {
    if (!(frame instanceof ArrayBuffer) || frame.byteLength < HEADER) throw new TypeError("an answer without a header");
    const [kind, number, tick, microseconds, rows] = new Uint32Array(frame, 0, 5);
    const { session, ...entry } = this.#waiting.get(tick) ?? {};
    if ((kind & 0xffff) !== (ANSWER | (VERSION << 8)) || session?.number !== number || entry.rows !== rows)
      throw new TypeError(`an answer to session ${number}, tick ${tick}`);
    const choices = rows * session.parts.length, values = rows * session.values;
    if (frame.byteLength !== HEADER + 4 * (choices + values))
      throw new TypeError(`an answer of ${frame.byteLength} bytes to session ${number}, tick ${tick}`);
    this.#taken(tick).resolve({
      choices: new Int32Array(frame, HEADER, choices),
      values: new Float32Array(frame, HEADER + 4 * choices, values),
      late: Boolean((kind >>> 16) & LATE),
      microseconds,
    });
  }

  #fail(why) {
    this.#socket.close();
    this.#over(why);
  }

  #over(why) {
    if (this.ended) return;
    this.ended = why + (this.drained === null ? "" : "; it was told to end");
    for (const { stop, fail } of this.#waiting.values()) {
      stop();
      fail(this.ended);
    }
    this.#waiting.clear();
    this.#outbox = [];
    if (!this.#quiet) this.#options.onEnded?.(this.ended);
  }

  async close() {
    this.#quiet = true;
    this.#over("the connection was closed");
    this.#socket.close();
    let timer;
    await Promise.race([this.#closed, new Promise((resolve) => (timer = setTimeout(resolve, CLOSE_MS)))]);
    clearTimeout(timer);
    this.#socket.terminate?.(); // of ws, which would wait for longer
  }
}

// Before Node 22 the package ws.
async function webSocketOfNode() {
  try {
    const { createRequire } = await import("node:module");
    return createRequire(import.meta.url)("ws");
  } catch (error) {
    throw new RivalError("there is no WebSocket here: Node has it from 22 on; before, install the package ws", {
      cause: error,
    });
  }
}

function closing({ code, reason }) {
  const said = reason || CLOSE_CODES[code];
  return `the server closed the connection, code ${code}${said ? `: ${said}` : ""}`;
}

function known(options, names, where) {
  const name = Object.keys(options).find((each) => !names.includes(each));
  if (name !== undefined) throw new RivalError(`${where}: unknown option '${name}'; there are ${names.join(", ")}`);
}
