import { Actions, RivalError, Server, Session } from "../rival.js";

export async function play(rows: Float32Array, masks: boolean[]): Promise<number> {
  const server: Server = await Server.connect("http://127.0.0.1:8765", {
    token: "secret",
    timeoutMs: 100,
    WebSocket,
    onExpired: (session) => console.log(session.ended),
    onDraining: (seconds) => seconds.toFixed(),
    onEnded: (why) => why.length,
  });
  try {
    const session: Session = await server.open((await server.bots())[0].bot, { seats: 2, fallback: [1] });
    const actions: Actions = await session.act(rows, { masks, seats: new Uint32Array(2), budgetMs: 16 });
    await session.forget([0]);
    await session.close();
    const left: number = server.draining ?? session.parts[0].choices;
    return actions.late ? actions.microseconds : actions.choices[0] + actions.values[0] + left;
  } catch (error) {
    return error instanceof RivalError ? error.message.length : 0;
  } finally {
    await server.close();
  }
}
