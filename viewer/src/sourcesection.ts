// SPDX-License-Identifier: Apache-2.0
// sourcesection.ts: the files, the hottest first, and the text of one of them with what each line cost. Only the
// lines that are seen are there.

import { section } from "./header.ts";
import { deferred, make } from "./dom.ts";
import * as format from "./format.ts";
import { COLUMNS, fileMeasure, fileWorth, heats, hottest } from "./heat.ts";
import type { FileHeat, FileMeasure, HeatColumn } from "./heat.ts";
import type { Payload } from "./payload.ts";
import { pieces } from "./syntax.ts";
import type { Piece } from "./syntax.ts";
import { Table } from "./table.ts";
import { numbers, words } from "./tables.ts";

const ROW = 21;
const MOST_ROWS = 32;
const MARGIN = 10;
const TITLES: Record<HeatColumn, string> = {
  hits: "Hits", time: "Time", callees: "In callees", waiting: "Waiting", total: "Allocated", peak: "Peak", alive: "Alive", function: "Function",
};
const FILE_TITLES: Record<FileMeasure, string> = { own: "Own time", line: "Top line", bytes: "Allocated" };
const NO_TEXT = "The recording does not hold the text of this file: fettle run --lines=FILE keeps that of what it records.";
const unit = (column: HeatColumn): format.Unit =>
  column === "hits" ? "count" : ["total", "peak", "alive"].includes(column) ? "bytes" : "time";
/** Those whose cells are coloured; a line that runs often need not be slow. */
const HEATED: ReadonlySet<HeatColumn> = new Set(["time", "waiting", "total", "peak", "alive", "function"]);

export class SourceSection {
  readonly element: HTMLElement;
  private readonly heats;
  private readonly before;
  private readonly measure: FileMeasure;
  private readonly files: number[];
  private readonly list: Table;
  private readonly title = make("h3", {});
  private readonly head = make("div", { class: "source-row source-head", role: "row" });
  private readonly body = make("div", { class: "source-body", role: "rowgroup" });
  private readonly scroller: HTMLElement;
  private readonly draw = deferred(() => this.paint());
  private file = -1;
  private marked = 0;
  private wanted = -1; // a line that is to be scrolled to
  private lines: string[] = [];
  private pieces: Piece[][] = [];
  private columns: HeatColumn[] = [];

  constructor(private readonly payload: Payload) {
    this.heats = heats(payload);
    this.before = payload.old === null ? null : heats(payload, true);
    this.files = Array.from(payload.files.keys()).filter((file) => payload.sources[file] !== undefined || this.heats.has(file));
    this.measure = fileMeasure(this.heats.values());
    const worths = this.files.map((file) => fileWorth(this.heats.get(file), this.measure));
    this.list = new Table("file-table", "Files", this.files.length, [
      words("file", "File", (row) => payload.files[this.files[row]]),
      ...numbers("worth", FILE_TITLES[this.measure], this.measure === "bytes" ? "bytes" : "time", worths),
    ], "worth", (row) => payload.files[this.files[row]], (row) => this.open(this.files[row], hottest(this.heats.get(this.files[row])), false));
    this.scroller = make("div", {
      class: "source-scroller", tabindex: 0, role: "table", "aria-labelledby": "source-file", scroll: this.draw,
    }, make("div", { role: "rowgroup", class: "head-group" }, this.head), this.body);
    this.title.id = "source-file";
    this.element = section("source", "Source", make("div", { class: "sources" }, this.list.element,
      make("div", { class: "source-text" }, this.title, this.scroller)));
    new ResizeObserver(deferred(() => this.scroll())).observe(this.scroller);
    const first = this.hottest();
    if (first >= 0) this.open(first, hottest(this.heats.get(first)), false);
  }

  get isEmpty(): boolean {
    return this.files.length === 0;
  }

  /** Shows a file at a line; 0: at its begin. */
  open(file: number, line: number, isShown = true): void {
    if (file !== this.file) this.load(file);
    this.marked = this.wanted = line;
    this.list.select(this.files.indexOf(file), isShown);
    this.scroll();
    if (isShown) this.element.scrollIntoView({ block: "start" });
  }

  /** Brings the wanted line into view, once the page has a height. */
  private scroll(): void {
    if (this.wanted >= 0 && this.scroller.clientHeight) {
      this.scroller.scrollTop = Math.max(this.wanted - 6, 0) * ROW;
      this.wanted = -1;
    }
    this.draw();
  }

  private hottest(): number {
    const withText = this.files.filter((file) => this.payload.sources[file] !== undefined);
    const of = (file: number): number => fileWorth(this.heats.get(file), this.measure);
    return (withText.length ? withText : this.files).reduce((best, file) =>
      best < 0 || of(file) > of(best) ? file : best, -1);
  }

  private load(file: number): void {
    this.file = file;
    const text = this.payload.sources[file];
    const heat = this.heats.get(file);
    const before = this.before?.get(file);
    this.title.textContent = this.payload.files[file];
    this.element.dataset.file = this.payload.files[file];
    this.lines = text === undefined ? [] : text.replace(/\n$/, "").split("\n");
    this.pieces = pieces(this.lines);
    this.columns = COLUMNS.filter((column) => heat?.sums[column] || before?.sums[column]);
    if (this.columns.includes("time")) this.columns = this.columns.filter((column) => column !== "function");
    this.head.replaceChildren(make("div", { role: "columnheader", class: "line-number" }, "Line"),
      ...this.columns.map((column) => make("div", { role: "columnheader", class: "number" }, TITLES[column])),
      make("div", { role: "columnheader", class: "code" }, "Source"));
    const wide = this.before ? "10.5rem" : "5.6rem";
    this.scroller.style.setProperty("--source-columns", ["3.3rem", ...this.columns.map(() => wide), "minmax(20rem, 1fr)"].join(" "));
    this.scroller.setAttribute("aria-rowcount", String(this.lines.length + 1));
    this.body.style.height = `${Math.max(this.lines.length, 1) * ROW}px`;
    this.scroller.style.height = `${(Math.min(this.lines.length, MOST_ROWS) + 3) * ROW}px`;
  }

  private paint(): void {
    if (this.file < 0) return;
    if (!this.lines.length) {
      const sentence = this.payload.sources[this.file] === undefined
        ? NO_TEXT : "This file is empty.";
      this.body.replaceChildren(make("p", { class: "nothing" }, sentence));
      return;
    }
    const first = Math.max(Math.floor(this.scroller.scrollTop / ROW) - MARGIN, 0);
    const seen = Math.ceil((this.scroller.clientHeight || MOST_ROWS * ROW) / ROW);
    const last = Math.min(first + seen + 2 * MARGIN, this.lines.length);
    const heat = this.heats.get(this.file);
    const rows: HTMLElement[] = [];
    for (let at = first; at < last; at++) rows.push(this.row(at, heat));
    this.body.replaceChildren(...rows);
  }

  private row(at: number, heat: FileHeat | undefined): HTMLElement {
    const line = at + 1;
    const numbers = heat?.lines.get(line);
    const before = this.before?.get(this.file)?.lines.get(line);
    const made = make("div", { class: `source-row${line === this.marked ? " marked" : ""}`, role: "row", "data-line": line, "aria-rowindex": line + 1 },
      make("div", { class: "line-number", role: "rowheader" }, String(line)));
    made.style.top = `${at * ROW}px`;
    for (const column of this.columns) made.append(this.cell(column, numbers?.[column] ?? 0, before?.[column] ?? 0, heat));
    const code = make("div", { class: "code", role: "cell" });
    for (const [kind, text] of this.pieces[at]) code.append(kind ? make("span", { class: `py-${kind}` }, text) : text);
    made.append(code);
    return made;
  }

  private cell(column: HeatColumn, fresh: number, old: number, heat: FileHeat | undefined): HTMLElement {
    const made = make("div", { class: "number", role: "cell", "data-column": column });
    if (!fresh && !old) return made;
    const most = heat?.most[column] ?? 0;
    if (most > 0 && fresh > 0 && HEATED.has(column)) {
      made.classList.add("heated");
      made.style.setProperty("--heat-part", Math.sqrt(fresh / most).toFixed(3));
    }
    const text = format.value(fresh, unit(column));
    const change = this.before && format.growth(fresh, old) ? ` (${format.change(fresh, old, unit(column))})` : "";
    made.append(make("span", {}, text + change));
    made.dataset.value = String(fresh);
    return made;
  }
}
