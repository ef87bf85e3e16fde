// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";

import { C, contrast, DARK, hash, LIGHT, oklch, PYTHON } from "../src/colour.ts";
import * as format from "../src/format.ts";
import { fileMeasure, fileWorth, heats, hottest, worth } from "../src/heat.ts";
import { decode, meanOf } from "../src/payload.ts";
import type { Payload } from "../src/payload.ts";
import { pieces } from "../src/syntax.ts";

test("numbers have three figures and a unit", () => {
  const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, " ");
  assert.equal(format.time(0), "0");
  assert.equal(plain(format.time(999)), "999 ns");
  assert.equal(plain(format.time(1500)), "1.50 µs");
  assert.equal(plain(format.time(-12_345_678)), "\u221212.3 ms");
  assert.equal(plain(format.time(123.4e9)), "123 s");
  assert.equal(plain(format.bytes(999)), "999 B");
  assert.equal(plain(format.bytes(1536)), "1.54 kB");
  assert.equal(plain(format.count(1234567)), "1 234 567");
  assert.equal(plain(format.share(1, 3)), "33.3 %");
  assert.equal(plain(format.share(1, 1e9)), "< 0.1 %");
  assert.equal(plain(format.share(1, 1)), "100 %");
  assert.equal(format.change(5, 5, "count"), "=");
  assert.equal(plain(format.change(5, 7, "count")), "\u22122");
  assert.equal(plain(format.change(2e9, 1e9, "time")), "+1.00 s");
  assert.equal(format.count(2.5), "2.5");
  assert.equal(format.count(0.02), "0.1");
  assert.equal(plain(format.count(1234.4)), "1 234");
  assert.equal(format.change(0.1 + 0.2, 0.3, "count"), "=");
  assert.equal(format.plural(1, "node"), "1 node");
  assert.equal(format.plural(2, "node"), "2 nodes");
});

test("text on every colour can be read", () => {
  for (const palette of [LIGHT, DARK]) {
    for (const kind of [PYTHON, C, 2]) {
      for (let at = 0; at < 500; at++) {
        assert.ok(contrast(palette.text, palette.frame(kind, `module${at}`)) >= 4.5);
      }
    }
    for (let change = -1; change <= 1; change += 0.01) {
      assert.ok(contrast(palette.text, palette.difference(change)) >= 4.5, String(change));
    }
  }
});

test("colours are those of the module, warm for Python and cool for C", () => {
  assert.deepEqual(LIGHT.frame(PYTHON, "a.py"), LIGHT.frame(PYTHON, "a.py"));
  for (let at = 0; at < 200; at++) {
    const [red, , blue] = LIGHT.frame(PYTHON, `m${at}`);
    assert.ok(red > blue);
    const [coolRed, , coolBlue] = LIGHT.frame(C, `m${at}`);
    assert.ok(coolBlue > coolRed);
  }
  assert.ok(new Set(Array.from({ length: 200 }, (_, at) => hash(`m${at}`))).size === 200);
});

test("OKLCH gives white, black and sRGB's own red", () => {
  assert.deepEqual(oklch(1, 0, 0), [255, 255, 255]);
  assert.deepEqual(oklch(0, 0, 0), [0, 0, 0]);
  const red = oklch(0.627955, 0.257683, 29.2339);
  [255, 0, 0].forEach((each, at) => assert.ok(Math.abs(red[at] - each) <= 1));
  assert.ok(Math.abs(contrast([255, 255, 255], [0, 0, 0]) - 21) < 1e-9);
});

test("pieces of a line are the line", () => {
  const lines = ['def f(x):  # a "comment"', "    s = r'raw \\' string' + f\"{x}\"", '    """Begins', "def no: 1", '    ends""" if x else 2.5e3', "match = 1", "match x:", "    é = '''a''' + 'open"];
  const found = pieces(lines);
  assert.deepEqual(found.map((line) => line.map(([, text]) => text).join("")), lines);
  const kinds = (line: number): string[] => found[line].filter(([kind]) => kind).map(([kind, text]) => `${kind} ${text}`);
  assert.deepEqual(kinds(0), ["keyword def", "name f", 'comment # a "comment"']);
  assert.deepEqual(kinds(1), ["string r'raw \\' string'", 'string f"{x}"']);
  assert.deepEqual(kinds(3), ["string def no: 1"]);
  assert.deepEqual(kinds(4), ['string     ends"""', "keyword if", "keyword else", "number 2.5e3"]);
  assert.deepEqual(kinds(6), ["keyword match"]);
});

const EMPTY: Payload = {
  version: 1, runs: 1, title: "t", old: null, header: [], remarks: [], files: ["a.py"], functions: null, calls: null, memory: null,
  places: null, lines: null, lineBytes: null, sources: {}, timeline: null, objects: null, classes: null, timings: null,
};

test("the payload comes through base64 and deflate", async () => {
  const payload = { ...EMPTY, title: "\u2028</script>" };
  const pack = (value: unknown): string => deflateSync(JSON.stringify(value)).toString("base64");
  assert.deepEqual(await decode(`\n${pack(payload)}\n`), payload);
  await assert.rejects(decode(pack({ ...EMPTY, version: 2 })), /have version 2, its viewer reads 1/);
  await assert.rejects(decode("AAAA"));
});

test("numbers of several runs become those of one, on each side", () => {
  const functions = {
    file: [0], line: [9], name: ["f"], label: ["a.py:9(f)"], kind: [0], calls: [10], primitive: [10], own: [50], cumulative: [60],
    ownWaiting: [0], cumulativeWaiting: [5], calls0: [6], primitive0: [6], own0: [20], cumulative0: [22], ownWaiting0: [2], cumulativeWaiting0: [4],
  };
  const calls = { parent: [-1], function: [0], text: {}, calls: [10], own: [50], waiting: [5], calls0: [6], own0: [20], waiting0: [4], pruned: null };
  const lines = [{ file: 0, line: 9, label: "f", calls: 10, rows: [[10, 5, 50, 0, 10] as const], calls0: 6, rows0: [[-7, 2, 20, 4, 0] as const] }];
  const found = meanOf({ ...EMPTY, runs: 5, runs0: 2, old: "o", functions, calls, lines });
  assert.deepEqual(found.functions, { ...functions, calls: [2], primitive: [2], own: [10], cumulative: [12],
    cumulativeWaiting: [1], calls0: [3], primitive0: [3], own0: [10], cumulative0: [11], ownWaiting0: [1], cumulativeWaiting0: [2] });
  assert.deepEqual(found.calls, { ...calls, calls: [2], own: [10], waiting: [1], calls0: [3], own0: [10], waiting0: [2] });
  assert.deepEqual(found.lines, [{ file: 0, line: 9, label: "f", calls: 2, rows: [[10, 1, 10, 0, 2]], calls0: 3, rows0: [[-7, 1, 10, 2, 0]] }]);
});

test("heat of a line is all that is known of it", () => {
  const payload: Payload = {
    ...EMPTY,
    lines: [
      { file: 0, line: 1, label: "f", calls: 1, rows: [[2, 3, 40, 5, 38], [3, 1, 7, 0, 0]] },
      { file: 0, line: 1, label: "g", calls: 1, rows: [[2, 1, 2, 0, 0]] },
    ],
    lineBytes: [[0, 2, 100, 50, 0]],
  };
  const heat = heats(payload).get(0);
  assert.deepEqual(heat?.lines.get(2), { hits: 4, time: 42, callees: 38, waiting: 5, total: 100, peak: 50 });
  assert.deepEqual(heat?.sums, { hits: 5, time: 49, callees: 38, waiting: 5, total: 100, peak: 50 });
  assert.equal(heat?.most.time, 42);
  assert.equal(worth(heat?.lines.get(2)), 4);
  assert.equal(hottest(heat), 3);
});

test("a file is worth what its functions took, and of lines alone its hottest line", () => {
  // caller() at line 1 calls callee() at line 5: 6 s passed, which lines alone show twice.
  const lines = [
    { file: 0, line: 1, label: "caller", calls: 1, rows: [[2, 1, 6000, 0, 0]] },
    { file: 0, line: 5, label: "callee", calls: 1, rows: [[6, 1, 6000, 0, 0]] },
  ] as Payload["lines"];
  const alone = heats({ ...EMPTY, lines });
  assert.equal(fileMeasure(alone.values()), "line");
  assert.equal(fileWorth(alone.get(0), "line"), 6000);
  const bytes = heats({ ...EMPTY, lineBytes: [[0, 2, 100, 50, 0], [0, 3, 7, 0, 0]] });
  assert.equal(fileMeasure(bytes.values()), "bytes");
  assert.equal(fileWorth(bytes.get(0), "bytes"), 107);
  // Lines of one of two functions; the file is worth both.
  const functions = { file: [0, 0], line: [1, 5], own: [1000, 5000] } as unknown as Payload["functions"];
  const both = heats({ ...EMPTY, functions, lines: lines?.slice(0, 1) ?? [] });
  assert.equal(fileMeasure(both.values()), "own");
  assert.equal(fileWorth(both.get(0), "own"), 6000);
  assert.equal(fileWorth(both.get(1), "own"), 0);
});
