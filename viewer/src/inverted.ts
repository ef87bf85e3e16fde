// SPDX-License-Identifier: Apache-2.0
// inverted.ts: the callers of each function: a row is what a function took by itself, below it who called
// it, and so on up to the top. The whole would be as large as all paths of the tree together, so a node
// is opened when its callers are asked for. Invariant: what the children of a node are worth adds up to
// the node, less what had no caller.

import type { Shape } from "./shape.ts";
import type { Tree } from "./tree.ts";

/** Nodes of the tree that took something, and how far up each has been followed. */
interface Trails {
  leaf: Int32Array;
  at: Int32Array;
}

export class Inverted implements Shape {
  readonly total: number;
  readonly otherTotal: number;
  private readonly parents: number[] = [];
  private readonly frames: number[] = [];
  private readonly values: number[] = [];
  private readonly others: number[] = [];
  private readonly trails: Trails[] = [];
  private readonly opened = new Map<number, readonly number[]>();
  private readonly slot: Int32Array;

  constructor(private readonly tree: Tree, frames: number) {
    this.total = tree.total;
    this.otherTotal = tree.otherTotal;
    this.slot = new Int32Array(frames).fill(-1);
    const { own, ownOther } = tree;
    const leaves: number[] = [];
    for (let node = 0; node < tree.outline.size; node++) {
      if (own[node] || ownOther?.[node]) leaves.push(node);
    }
    const all = Int32Array.from(leaves);
    this.opened.set(-1, this.group(-1, { leaf: all, at: all }));
  }

  parent(node: number): number {
    return this.parents[node];
  }

  frame(node: number): number {
    return this.frames[node];
  }

  value(node: number): number {
    return this.values[node];
  }

  other(node: number): number {
    return this.others[node];
  }

  size(): number {
    return 1;
  }

  children(node: number): readonly number[] {
    let found = this.opened.get(node);
    if (!found) {
      const { leaf, at } = this.trails[node];
      const parent = this.tree.outline.parent;
      const leaves: number[] = [];
      const above: number[] = [];
      for (let each = 0; each < leaf.length; each++) {
        const up = parent[at[each]];
        if (up >= 0) {
          leaves.push(leaf[each]);
          above.push(up);
        }
      }
      found = this.group(node, { leaf: Int32Array.from(leaves), at: Int32Array.from(above) });
      this.opened.set(node, found);
    }
    return found;
  }

  /** A new node for each frame that the trails have reached; those worth something. */
  private group(parent: number, trails: Trails): readonly number[] {
    const { own, ownOther, outline } = this.tree;
    const first = this.frames.length;
    const counts: number[] = [];
    for (let each = 0; each < trails.leaf.length; each++) {
      const frame = outline.frame[trails.at[each]];
      if (this.slot[frame] < 0) {
        this.slot[frame] = this.frames.length;
        this.frames.push(frame);
        this.parents.push(parent);
        this.values.push(0);
        this.others.push(0);
        counts.push(0);
      }
      const node = this.slot[frame];
      this.values[node] += own[trails.leaf[each]];
      this.others[node] += ownOther?.[trails.leaf[each]] ?? 0;
      counts[node - first]++;
    }
    for (const count of counts) this.trails.push({ leaf: new Int32Array(count), at: new Int32Array(count) });
    counts.fill(0);
    for (let each = 0; each < trails.leaf.length; each++) {
      const node = this.slot[outline.frame[trails.at[each]]];
      const place = counts[node - first]++;
      this.trails[node].leaf[place] = trails.leaf[each];
      this.trails[node].at[place] = trails.at[each];
    }
    const made = counts.map((_, at) => first + at);
    for (const node of made) this.slot[this.frames[node]] = -1;
    return made.filter((node) => this.values[node] > 0)
      .sort((a, b) => this.values[b] - this.values[a] || this.frames[a] - this.frames[b]);
  }
}
