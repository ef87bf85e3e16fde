// SPDX-License-Identifier: Apache-2.0
// totals.ts: what each frame took by itself and with what it called, and who called whom. A frame below
// itself counts once: the outermost node speaks for those below it.

import type { Outline } from "./outline.ts";
import type { Tree } from "./tree.ts";

export interface Totals {
  own: Float64Array;
  cumulative: Float64Array;
}

export function totals(outline: Outline, own: ArrayLike<number>, frames: number): Totals {
  const made = { own: new Float64Array(frames), cumulative: new Float64Array(frames) };
  const sums = outline.summed(own);
  const active = new Int32Array(frames);
  const frame = outline.frame;
  outline.walk(
    (node) => {
      made.own[frame[node]] += own[node];
      if (active[frame[node]]++ === 0) made.cumulative[frame[node]] += sums[node];
    },
    (node) => {
      active[frame[node]]--;
    },
  );
  return made;
}

export interface Edge {
  frame: number; // -1: none, for what nobody called
  value: number;
  other: number;
  calls: number;
}

export interface Neighbours {
  callers: Edge[];
  callees: Edge[];
}

class Edges {
  private readonly found = new Map<number, Edge & { active: number }>();

  enter(frame: number, value: number, other: number, calls: number): void {
    let edge = this.found.get(frame);
    if (!edge) this.found.set(frame, (edge = { frame, value: 0, other: 0, calls: 0, active: 0 }));
    edge.calls += calls;
    if (edge.active++ > 0) return;
    edge.value += value;
    edge.other += other;
  }

  leave(frame: number): void {
    const edge = this.found.get(frame);
    if (edge) edge.active--;
  }

  rows(): Edge[] {
    return [...this.found.values()].sort((a, b) => b.value - a.value || b.other - a.other || b.calls - a.calls);
  }
}

/** Who called a frame and whom it called. calls: how often each node was, if that is known. */
export function neighbours(tree: Tree, wanted: number, calls: ArrayLike<number> | null): Neighbours {
  const callers = new Edges();
  const callees = new Edges();
  const { parent, frame } = tree.outline;
  const above = (node: number): number => (parent[node] < 0 ? -1 : frame[parent[node]]);
  tree.outline.walk(
    (node) => {
      const often = calls ? calls[node] : 0;
      if (frame[node] === wanted) callers.enter(above(node), tree.value(node), tree.other(node), often);
      if (above(node) === wanted) callees.enter(frame[node], tree.value(node), tree.other(node), often);
    },
    (node) => {
      if (frame[node] === wanted) callers.leave(above(node));
      if (above(node) === wanted) callees.leave(frame[node]);
    },
  );
  return { callers: callers.rows(), callees: callees.rows() };
}
