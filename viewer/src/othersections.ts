// SPDX-License-Identifier: Apache-2.0
// othersections.ts: objects by type, what slots would save, and timings: a table each.

import { section } from "./header.ts";
import { make } from "./dom.ts";
import * as format from "./format.ts";
import type { Payload, Timing } from "./payload.ts";
import { Table } from "./table.ts";
import { isAny, numbers, words } from "./tables.ts";

export function objectSection(payload: Payload): HTMLElement | null {
  const objects = payload.objects;
  if (!objects || !objects.type.length) return null;
  const isTwo = payload.old !== null;
  const place = (row: number): string => {
    const at = objects.place[row];
    if (typeof at !== "number") return at ?? "";
    if (at < 0) return "[before the recording]";
    const { places, files } = payload;
    const file = places?.file[at] ?? -1;
    return places && file >= 0 ? `${files[file]}:${places.line[at]}` : "";
  };
  const table = new Table("object-table", "Objects by type", objects.type.length, [
    words("type", "Type", (row) => objects.type[row]),
    ...numbers("count", "Objects", "count", objects.count, isTwo ? objects.count0 : null),
    ...numbers("bytes", "Size", "bytes", objects.bytes, isTwo ? objects.bytes0 : null),
    ...(objects.place.some((each) => each !== null && each !== -1) ? [words("place", "Where", place)] : []),
  ], isTwo ? "bytes-change" : "bytes", (row) => objects.type[row]);
  return section("objects", "Objects", table.element);
}

export function classSection(payload: Payload): HTMLElement | null {
  const classes = payload.classes;
  if (!classes || !classes.type.length) return null;
  const isTwo = payload.old !== null;
  const saved = classes.plain.map((plain, row) => Math.max(plain - classes.slotted[row], 0) * classes.instances[row]);
  const table = new Table("class-table", "What slots would save", classes.type.length, [
    words("type", "Class", (row) => classes.type[row]),
    ...numbers("instances", "Instances", "count", classes.instances, isTwo ? classes.instances0 : null),
    ...numbers("bytes", "Size", "bytes", classes.bytes, isTwo ? classes.bytes0 : null), ...numbers("plain", "Each, plain", "bytes", classes.plain),
    ...numbers("slotted", "Each, slotted", "bytes", classes.slotted), ...numbers("saved", "Saved", "bytes", saved),
    ...(classes.why.some((why) => why) ? [words("why", "Why not", (row) => classes.why[row] ?? "")] : []),
  ], isAny(saved) ? "saved" : "bytes", (row) => classes.type[row]);
  return section("slots", "Slots", make("p", { class: "lead" }, "What instances of these classes would need if the class had __slots__."), table.element);
}

/** What one recording says of a candidate. */
interface Measured {
  median: number | null;
  low: number | null;
  high: number | null;
  samples: number[];
}

function measured(timing: Timing, isOld: boolean): Measured {
  const [median, low, high, samples] = isOld
    ? [timing.median0 ?? null, timing.low0 ?? null, timing.high0 ?? null, timing.samples0 ?? []]
    : [timing.median, timing.low, timing.high, timing.samples];
  return { median, low, high, samples: samples.filter((each): each is number => each !== null) };
}

export function timingSection(payload: Payload): HTMLElement | null {
  const timings = payload.timings;
  if (!timings || !timings.length) return null;
  const sides = payload.old === null ? [false] : [true, false];
  const all = timings.flatMap((timing) => sides.map((isOld) => ({ timing, isOld, side: measured(timing, isOld) })));
  const most = all.reduce((top, { side }) => side.samples.reduce((a, b) => Math.max(a, b), Math.max(top, side.high ?? 0)), 0);
  const seconds = (value: number | null): string => (value === null ? "" : format.time(value * 1e9));
  const rows = all.map(({ timing, isOld, side }) => make("tr", {},
    make("th", { scope: "row" }, timing.label), sides.length > 1 && make("td", {}, isOld ? "old" : "new"),
    make("td", {}, timing.clock), make("td", { class: "number" }, seconds(side.median)),
    make("td", { class: "number" }, side.low === null ? "" : `${seconds(side.low)} \u2013 ${seconds(side.high)}`),
    make("td", { class: "number" }, format.count(side.samples.length)), make("td", { class: "strip" }, strip(side, most))));
  const titles = [["What", ""], ...(sides.length > 1 ? [["Recording", ""]] : []), ["Clock", ""], ["Median", "number"],
    ["95 % interval", "number"], ["Samples", "number"], ["From 0 to the slowest", ""]];
  const head = titles.map(([title, kind]) => make("th", { scope: "col", class: kind || null }, title));
  return section("timings", "Timings", make("div", { class: "plain-scroller" },
    make("table", { class: "plain" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows))));
}

/** The samples as ticks, the interval as a bar, the median as a line. */
function strip({ median, low, high, samples }: Measured, most: number): HTMLElement {
  const mark = (kind: string, from: number, to: number): HTMLElement => {
    const made = make("i", { class: kind });
    made.style.left = `${(100 * from) / most}%`;
    if (to > from) made.style.width = `${(100 * (to - from)) / most}%`;
    return made;
  };
  const step = Math.max(Math.ceil(samples.length / 200), 1);
  const ticks = samples.filter((_, at) => at % step === 0).map((each) => mark("tick", each, each));
  return make("div", { class: "strip-line", "aria-hidden": "true" }, ...ticks,
    low !== null && high !== null && mark("interval", low, high), median !== null && mark("median", median, median));
}
