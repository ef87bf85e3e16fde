// SPDX-License-Identifier: Apache-2.0
// Runs test/*.test.ts by node:test; esbuild takes the types off, as an old node cannot.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "fettle-viewer-"));
const names = readdirSync("test").filter((name) => name.endsWith(".test.ts"));
await build({
  entryPoints: names.map((name) => join("test", name)),
  outdir: folder,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  format: "esm",
  platform: "node",
  logLevel: "warning",
});
const environment = { ...process.env, FETTLE_VIEWER: process.cwd() };
const files = names.map((name) => join(folder, name.replace(/\.ts$/, ".mjs")));
const done = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit", env: environment });
rmSync(folder, { recursive: true });
process.exit(done.status ?? 1);
