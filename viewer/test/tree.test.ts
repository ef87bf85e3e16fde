// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";

import { Inverted } from "../src/inverted.ts";
import { find, layout, nodeAt } from "../src/layout.ts";
import { Outline } from "../src/outline.ts";
import { matcher, matching, within } from "../src/search.ts";
import { pathTo, TOP } from "../src/shape.ts";
import type { Shape } from "../src/shape.ts";
import { neighbours, totals } from "../src/totals.ts";
import { Tree } from "../src/tree.ts";
import { nodes, path, tree } from "./support.ts";

const SEEDS = [1, 2, 3, 4, 5];
const FRAMES = 6;

test("a node is worth itself and all below it", () => {
  for (const seed of SEEDS) {
    const made = tree(seed, 120, FRAMES);
    const sums = new Map<number, number>();
    const sizes = new Map<number, number>();
    for (const node of nodes(made)) {
      for (const above of path(made, node)) {
        sums.set(above, (sums.get(above) ?? 0) + made.own[node]);
        sizes.set(above, (sizes.get(above) ?? 0) + 1);
      }
    }
    for (const node of nodes(made)) {
      assert.equal(made.value(node), sums.get(node));
      assert.equal(made.size(node), sizes.get(node));
      const children = nodes(made).filter((each) => made.parent(each) === node && made.value(each) > 0);
      assert.deepEqual([...made.children(node)].sort((a, b) => a - b), children);
      const values = made.children(node).map((each) => made.value(each));
      assert.deepEqual(values, [...values].sort((a, b) => b - a));
    }
    assert.equal(made.total, nodes(made).reduce((sum, node) => sum + made.own[node], 0));
  }
});

test("a child before its parent is refused", () => {
  assert.throws(() => new Outline(Int32Array.of(1, -1), Int32Array.of(0, 0)), /before its parent/);
  assert.throws(() => new Outline(Int32Array.of(0), Int32Array.of(0)), /before its parent/);
});

test("totals count a frame below itself once", () => {
  for (const seed of SEEDS) {
    const made = tree(seed, 120, FRAMES);
    const own = new Float64Array(FRAMES);
    const cumulative = new Float64Array(FRAMES);
    for (const node of nodes(made)) {
      own[made.frame(node)] += made.own[node];
      for (const frame of new Set(path(made, node).map((each) => made.frame(each)))) cumulative[frame] += made.own[node];
    }
    assert.deepEqual(totals(made.outline, made.own, FRAMES), { own, cumulative });
  }
});

test("callers and callees are what lies under each pair of frames", () => {
  for (const seed of SEEDS) {
    const made = tree(seed, 120, FRAMES);
    const pair = (node: number): string => `${made.parent(node) < 0 ? -1 : made.frame(made.parent(node))} ${made.frame(node)}`;
    const edges = new Map<string, number>();
    for (const node of nodes(made)) {
      for (const each of new Set(path(made, node).map(pair))) edges.set(each, (edges.get(each) ?? 0) + made.own[node]);
    }
    for (let frame = 0; frame < FRAMES; frame++) {
      const { callers, callees } = neighbours(made, frame, nodes(made).map(() => 1));
      for (const edge of callers) assert.equal(edge.value, edges.get(`${edge.frame} ${frame}`));
      for (const edge of callees) assert.equal(edge.value, edges.get(`${frame} ${edge.frame}`));
      assert.equal(callers.reduce((sum, edge) => sum + edge.calls, 0), nodes(made).filter((node) => made.frame(node) === frame).length);
    }
  }
});

/** Every node of a shape, by the frames from the top to it. */
function paths(shape: Shape): Map<string, [number, number]> {
  const found = new Map<string, [number, number]>();
  const open = [...shape.children(TOP)];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    found.set(pathTo(shape, node).map((each) => shape.frame(each)).join(), [shape.value(node), shape.other(node)]);
    open.push(...shape.children(node));
  }
  return found;
}

test("the inverted tree has every stack from its end", () => {
  for (const seed of SEEDS) {
    const made = tree(seed, 150, FRAMES);
    const expected = new Map<string, [number, number]>();
    for (const node of nodes(made)) {
      const stack = path(made, node).map((each) => made.frame(each));
      for (let length = 1; length <= stack.length; length++) {
        const key = stack.slice(0, length).join();
        const [value, other] = expected.get(key) ?? [0, 0];
        expected.set(key, [value + made.own[node], other + (made.ownOther?.[node] ?? 0)]);
      }
    }
    const positive = new Map([...expected].filter(([, [value]]) => value > 0));
    const found = paths(new Inverted(made, FRAMES));
    assert.equal(found.size, positive.size);
    for (const [key, numbers] of positive) assert.deepEqual(found.get(key), numbers);
  }
});

test("what is drawn and what is hidden is everything", () => {
  for (const seed of SEEDS) {
    const made = tree(seed, 400, FRAMES);
    for (const width of [20, 300, 100_000]) {
      const { rows, hidden } = layout(made, TOP, width);
      const drawn = rows.flatMap((row) => row.nodes);
      const worthless = nodes(made).filter((node) => made.value(node) === 0);
      const inHidden = nodes(made).filter((node) => !drawn.includes(node) && !worthless.includes(node));
      assert.ok(hidden.nodes >= inHidden.length && hidden.nodes <= inHidden.length + worthless.length);
      for (const row of rows) {
        row.nodes.forEach((node, at) => {
          assert.ok(Math.abs(row.width[at] - (made.value(node) / made.total) * width) < 1e-6);
          assert.ok(row.width[at] >= 1);
          assert.equal(nodeAt(row, row.left[at] + row.width[at] / 2), node);
        });
        for (let at = 1; at < row.nodes.length; at++) assert.ok(row.left[at] >= row.left[at - 1] + row.width[at - 1] - 1e-6);
      }
      const own = drawn.reduce((sum, node) => sum + made.own[node], 0);
      assert.ok(Math.abs(own + hidden.value - made.total) < 1e-6);
    }
  }
});

test("a zoomed node is as wide as the graph, those above it stand over it", () => {
  const made = tree(7, 400, FRAMES);
  const deep = nodes(made).filter((node) => path(made, node).length > 3 && made.value(node) > 0)[0];
  const { rows, above } = layout(made, deep, 500);
  assert.equal(above, pathTo(made, deep).length - 1);
  assert.deepEqual(rows.slice(0, above + 1).map((row) => row.nodes[0]), pathTo(made, deep));
  assert.ok(rows.slice(0, above + 1).every((row) => row.width[0] === 500));
  const place = find({ rows, above, hidden: { nodes: 0, value: 0 } }, deep);
  assert.deepEqual(place, { row: above, at: 0 });
});

test("a part of the width shows only what is in it", () => {
  const made = tree(8, 400, FRAMES);
  const whole = layout(made, TOP, 1000);
  const part = layout(made, TOP, 1000, { from: 0.5, to: 0.75 });
  for (const row of part.rows) {
    row.nodes.forEach((node, at) => {
      assert.ok(row.left[at] < 1000 && row.left[at] + row.width[at] > 0);
      const place = find(whole, node);
      if (place) assert.ok(Math.abs((whole.rows[place.row].left[place.at] - 500) * 4 - row.left[at]) < 1e-6);
    });
  }
});

test("nothing measured draws nothing", () => {
  const made = new Tree(new Outline(Int32Array.of(-1, 0), Int32Array.of(0, 0)), [0, 0], null);
  assert.deepEqual(layout(made, TOP, 100).rows, []);
  assert.deepEqual(new Inverted(made, 1).children(TOP), []);
});

test("a search's share counts each stack once", () => {
  for (const seed of SEEDS) {
    const made = tree(seed, 150, FRAMES);
    const marked = Uint8Array.from([1, 0, 0, 1, 0, 0]);
    const expected = nodes(made).filter((node) => path(made, node).some((each) => marked[made.frame(each)]))
      .reduce((sum, node) => sum + made.own[node], 0);
    assert.equal(within(made, marked), expected);
  }
});

test("a search is a part of a name in any case, or a pattern", () => {
  assert.equal(matcher("  "), null);
  assert.ok(matcher("FOO")?.("a.py:1(foo)"));
  assert.ok(!matcher("f.o")?.("foo"));
  assert.ok(matcher("/f.o/")?.("foo"));
  assert.ok(matcher("/(/")?.("a/(/b"));
  assert.deepEqual(matching("b", 3, (frame) => "abc"[frame]), Uint8Array.of(0, 1, 0));
});

test("a stack of 200 000 calls is no trouble", () => {
  const size = 200_000;
  const parent = Int32Array.from({ length: size }, (_, node) => node - 1);
  const deep = new Tree(new Outline(parent, new Int32Array(size)), new Array(size).fill(1), null);
  assert.equal(totals(deep.outline, deep.own, 1).cumulative[0], size);
  assert.equal(neighbours(deep, 0, null).callers.length, 2);
  assert.equal(layout(deep, TOP, 1000).rows.length, size - size / 1000 + 1);
});
