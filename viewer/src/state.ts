// SPDX-License-Identifier: Apache-2.0
// state.ts: what is looked at, shared by graph, tables and source. Who changes it says what; who shows it
// listens. Nothing of it outlives the page.

import type { Measure, Side } from "./measure.ts";
import type { Shape } from "./shape.ts";
import { TOP } from "./shape.ts";
import { PlaceFrames } from "./frames.ts";

export type Change = "measure" | "zoom" | "selection" | "search" | "theme";

export class State {
  isInverted = false;
  side: Side = "new";
  root = TOP;
  /** The selected frame of the measure's frames; -1: none. */
  selected = -1;
  query = "";
  private readonly listeners: ((change: Change) => void)[] = [];

  constructor(public measure: Measure | null, readonly measures: readonly Measure[]) {}

  get shape(): Shape | null {
    return this.measure?.shape(this.side, this.isInverted) ?? null;
  }

  listen(listener: (change: Change) => void): void {
    this.listeners.push(listener);
  }

  tell(change: Change): void {
    for (const listener of this.listeners) listener(change);
  }

  setMeasure(id: string): void {
    const next = this.measures.find((each) => each.id === id);
    if (!next || next === this.measure) return;
    const before = this.measure?.frames;
    if (before && before !== next.frames && this.selected >= 0) {
      const wanted = before.function(this.selected);
      this.selected = next.frames instanceof PlaceFrames ? next.frames.withFunction(wanted) : wanted;
    }
    if (before !== next.frames || this.isInverted) this.root = TOP;
    this.measure = next;
    this.tell("measure");
  }

  setView(isInverted: boolean, side: Side): void {
    if (isInverted !== this.isInverted || this.isInverted) this.root = TOP;
    this.isInverted = isInverted;
    this.side = side;
    this.tell("measure");
  }

  zoom(node: number): void {
    this.root = node;
    this.tell("zoom");
  }

  select(frame: number): void {
    if (frame === this.selected) return;
    this.selected = frame;
    this.tell("selection");
  }

  search(query: string): void {
    this.query = query;
    this.tell("search");
  }
}
