// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { contrast } from "../src/colour.ts";
import type { Rgb } from "../src/colour.ts";

const sheet = readFileSync(join(process.env.FETTLE_VIEWER ?? ".", "src", "report.css"), "utf8");
const TEXT = ["ink", "soft", "accent", "grew", "shrank", "same", "keyword", "string", "comment", "number", "name"];
const GROUNDS = ["ground", "raised", "sunken", "accent-ground"];

/** The colours of a theme, by name. */
function colours(selector: string): Map<string, Rgb> {
  const start = sheet.indexOf(`${selector} {`);
  assert.ok(start >= 0, selector);
  const block = sheet.slice(start, sheet.indexOf("}", start));
  const channel = (hex: string, at: number): number => parseInt(hex.slice(at, at + 2), 16);
  return new Map([...block.matchAll(/--([\w-]+): #([0-9a-f]{6})\b/g)].map(([, name, hex]) =>
    [name, [channel(hex, 0), channel(hex, 2), channel(hex, 4)]]));
}

for (const selector of [":root", ':root[data-theme="dark"]']) {
  test(`text of ${selector} can be read on every ground`, () => {
    const found = colours(selector);
    const of = (name: string): Rgb => {
      const colour = found.get(name);
      assert.ok(colour, name);
      return colour;
    };
    for (const text of TEXT) {
      for (const ground of GROUNDS) {
        const ratio = contrast(of(text), of(ground));
        assert.ok(ratio >= 4.5, `${text} on ${ground}: ${ratio.toFixed(2)}`);
      }
    }
    assert.ok(contrast(of("ink"), of("bar")) >= 4.5);
    assert.ok(contrast(of("ink"), of("chosen")) >= 4.5);
    assert.ok(contrast(of("ink"), of("thread")) >= 4.5);
    assert.ok(contrast(of("ink"), of("collection-solid")) >= 4.5);
    assert.ok(contrast(of("mark-text"), of("mark")) >= 4.5);
    assert.ok(contrast(of("focus"), of("raised")) >= 3);
  });
}

test("every colour that is used is there, in both themes", () => {
  const known = colours(":root");
  const dark = colours(':root[data-theme="dark"]');
  assert.deepEqual([...known.keys()].sort(), [...dark.keys()].sort());
});
