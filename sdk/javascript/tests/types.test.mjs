// The compiler of TypeScript agrees with how the package is used here, and finds what is wrong.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const OPTIONS =
  "--noEmit --strict --noImplicitAny false --allowJs --checkJs --skipDefaultLibCheck --typeRoots . " +
  "--target es2022 --lib es2022,dom --module node16";

test("uses, the example and misuses", () => {
  const files = ["node.d.ts", "uses.ts", "misuses.ts", "../examples/game_server.mjs"];
  const { stdout } = spawnSync("tsc", [...OPTIONS.split(" "), ...files], { cwd: HERE, encoding: "utf8" });
  const errors = stdout.split("\n").filter((line) => /^\S/.test(line));
  const found = errors.map((line) => line.replace(/^misuses.ts\((\d+),.*/, "$1"));
  assert.deepEqual([...new Set(found)], ["5", "6", "7", "8", "9", "10", "11", "12"]);
});
