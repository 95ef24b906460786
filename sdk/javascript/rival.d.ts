/** A game server's side of `rival serve`: bots that another process plays, asked every tick. */

/** Whatever goes wrong: the message names the server or the session, and repeats what the server said. */
export class RivalError extends Error {}

export interface ConnectOptions {
  /** What the server was started with (`--token-file`); it is sent in a header, which browsers cannot do. */
  token?: string;
  /** How long a call waits for the server; `Infinity`: without end. Default: 10,000. */
  timeoutMs?: number;
  /** The class to connect with. Default: the global one, else that of the package `ws`. */
  WebSocket?: new (url: string, ...options: any[]) => any;
  /** A session had no tick for too long, and is over. */
  onExpired?: (session: Session) => void;
  /** The server was told to end: it opens no more sessions, and those that there are have so long. */
  onDraining?: (seconds: number) => void;
  /** The connection is over, and not by `close()`; all that was asked has failed. */
  onEnded?: (why: string) => void;
}

export interface OpenOptions {
  /** Default: 1. */
  seats?: number;
  /** A choice for each part, for ticks that there was no time to decide. */
  fallback?: ArrayLike<number>;
}

export interface ActOptions {
  /** Whose rows these are, each seat at most once. Default: all seats, in order. */
  seats?: ArrayLike<number>;
  /** What is allowed, `maskSize` for each row; 0 and false: not. Default: all. */
  masks?: ArrayLike<number | boolean>;
  /** Within which the server is to answer, from when the tick arrives. Default: no limit. */
  budgetMs?: number;
}

/** The answer to a tick, in the order of its rows. */
export interface Actions {
  /** [rows x parts] */
  choices: Int32Array;
  /** [rows x values], of the continuous parts */
  values: Float32Array;
  /** There was no time to decide: these are the fallback's, and memories stayed as they were. */
  late: boolean;
  /** That it took, from when the tick arrived at the server. */
  microseconds: number;
}

/** A choice that a bot makes in each decision. */
export interface Part {
  name: string;
  choices: number;
}

/** A parameter that a bot sees: in a row, `low` is -1 and `high` is 1. */
export interface Rule {
  name: string;
  low: number;
  high: number;
}

/** What is served, in the words of docs/formats/serve.md. */
export interface Description {
  bot: string;
  version: string;
  game: string;
  observation: number;
  parts: Part[];
  values: number;
  rules: Rule[];
  memory: boolean;
  temperature: number;
  reaction_steps: number;
}

/**
 * A connection to a bot server, which plays any number of sessions:
 *
 *     const server = await Server.connect("http://127.0.0.1:8765");
 *     const session = await server.open("demo", { seats: 4 });
 *     const { choices } = await session.act(observations, { masks, budgetMs: 16 });
 *
 * Calls take effect in the order in which they are made, whether their promises are awaited or not. A promise that
 * fails, fails with a `RivalError`.
 */
export class Server {
  /** `address`: http://HOST:PORT or https://HOST:PORT, with a path if a proxy wants one. */
  static connect(address: string, options?: ConnectOptions): Promise<Server>;
  private constructor();

  readonly address: string;
  /** "", or why the connection is over, and its sessions with it. */
  readonly ended: string;
  /** null, or for how many seconds yet sessions may go on. */
  readonly draining: number | null;

  bots(): Promise<Description[]>;
  /** `bot`: by the name that the server gives it; NAME@1200 is the one of that rating. */
  open(bot: string, options?: OpenOptions): Promise<Session>;
  /** Ends the connection, and all sessions with it. */
  close(): Promise<void>;
}

/** Seats that one version of a bot plays, each with a memory of its own. */
export class Session {
  private constructor();

  readonly number: number;
  readonly seats: number;
  /** By which name it was asked for. */
  readonly bot: string;
  /** Of the bot's file. */
  readonly version: string;
  readonly game: string;
  /** Numbers of a row. */
  readonly observation: number;
  /** What is chosen, in the order of `Actions.choices`. */
  readonly parts: readonly Part[];
  /** Continuous values. */
  readonly values: number;
  /** The last numbers of a row. */
  readonly rules: readonly Rule[];
  readonly memory: boolean;
  readonly temperature: number;
  /** It acts on what was shown so many ticks ago; the server sees to that. */
  readonly reactionSteps: number;
  /** The choices of all parts together. */
  readonly maskSize: number;
  /** "", or why it is over. */
  readonly ended: string;

  /**
   * Decides for rows of `observation` numbers, one after another. Ticks of any number of sessions may be asked for
   * before the first is answered, and are decided together; more than 256 wait here for answers to the others.
   */
  act(observations: ArrayLike<number>, options?: ActOptions): Promise<Actions>;
  /** These seats, or all, begin a new match. Ticks that were asked for before are decided before. */
  forget(seats?: ArrayLike<number>): Promise<void>;
  /** Frees the seats. Ticks that were asked for before are answered yet. */
  close(): Promise<void>;
  /** As errors name it. */
  toString(): string;
}
