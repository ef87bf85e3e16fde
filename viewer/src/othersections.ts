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
    const { places, files } = payload;
    const file = places?.file[at] ?? -1;
    return places && file >= 0 ? `${files[file]}:${places.line[at]}` : "";
  };
  const table = new Table("object-table", "Objects by type", objects.type.length, [
    words("type", "Type", (row) => objects.type[row]),
    ...numbers("count", "Objects", "count", objects.count, isTwo ? objects.count0 : null),
    ...numbers("bytes", "Size", "bytes", objects.bytes, isTwo ? objects.bytes0 : null),
    ...(objects.place.some((each) => each !== null && each !== -1 && each !== "") ? [words("place", "Where", place)] : []),
  ], isTwo ? "bytes-change" : "bytes", (row) => objects.type[row]);
  return section("objects", "Objects", table.element);
}

export function classSection(payload: Payload): HTMLElement | null {
  const classes = payload.classes;
  if (!classes || !classes.type.length) return null;
  const saved = classes.plain.map((plain, row) => Math.max(plain - classes.slotted[row], 0) * classes.instances[row]);
  const table = new Table("class-table", "What slots would save", classes.type.length, [
    words("type", "Class", (row) => classes.type[row]), ...numbers("instances", "Instances", "count", classes.instances),
    ...numbers("bytes", "Size", "bytes", classes.bytes), ...numbers("plain", "Each, plain", "bytes", classes.plain),
    ...numbers("slotted", "Each, slotted", "bytes", classes.slotted), ...numbers("saved", "Saved", "bytes", saved),
    ...(classes.why.some((why) => why) ? [words("why", "Why not", (row) => classes.why[row] ?? "")] : []),
  ], isAny(saved) ? "saved" : "bytes", (row) => classes.type[row]);
  return section("slots", "Slots", make("p", { class: "lead" }, "What instances of these classes would need if the class had __slots__."), table.element);
}

export function timingSection(payload: Payload): HTMLElement | null {
  const timings = payload.timings;
  if (!timings || !timings.length) return null;
  const most = Math.max(...timings.map(({ samples, high }) => Math.max(high, ...samples.slice(0, 10_000))));
  const seconds = (value: number): string => format.time(value * 1e9);
  const row = (timing: Timing): HTMLElement => make("tr", {},
    make("th", { scope: "row" }, timing.label), make("td", {}, timing.clock), make("td", { class: "number" }, seconds(timing.median)),
    make("td", { class: "number" }, `${seconds(timing.low)} \u2013 ${seconds(timing.high)}`),
    make("td", { class: "number" }, format.count(timing.samples.length)), make("td", { class: "strip" }, strip(timing, most)));
  const head = ["What", "Clock", "Median", "95 % interval", "Samples", "From 0 to the slowest"].map((title) => make("th", { scope: "col" }, title));
  return section("timings", "Timings", make("div", { class: "plain-scroller" },
    make("table", { class: "plain" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...timings.map(row)))));
}

/** The samples as ticks, the interval as a bar, the median as a line. */
function strip(timing: Timing, most: number): HTMLElement {
  const place = (element: HTMLElement, from: number, to: number): HTMLElement => {
    element.style.left = `${(100 * from) / most}%`;
    if (to > from) element.style.width = `${(100 * (to - from)) / most}%`;
    return element;
  };
  const step = Math.max(Math.ceil(timing.samples.length / 200), 1);
  const ticks = timing.samples.filter((_, at) => at % step === 0).map((each) => place(make("i", { class: "tick" }), each, each));
  return make("div", { class: "strip-line", "aria-hidden": "true" }, ...ticks,
    place(make("i", { class: "interval" }), timing.low, timing.high), place(make("i", { class: "median" }), timing.median, timing.median));
}
