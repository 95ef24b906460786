// What the tests share.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
export const PROGRAM = process.env.RIVAL_PROGRAM ?? join(ROOT, "build/rival");

export function temporaryFolder(after) {
  const folder = mkdtempSync(join(tmpdir(), "rival-javascript-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// A bot of connect_four in `folder`.
export function train(folder, name, steps, ...options) {
  const out = join(folder, name);
  const command = ["train", "connect_four", "--steps", `${steps}`, "--out", out, "--json", ...options];
  execFileSync(PROGRAM, command, { stdio: "ignore" });
  return `${name}=${out}`;
}

// `rival serve` on a port that is free, until the end of the tests: its address and process.
export async function serve(after, ...options) {
  const process = spawn(PROGRAM, ["serve", ...options, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(process, "exit");
  after(async () => {
    process.kill("SIGKILL");
    await exited;
  });
  const address = await new Promise((resolve, reject) => {
    createInterface({ input: process.stdout }).on("line", (line) => {
      const [found] = line.match(/http:\/\/[^/]*/) ?? [];
      if (found) resolve(found);
    });
    exited.then(() => reject(new Error("rival serve has ended")));
  });
  return { address, process, exited };
}

// The blocks of code of a language in a page.
export function blocks(path, language) {
  const page = readFileSync(join(ROOT, path), "utf8");
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, block]) => block);
}
