// SPDX-License-Identifier: Apache-2.0
// tree.ts: the calls from the top, by one measure. Children are put in order when they are asked for:
// most of a large tree is never looked at.

import type { Outline } from "./outline.ts";
import type { Shape } from "./shape.ts";

export class Tree implements Shape {
  readonly total: number;
  readonly otherTotal: number;
  readonly values: Float64Array;
  private readonly others: Float64Array | null;
  private readonly ordered = new Map<number, readonly number[]>();

  constructor(readonly outline: Outline, readonly own: ArrayLike<number>, readonly ownOther: ArrayLike<number> | null) {
    this.values = outline.summed(own);
    this.others = ownOther && outline.summed(ownOther);
    let total = 0;
    let otherTotal = 0;
    for (const node of outline.children(-1)) {
      total += this.values[node];
      otherTotal += this.others?.[node] ?? 0;
    }
    this.total = total;
    this.otherTotal = otherTotal;
  }

  parent(node: number): number {
    return this.outline.parent[node];
  }

  frame(node: number): number {
    return this.outline.frame[node];
  }

  value(node: number): number {
    return this.values[node];
  }

  other(node: number): number {
    return this.others ? this.others[node] : 0;
  }

  size(node: number): number {
    return this.outline.sizes[node];
  }

  children(node: number): readonly number[] {
    let found = this.ordered.get(node);
    if (!found) {
      const values = this.values;
      found = Array.from(this.outline.children(node)).filter((each) => values[each] > 0)
        .sort((a, b) => values[b] - values[a] || a - b);
      this.ordered.set(node, found);
    }
    return found;
  }
}
