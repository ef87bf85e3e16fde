// SPDX-License-Identifier: Apache-2.0
// frames.ts: what the rows of a tree are: functions and, in a tree of calls, also recordings, processes and
// threads; in a tree of allocations, lines of functions.

import type { Calls, Payload } from "./payload.ts";

export const OTHER = 2;
const NO_FUNCTIONS = { file: [], line: [], name: [], label: [], kind: [] };
const NO_PLACES = { file: [], line: [], name: [], function: [] };

export interface Frames {
  readonly count: number;
  name(frame: number): string;
  /** The name and where it is, as the tables of the terminal write it. */
  label(frame: number): string;
  file(frame: number): number; // -1: none
  line(frame: number): number;
  kind(frame: number): number;
  /** What gives the colour. */
  module(frame: number): string;
  /** Its function, by the payload's list; -1: none. */
  function(frame: number): number;
}

/** Functions in the order of the payload, then a frame for each text. */
export class CallFrames implements Frames {
  readonly count: number;
  readonly of: Int32Array; // by node
  private readonly texts: string[] = [];
  private readonly functions;

  constructor(private readonly payload: Payload, calls: Calls) {
    this.functions = payload.functions ?? NO_FUNCTIONS;
    const known = new Map<string, number>();
    const first = this.functions.name.length;
    this.of = Int32Array.from(calls.function);
    for (let node = 0; node < this.of.length; node++) {
      if (this.of[node] >= 0) continue;
      const text = calls.text[node] ?? "[unknown]";
      let at = known.get(text);
      if (at === undefined) {
        known.set(text, (at = first + this.texts.length));
        this.texts.push(text);
      }
      this.of[node] = at;
    }
    this.count = first + this.texts.length;
  }

  name(frame: number): string {
    return this.functions.name[frame] ?? this.text(frame);
  }

  label(frame: number): string {
    return this.functions.label[frame] ?? this.text(frame);
  }

  file(frame: number): number {
    return this.functions.file[frame] ?? -1;
  }

  line(frame: number): number {
    return this.functions.line[frame] ?? 0;
  }

  kind(frame: number): number {
    return this.functions.kind[frame] ?? OTHER;
  }

  module(frame: number): string {
    const file = this.file(frame);
    return file >= 0 ? this.payload.files[file] : this.label(frame).replace(/[^.\w].*$|\.[^.]*$/, "");
  }

  function(frame: number): number {
    return frame < this.functions.name.length ? frame : -1;
  }

  private text(frame: number): string {
    return this.texts[frame - this.functions.name.length];
  }
}

export class PlaceFrames implements Frames {
  readonly count: number;
  private readonly places;
  private readonly ofFunction = new Map<number, number>();

  constructor(private readonly payload: Payload) {
    this.places = payload.places ?? NO_PLACES;
    this.count = this.places.name.length;
    for (let frame = this.count - 1; frame >= 0; frame--) this.ofFunction.set(this.places.function[frame], frame);
  }

  name(frame: number): string {
    const name = this.places.name[frame];
    const line = this.line(frame);
    return name && line > 0 ? `${name}:${line}` : this.label(frame);
  }

  label(frame: number): string {
    const file = this.file(frame);
    const name = this.places.name[frame];
    if (file < 0) return name || "[no Python]";
    const line = this.line(frame);
    return `${this.payload.files[file]}${line > 0 ? `:${line}` : ""} ${name}`.trimEnd();
  }

  file(frame: number): number {
    return this.places.file[frame] ?? -1;
  }

  line(frame: number): number {
    return this.places.line[frame] ?? 0;
  }

  kind(frame: number): number {
    return this.file(frame) >= 0 ? 0 : OTHER;
  }

  module(frame: number): string {
    return this.payload.files[this.file(frame)] ?? "";
  }

  function(frame: number): number {
    return this.places.function[frame] ?? -1;
  }

  /** A place in a function; -1: none. */
  withFunction(wanted: number): number {
    return wanted < 0 ? -1 : this.ofFunction.get(wanted) ?? -1;
  }
}
