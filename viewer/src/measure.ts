// SPDX-License-Identifier: Apache-2.0
// measure.ts: what a graph can be of: time, waiting, calls, bytes allocated, at the peak, alive. Each is one
// column of a tree; those of one tree share its outline. A tree is summed up when it is first looked at.

import { CallFrames, PlaceFrames } from "./frames.ts";
import type { Frames } from "./frames.ts";
import type { Unit } from "./format.ts";
import { Inverted } from "./inverted.ts";
import { Outline } from "./outline.ts";
import type { Column, Payload } from "./payload.ts";
import type { Shape } from "./shape.ts";
import { Tree } from "./tree.ts";

/** Whose numbers give the widths. */
export type Side = "new" | "old";

export class Measure {
  private readonly trees = new Map<Side, Tree>();
  private readonly inversions = new Map<Side, Inverted>();

  constructor(
    readonly id: string,
    readonly title: string,
    readonly unit: Unit,
    readonly group: "calls" | "memory",
    readonly frames: Frames,
    readonly outline: Outline,
    private readonly fresh: Column,
    private readonly old: Column | null,
    /** How often each node was called, if that is known. */
    readonly calls: Column | null,
  ) {}

  get isTwo(): boolean {
    return this.old !== null;
  }

  tree(side: Side): Tree {
    let tree = this.trees.get(side);
    if (!tree) {
      const own = side === "old" && this.old ? this.old : this.fresh;
      tree = new Tree(this.outline, own, this.old && (side === "old" ? this.fresh : this.old));
      this.trees.set(side, tree);
    }
    return tree;
  }

  shape(side: Side, isInverted: boolean): Shape {
    if (!isInverted) return this.tree(side);
    let inverted = this.inversions.get(side);
    if (!inverted) {
      inverted = new Inverted(this.tree(side), this.frames.count);
      this.inversions.set(side, inverted);
    }
    return inverted;
  }
}

const isAnything = (column: Column | undefined): boolean => !!column && column.some((each) => each !== 0);

/** Those that there is data for. */
export function measures(payload: Payload): Measure[] {
  const isTwo = payload.old !== null;
  const found: Measure[] = [];
  const { calls, memory } = payload;
  if (calls && calls.parent.length) {
    const frames = new CallFrames(payload, calls);
    const outline = new Outline(Int32Array.from(calls.parent), frames.of);
    const add = (id: string, title: string, unit: Unit, fresh: Column, old: Column | undefined): void => {
      if (!isAnything(fresh) && !isAnything(old)) return;
      found.push(new Measure(id, title, unit, "calls", frames, outline, fresh, isTwo ? old ?? null : null, calls.calls));
    };
    add("time", "Time", "time", calls.own, calls.own0);
    add("waiting", "Waiting", "time", calls.waiting, calls.waiting0);
    add("calls", "Calls", "count", calls.calls, calls.calls0);
  }
  if (memory && memory.parent.length) {
    const frames = new PlaceFrames(payload);
    const outline = new Outline(Int32Array.from(memory.parent), Int32Array.from(memory.place));
    const add = (id: string, title: string, fresh: Column, old: Column | undefined, often: Column): void => {
      if (!isAnything(fresh) && !isAnything(old)) return;
      found.push(new Measure(id, title, "bytes", "memory", frames, outline, fresh, isTwo ? old ?? null : null, often));
    };
    add("allocated", "Allocated", memory.totalBytes, memory.totalBytes0, memory.totalCount);
    add("peak", "Peak", memory.peakBytes, memory.peakBytes0, memory.peakCount);
    add("alive", "Alive", memory.aliveBytes, memory.aliveBytes0, memory.aliveCount);
  }
  return found;
}
