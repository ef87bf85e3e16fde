// SPDX-License-Identifier: Apache-2.0
// support.ts: trees by chance, the same ones every time, and slow, plain answers to compare with.

import { Outline } from "../src/outline.ts";
import { Tree } from "../src/tree.ts";

export class Chance {
  constructor(private seed: number) {}

  /** A whole number from 0 on, below `most`. */
  below(most: number): number {
    this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.seed / 2 ** 32) * most);
  }
}

export function tree(seed: number, nodes: number, frames: number): Tree {
  const chance = new Chance(seed);
  const parent = Int32Array.from({ length: nodes }, (_, node) => (node && chance.below(9) ? chance.below(node) : -1));
  const frame = Int32Array.from({ length: nodes }, () => chance.below(frames));
  const column = (): number[] => Array.from({ length: nodes }, () => Math.max(chance.below(130) - 30, 0));
  return new Tree(new Outline(parent, frame), column(), column());
}

/** A node and all above it. */
export function path(tree: Tree, node: number): number[] {
  const found: number[] = [];
  for (let at = node; at >= 0; at = tree.parent(at)) found.push(at);
  return found;
}

export function nodes(tree: Tree): number[] {
  return Array.from({ length: tree.outline.size }, (_, node) => node);
}
