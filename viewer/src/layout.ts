// SPDX-License-Identifier: Apache-2.0
// layout.ts: where each node of a graph is drawn. Nodes narrower than a pixel are left out, with all below
// them: what is left out is counted, so that the page can say so.

import { pathTo, TOP, valueOf } from "./shape.ts";
import type { Shape } from "./shape.ts";

export interface Row {
  nodes: number[];
  left: number[];
  width: number[];
}

export interface Layout {
  rows: Row[];
  /** How many of the rows are those above the node that is zoomed into. */
  above: number;
  hidden: { nodes: number; value: number };
}

/** The part of the zoomed node that is seen, as fractions of its width. */
export interface Window {
  from: number;
  to: number;
}

export const WHOLE: Window = { from: 0, to: 1 };
export const LEAST = 1; // pixels

export function layout(shape: Shape, root: number, width: number, window: Window = WHOLE): Layout {
  const made: Layout = { rows: [], above: 0, hidden: { nodes: 0, value: 0 } };
  const path = pathTo(shape, root);
  for (const node of path) made.rows.push({ nodes: [node], left: [0], width: [width] });
  made.above = Math.max(path.length - 1, 0);
  const value = valueOf(shape, root);
  if (value <= 0) return made;
  const scale = width / (value * (window.to - window.from));
  let parents = { nodes: [root], left: [-window.from * value * scale] };
  for (;;) {
    const row = below(shape, parents, scale, width, made.hidden);
    if (!row.nodes.length) break;
    made.rows.push(row);
    parents = row;
  }
  return made;
}

/** The children of a row that are wide enough and inside the window. */
function below(
  shape: Shape, parents: { nodes: number[]; left: number[] }, scale: number, width: number,
  hidden: Layout["hidden"],
): Row {
  const row: Row = { nodes: [], left: [], width: [] };
  for (let at = 0; at < parents.nodes.length; at++) {
    let left = parents.left[at];
    for (const child of shape.children(parents.nodes[at])) {
      const wide = shape.value(child) * scale;
      if (left >= width) break;
      if (left + wide > 0) {
        if (wide < LEAST) {
          hidden.nodes += shape.size(child);
          hidden.value += shape.value(child);
        } else {
          row.nodes.push(child);
          row.left.push(left);
          row.width.push(wide);
        }
      }
      left += wide;
    }
  }
  return row;
}

/** The node at a pixel of a row; TOP where there is none. */
export function nodeAt(row: Row | undefined, x: number): number {
  if (!row) return TOP;
  let low = 0;
  let high = row.nodes.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (row.left[middle] > x) high = middle - 1;
    else if (row.left[middle] + row.width[middle] <= x) low = middle + 1;
    else return row.nodes[middle];
  }
  return TOP;
}

/** Where a node stands: its row and its place there; null where it is not drawn. */
export function find(made: Layout, node: number): { row: number; at: number } | null {
  for (let row = 0; row < made.rows.length; row++) {
    const at = made.rows[row].nodes.indexOf(node);
    if (at >= 0) return { row, at };
  }
  return null;
}
