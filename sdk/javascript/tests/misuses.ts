import { Server } from "../rival.js";

const server = await Server.connect("http://127.0.0.1:8765");
const session = await server.open("demo");
new Server();
server.open("demo", { seat: 2 });
session.act([1], { budget_ms: 16 });
session.act("rows");
session.seats = 3;
const seconds: number = server.draining;
(await session.act([1])).choices.push(1);
session.forget(3);
export {};
