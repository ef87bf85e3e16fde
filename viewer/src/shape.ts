// SPDX-License-Identifier: Apache-2.0
// shape.ts: what a graph asks of a tree, be it of calls from the top or of callers. A node is a number;
// TOP stands above all that have no parent.

export const TOP = -1;

export interface Shape {
  /** Everything; what TOP is worth, in the recording that gives the widths and in the other one. */
  readonly total: number;
  readonly otherTotal: number;
  parent(node: number): number;
  frame(node: number): number;
  /** The node and all below it. */
  value(node: number): number;
  other(node: number): number;
  /** Those worth something, the largest first. */
  children(node: number): readonly number[];
  /** How many nodes the node and all below it are, as far as that is known. */
  size(node: number): number;
}

export function valueOf(shape: Shape, node: number): number {
  return node === TOP ? shape.total : shape.value(node);
}

export function otherOf(shape: Shape, node: number): number {
  return node === TOP ? shape.otherTotal : shape.other(node);
}

/** From the top down to the node itself, without TOP. */
export function pathTo(shape: Shape, node: number): number[] {
  const path: number[] = [];
  for (let at = node; at !== TOP; at = shape.parent(at)) path.push(at);
  return path.reverse();
}
