// SPDX-License-Identifier: Apache-2.0
// table.ts: a table that sorts, filters and shows only the rows that are seen, so that 50 000 are as quick as
// fifty. Invariant: `order` holds the numbers of the rows that pass the filter, as they are sorted.

import { deferred, make } from "./dom.ts";

export const ROW = 28;
const MOST_ROWS = 16;
const MARGIN = 6; // rows that are there already above and below what is seen
const MOST_HEIGHT = 12_000_000; // pixels: browsers cut what is higher

export interface TableColumn {
  id: string;
  title: string;
  /** What rows are sorted by; text sorts upwards first, numbers downwards. */
  key: (row: number) => number | string;
  /** What is shown. */
  text: (row: number) => string;
  /** 0 to 1: the length of a bar behind the text. */
  bar?: (row: number) => number;
  /** A class for the cell. */
  tone?: (row: number) => string;
  wide?: boolean;
  width?: string;
  /** How it is sorted first, if not so. */
  isDown?: boolean;
}

export class Table {
  readonly element: HTMLElement;
  private order: number[] = [];
  private sorted: { column: TableColumn; isDown: boolean };
  private filter = "";
  private active = -1;
  private selected = -1;
  private readonly head = make("div", { role: "row", class: "table-row table-head", "aria-rowindex": 1 });
  private readonly body = make("div", { class: "table-body", role: "rowgroup" });
  private readonly scroller: HTMLElement;
  private readonly draw = deferred(() => this.paint());

  constructor(
    private readonly id: string,
    label: string,
    private readonly count: number,
    private readonly columns: readonly TableColumn[],
    sortBy: string,
    private readonly searched: ((row: number) => string) | null = null,
    private readonly chosen: ((row: number) => void) | null = null,
    isDown?: boolean,
  ) {
    const column = columns.find((each) => each.id === sortBy) ?? columns[0];
    this.sorted = { column, isDown: isDown ?? column.wide !== true };
    this.scroller = make("div", {
      class: "table-scroller", tabindex: 0, role: "grid", "aria-label": label, "aria-colcount": columns.length,
      scroll: this.draw, keydown: (event: KeyboardEvent) => this.key(event), focus: this.draw, blur: this.draw,
    }, make("div", { role: "rowgroup", class: "head-group" }, this.head), this.body);
    for (const each of columns) this.head.append(this.header(each));
    this.element = make("div", { class: "table", id, "data-table": id }, this.filterBox(label), this.scroller);
    const width = (each: TableColumn): string => each.width ?? (each.wide ? "var(--wide, 13rem)" : "var(--cell, 7.3rem)");
    this.element.style.setProperty("--columns", columns.map((each) => each.wide && !each.width ? `minmax(${width(each)}, 1fr)` : width(each)).join(" "));
    this.element.style.setProperty("--least", `calc(${columns.map(width).join(" + ")})`);
    this.arrange();
    new ResizeObserver(this.draw).observe(this.scroller);
  }

  /** Marks a row and shows it; -1: none. */
  select(row: number, isShown = true): void {
    this.selected = row;
    const at = row < 0 ? -1 : this.order.indexOf(row);
    if (at >= 0) {
      this.active = at;
      if (isShown) this.reveal(at);
    }
    this.draw();
  }

  private header(column: TableColumn): HTMLElement {
    const pressed = (): void => {
      const isSame = this.sorted.column === column;
      this.sorted = { column, isDown: isSame ? !this.sorted.isDown : column.isDown ?? column.wide !== true };
      this.arrange();
    };
    return make("div", { role: "columnheader", class: column.wide ? "wide" : "number", "data-column": column.id },
      make("button", { type: "button", click: pressed }, column.title));
  }

  private filterBox(label: string): HTMLElement | null {
    if (!this.searched || this.count < 8) return null;
    const box = make("input", {
      type: "search", placeholder: "Filter", "aria-label": `Filter: ${label}`, spellcheck: "false",
      input: () => {
        this.filter = box.value.toLowerCase();
        this.arrange();
      },
    });
    return make("div", { class: "table-tools" }, box);
  }

  /** Filters and sorts. */
  private arrange(): void {
    const { searched, filter } = this;
    const { column, isDown } = this.sorted;
    this.order = Array.from({ length: this.count }, (_, row) => row);
    if (filter && searched) this.order = this.order.filter((row) => searched(row).toLowerCase().includes(filter));
    const keys = Array.from({ length: this.count }, (_, row) => column.key(row));
    const step = isDown ? -1 : 1;
    this.order.sort((a, b) => step * compare(keys[a], keys[b]) || a - b);
    for (const cell of this.head.children) {
      const isSorted = (cell as HTMLElement).dataset.column === column.id;
      cell.setAttribute("aria-sort", isSorted ? (isDown ? "descending" : "ascending") : "none");
    }
    this.scroller.setAttribute("aria-rowcount", String(this.order.length + 1));
    this.active = this.selected >= 0 ? this.order.indexOf(this.selected) : -1;
    const height = Math.min(this.order.length * ROW, MOST_HEIGHT);
    this.body.style.height = `${Math.max(height, ROW)}px`;
    this.draw();
  }

  private paint(): void {
    const first = Math.max(Math.floor(this.scroller.scrollTop / ROW) - MARGIN, 0);
    const seen = Math.ceil((this.scroller.clientHeight || MOST_ROWS * ROW) / ROW);
    const last = Math.min(first + seen + 2 * MARGIN, this.order.length, MOST_HEIGHT / ROW);
    const rows: HTMLElement[] = [];
    for (let at = first; at < last; at++) rows.push(this.row(at));
    if (!rows.length) rows.push(make("p", { class: "nothing" }, "Nothing matches."));
    this.body.replaceChildren(...rows);
    const isSeen = this.active >= first && this.active < last && document.activeElement === this.scroller;
    if (isSeen) this.scroller.setAttribute("aria-activedescendant", `${this.id}-${this.order[this.active]}`);
    else this.scroller.removeAttribute("aria-activedescendant");
  }

  private row(at: number): HTMLElement {
    const row = this.order[at];
    const isActive = at === this.active && document.activeElement === this.scroller;
    const made = make("div", {
      role: "row", class: `table-row${isActive ? " active" : ""}`, id: `${this.id}-${row}`, "aria-rowindex": at + 2,
      "data-row": row, "aria-selected": this.chosen ? String(row === this.selected) : null,
      click: () => this.choose(at),
    });
    made.style.top = `${at * ROW}px`;
    for (const column of this.columns) {
      const text = column.text(row);
      const cell = make("div", {
        role: "gridcell", class: `${column.wide ? "wide" : "number"} ${column.tone?.(row) ?? ""}`.trimEnd(),
        title: column.wide ? text : null, "data-column": column.id,
      }, make("span", {}, text));
      const bar = column.bar?.(row) ?? 0;
      if (bar > 0) {
        cell.classList.add("barred");
        cell.style.setProperty("--length", Math.min(bar, 1).toFixed(3));
      }
      made.append(cell);
    }
    return made;
  }

  private choose(at: number): void {
    this.active = at;
    if (this.chosen) {
      this.selected = this.order[at];
      this.chosen(this.selected);
    }
    this.draw();
  }

  private reveal(at: number): void {
    const { scrollTop, clientHeight } = this.scroller;
    const y = at * ROW;
    if (y < scrollTop) this.scroller.scrollTop = y;
    else if (y + 2 * ROW > scrollTop + clientHeight) this.scroller.scrollTop = y + 2 * ROW - clientHeight;
  }

  private key(event: KeyboardEvent): void {
    if (event.target !== this.scroller || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.order.length - 1;
    const to: Record<string, number> = {
      ArrowDown: this.active + 1, ArrowUp: this.active - 1, Home: 0, End: last,
      PageDown: this.active + MOST_ROWS, PageUp: this.active - MOST_ROWS,
    };
    if (event.key in to) {
      this.active = Math.min(Math.max(to[event.key], 0), last);
      this.reveal(this.active);
      this.draw();
    } else if ((event.key === "Enter" || event.key === " ") && this.active >= 0) {
      this.choose(this.active);
    } else {
      return;
    }
    event.preventDefault();
  }
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}
