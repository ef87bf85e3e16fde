// SPDX-License-Identifier: Apache-2.0
// Bundles the viewer into the folder that is named: report.js and report.css, the same bytes from the
// same sources and lock file.
import { build } from "esbuild";
import { join } from "node:path";

const folder = process.argv[2];
if (!folder) throw new Error("build.mjs needs the folder to write into");
const banner = "/* SPDX-License-Identifier: Apache-2.0 AND MIT. Built from viewer/ by `make viewer`;" +
  " with uPlot, (c) Leon Sorokin, MIT. */";
const shared = { bundle: true, minify: true, charset: "ascii", legalComments: "none", logLevel: "warning" };

await build({
  ...shared,
  entryPoints: ["src/main.ts"],
  outfile: join(folder, "report.js"),
  format: "iife",
  target: ["chrome103", "firefox113", "safari16.4"],
  banner: { js: banner },
});
await build({
  ...shared,
  entryPoints: ["src/report.css"],
  outfile: join(folder, "report.css"),
  target: ["chrome103", "firefox113", "safari16.4"],
  banner: { css: banner },
});
