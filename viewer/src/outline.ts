// SPDX-License-Identifier: Apache-2.0
// outline.ts: who is below whom, and whose frame each node is: what all measures of one tree share.
// Invariant: parents come before their children, so one pass backwards sums up and none recurses.

export class Outline {
  readonly size: number;
  /** The children of node n are list[start[n] .. start[n + 1]); those of TOP begin at list[start[size]]. */
  private readonly start: Int32Array;
  private readonly list: Int32Array;
  readonly sizes: Int32Array;

  constructor(readonly parent: Int32Array, readonly frame: Int32Array) {
    const size = (this.size = parent.length);
    const start = (this.start = new Int32Array(size + 2));
    const sizes = (this.sizes = new Int32Array(size).fill(1));
    for (let node = size - 1; node >= 0; node--) {
      const above = parent[node];
      if (above >= node) throw new Error(`Node ${node} of the tree comes before its parent ${above}.`);
      start[(above < 0 ? size : above) + 1]++;
      if (above >= 0) sizes[above] += sizes[node];
    }
    for (let at = 0; at <= size; at++) start[at + 1] += start[at];
    const next = start.slice();
    this.list = new Int32Array(size);
    for (let node = 0; node < size; node++) {
      this.list[next[parent[node] < 0 ? size : parent[node]]++] = node;
    }
  }

  /** In the order of their numbers. */
  children(node: number): Int32Array {
    const at = node < 0 ? this.size : node;
    return this.list.subarray(this.start[at], this.start[at + 1]);
  }

  /** The sums of a column over each node and all below it. */
  summed(own: ArrayLike<number>): Float64Array {
    const sums = Float64Array.from(own);
    for (let node = this.size - 1; node >= 0; node--) {
      const above = this.parent[node];
      if (above >= 0) sums[above] += sums[node];
    }
    return sums;
  }

  /** Visits every node on the way down and on the way up, children in the order of their numbers. */
  walk(enter: (node: number) => void, leave: (node: number) => void): void {
    const next = this.start.slice();
    let node = -1;
    for (;;) {
      const at = node < 0 ? this.size : node;
      if (next[at] < this.start[at + 1]) {
        node = this.list[next[at]++];
        enter(node);
      } else if (node < 0) {
        return;
      } else {
        leave(node);
        node = this.parent[node];
      }
    }
  }
}
