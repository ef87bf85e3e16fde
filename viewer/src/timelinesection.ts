// SPDX-License-Identifier: Apache-2.0
// timelinesection.ts: memory over time (uPlot), and below it, on the same scale, when each thread lived and when
// garbage was collected. A part of the time that is dragged over is zoomed into.

import uPlot from "uplot";

import { section } from "./header.ts";
import { button, deferred, make } from "./dom.ts";
import * as format from "./format.ts";
import type { Payload, Timeline } from "./payload.ts";
import { Table } from "./table.ts";
import { numbers, words } from "./tables.ts";
import { colour } from "./theme.ts";

const HEIGHT = 240;
const LANE = 18;
const LEFT = 72; // pixels beside a plot, for its labels; the lanes below keep to them
const RIGHT = 18;
const STEPS = Array.from({ length: 15 }, (_, at) => [1, 2, 5].map((each) => each * 10 ** at)).flat(); // between ticks of bytes
const MOST_LANES = 40;
const MOST_PLOTS = 8; // processes whose memory is drawn: those with the most
const MOST_MARKS = 60;
const FONT = '11px system-ui, -apple-system, "Segoe UI", sans-serif';

interface Lane {
  label: string;
  spans: { from: number; to: number; text: string }[];
  isCollections: boolean;
}

export class TimelineSection {
  readonly element: HTMLElement;
  private readonly place = make("div", { class: "plots" });
  private readonly lanes: Lane[];
  private readonly end: number;
  private readonly canvas = make("canvas", { role: "img" });
  private readonly plots: uPlot[] = [];
  private range: [number, number];

  constructor(private readonly timeline: Timeline, id: string, title: string) {
    this.end = lastMoment(timeline);
    this.range = [0, this.end / 1e9];
    this.lanes = lanes(timeline, this.end);
    this.canvas.setAttribute("aria-label", `${format.plural(timeline.threads.length, "thread")}, ` +
      `${format.plural(timeline.collections.length, "garbage collection")} over ${format.time(this.end)}`);
    this.element = section(id, title,
      make("div", { class: "toolbar zooming" }, button("\u2212", () => this.scale(1.5), { "aria-label": "Show more of the time" }),
        button("+", () => this.scale(1 / 1.5), { "aria-label": "Show less of the time, wider" }),
        button("Whole", () => this.show([0, this.end / 1e9]), { "data-reset": "timeline" })),
      this.place);
    const collections = this.collections();
    if (collections) this.element.append(collections);
    new ResizeObserver(deferred(() => this.fit())).observe(this.place);
  }

  /** Draws anew, in the colours that hold now. */
  redraw(): void {
    for (const plot of this.plots.splice(0)) plot.destroy();
    this.place.replaceChildren();
    this.fit();
  }

  private fit(): void {
    const width = this.place.clientWidth;
    if (!width) return;
    if (this.plots.length || this.place.childElementCount) {
      for (const plot of this.plots) if (plot.width !== width) plot.setSize({ width, height: HEIGHT });
    } else {
      const largest = this.timeline.moments.filter((each) => each.time.length)
        .sort((a, b) => top(b.rss) - top(a.rss));
      for (const moments of largest.slice(0, MOST_PLOTS)) this.plots.push(this.plot(moments, width));
      const more = largest.length - this.plots.length;
      if (more > 0) this.place.append(make("p", { class: "nothing" }, `The memory of ${format.plural(more, "smaller process", "smaller processes")} is not drawn.`));
      if (this.lanes.length > MOST_LANES) {
        this.place.append(make("p", { class: "nothing" }, `${format.count(MOST_LANES)} of ${format.count(this.lanes.length)} threads and events are drawn.`));
      }
      if (this.lanes.length) this.place.append(this.canvas);
    }
    this.paintLanes();
  }

  private plot(moments: Timeline["moments"][number], width: number): uPlot {
    const line = (label: string, name: string, dash: number[]): uPlot.Series => ({
      label, stroke: colour(name), width: 1.6, dash, points: { show: false },
      fill: name === "memory" ? colour("memory-fill") : undefined,
      value: (_, value) => (value === null ? "" : format.bytes(value)),
    } as uPlot.Series);
    const axis = { stroke: colour("soft"), grid: { stroke: colour("rule"), width: 1 }, ticks: { stroke: colour("rule"), width: 1 }, font: FONT };
    const heading = make("h3", {}, `Memory${this.timeline.moments.length > 1 ? `, ${moments.process}` : ""}`);
    const place = make("div", { class: "plot", role: "img", "aria-label": spoken(moments) });
    this.place.append(heading, place);
    const data: uPlot.AlignedData = [moments.time.map((ns) => ns / 1e9), [...moments.live], [...moments.rss]];
    const made = new uPlot({
      width, height: HEIGHT, padding: [null, RIGHT, null, 0],
      scales: { x: { time: false, range: () => this.range } },
      axes: [
        { ...axis, values: (_, ticks) => ticks.map((each) => format.time(each * 1e9)) },
        { ...axis, size: LEFT, incrs: STEPS, values: (_, ticks) => ticks.map((each) => format.bytes(each)) },
      ],
      series: [{ label: "Time", value: (_, value) => (value === null ? "" : format.time(value * 1e9)) },
        line("Blocks alive", "memory", []), line("Resident", "resident", [5, 3])],
      cursor: { drag: { x: true, y: false, setScale: false } },
      hooks: {
        setSelect: [(plot) => {
          const { left, width: wide } = plot.select;
          if (wide > 4) this.show([plot.posToVal(left, "x"), plot.posToVal(left + wide, "x")]);
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }],
        drawClear: [(plot) => this.paintCollections(plot, moments.process)],
      },
    }, data, place);
    made.over.addEventListener("dblclick", () => this.show([0, this.end / 1e9]));
    return made;
  }

  private show([from, to]: readonly [number, number]): void {
    const whole = this.end / 1e9;
    this.range = [Math.max(from, 0), Math.min(Math.max(to, from + 1e-9), whole)];
    for (const plot of this.plots) plot.setScale("x", { min: this.range[0], max: this.range[1] });
    this.paintLanes();
  }

  private scale(factor: number): void {
    const [from, to] = this.range;
    const middle = (from + to) / 2;
    const half = ((to - from) / 2) * factor;
    this.show([middle - half, middle + half]);
  }

  private paintCollections(plot: uPlot, process: string): void {
    const { ctx, bbox } = plot;
    const [first, last] = this.range.map((each) => each * 1e9);
    const seen = this.timeline.collections.filter(([whose, start, duration]) =>
      whose === process && start <= last && start + duration >= first);
    if (seen.length > MOST_MARKS) return; // they would colour everything; the lane below has them
    ctx.save();
    ctx.fillStyle = colour("collection");
    for (const [, start, duration] of seen) {
      const from = plot.valToPos(start / 1e9, "x", true);
      const to = plot.valToPos((start + duration) / 1e9, "x", true);
      const left = Math.max(from, bbox.left);
      ctx.fillRect(left, bbox.top, Math.max(Math.min(to, bbox.left + bbox.width) - left, 1), bbox.height);
    }
    ctx.restore();
  }

  private paintLanes(): void {
    const width = this.place.clientWidth;
    if (!this.lanes.length || !width) return;
    const shown = this.lanes.slice(0, MOST_LANES);
    const [left, right] = this.plots.length ? [LEFT, width - RIGHT] : [8, width - 8];
    const height = shown.length * (LANE + 4) + 6;
    const scale = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.font = FONT;
    pen.textBaseline = "middle";
    const [from, to] = this.range;
    const x = (ns: number): number => left + ((ns / 1e9 - from) / (to - from)) * (right - left);
    shown.forEach((lane, at) => this.paintLane(pen, lane, 4 + at * (LANE + 4), x, left, right));
  }

  private paintLane(
    pen: CanvasRenderingContext2D, lane: Lane, y: number, x: (ns: number) => number, left: number, right: number,
  ): void {
    pen.fillStyle = colour("sunken");
    pen.fillRect(left, y, right - left, LANE);
    pen.fillStyle = colour(lane.isCollections ? "collection-solid" : "thread");
    for (const span of lane.spans) {
      const begin = Math.max(x(span.from), left);
      const end = Math.min(x(span.to), right);
      if (end >= left && begin <= right) pen.fillRect(begin, y, Math.max(end - begin, 1.5), LANE);
    }
    pen.fillStyle = colour("ink");
    pen.fillText(lane.label, left + 6, y + LANE / 2 + 0.5, right - left - 12);
  }

  private collections(): HTMLElement | null {
    const rows = this.timeline.collections;
    if (!rows.length) return null;
    const column = (at: 1 | 2 | 3 | 4): number[] => rows.map((row) => row[at]);
    const [pauses, most] = rows.reduce(([sum, top], row) => [sum + row[2], Math.max(top, row[2])], [0, 0]);
    const table = new Table(`${this.element.id}-collections`, "Garbage collections", rows.length, [
      words("process", "Process", (row) => rows[row][0]), ...numbers("start", "Start", "time", column(1)),
      ...numbers("duration", "Duration", "time", column(2)), ...numbers("generation", "Generation", "count", column(3)),
      ...numbers("collected", "Collected", "count", column(4)),
    ], "duration");
    return make("details", {}, make("summary", {}, `${format.plural(rows.length, "garbage collection")}, ` +
      `together ${format.time(pauses)}, the longest ${format.time(most)}`), table.element);
  }
}

function top(column: readonly number[]): number {
  return column.reduce((most, each) => Math.max(most, each), 0);
}

/** "485" of "[process 485: python app.py]". */
function short(process: string): string {
  return /^\[process (\d+)/.exec(process)?.[1] ?? process;
}

function spoken(moments: Timeline["moments"][number]): string {
  const most = (column: readonly number[]): string => format.bytes(top(column));
  return `Memory over time: at most ${most(moments.live)} in blocks, ${most(moments.rss)} resident`;
}

function lastMoment(timeline: Timeline): number {
  let end = 1;
  const at = (time: number | null | undefined): void => {
    if (time && time > end) end = time;
  };
  for (const each of timeline.moments) at(each.time[each.time.length - 1]);
  for (const [, start, duration] of timeline.collections) at(start + duration);
  for (const [, , start, stop] of timeline.threads) at(stop ?? start);
  for (const [, time] of timeline.points) at(time);
  return end;
}

/** One for each thread, one for the collections and one for the points of each process. */
function lanes(timeline: Timeline, end: number): Lane[] {
  const processes = new Set([...timeline.threads, ...timeline.collections, ...timeline.points].map(([process]) => process));
  const prefix = (process: string): string => (processes.size > 1 ? `${short(process)} ` : "");
  const found: Lane[] = timeline.threads.map(([process, name, from, to]) =>
    ({ label: prefix(process) + name, isCollections: false, spans: [{ from, to: to ?? end, text: name }] }));
  for (const process of processes) {
    const mine = timeline.collections.filter(([whose]) => whose === process);
    if (mine.length) {
      found.push({ label: `${prefix(process)}garbage collection`, isCollections: true,
        spans: mine.map(([, from, duration]) => ({ from, to: from + duration, text: "" })) });
    }
    for (const [whose, from, text] of timeline.points) {
      if (whose === process) found.push({ label: prefix(process) + text, isCollections: true, spans: [{ from, to: from, text }] });
    }
  }
  return found;
}

/** One for each recording that has something to show. */
export function timelineSections(payload: Payload): TimelineSection[] {
  const isAny = (timeline: Timeline | null | undefined): timeline is Timeline => !!timeline &&
    (timeline.moments.some((each) => each.time.length) || timeline.threads.length > 0 ||
      timeline.collections.length > 0 || timeline.points.length > 0);
  const found: TimelineSection[] = [];
  const { timeline, timeline0 } = payload;
  if (isAny(timeline)) found.push(new TimelineSection(timeline, "timeline", payload.old === null ? "Timeline" : "Timeline, new"));
  if (isAny(timeline0)) found.push(new TimelineSection(timeline0, "timeline-old", "Timeline, old"));
  return found;
}
