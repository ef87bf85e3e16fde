// SPDX-License-Identifier: Apache-2.0
// search.ts: which frames a text names, and the share of what was measured that they are part of.

import type { Tree } from "./tree.ts";

/** What tells whether a label is meant: a part of it in any case, or a pattern between slashes. */
export function matcher(query: string): ((label: string) => boolean) | null {
  const wanted = query.trim();
  if (!wanted) return null;
  const pattern = /^\/(.+)\/$/.exec(wanted);
  if (pattern) {
    try {
      const compiled = new RegExp(pattern[1], "iu");
      return (label) => compiled.test(label);
    } catch {
      // Half typed: it is looked for as it stands.
    }
  }
  const lower = wanted.toLowerCase();
  return (label) => label.toLowerCase().includes(lower);
}

/** 1 for each frame that is meant. */
export function matching(query: string, labels: number, label: (frame: number) => string): Uint8Array | null {
  const isMeant = matcher(query);
  if (!isMeant) return null;
  const found = new Uint8Array(labels);
  for (let frame = 0; frame < labels; frame++) found[frame] = isMeant(label(frame)) ? 1 : 0;
  return found;
}

/** How much was measured in or below nodes of these frames: each nanosecond or byte counts once. */
export function within(tree: Tree, frames: Uint8Array): number {
  const { parent, frame, size } = tree.outline;
  const inside = new Uint8Array(size);
  let found = 0;
  for (let node = 0; node < size; node++) {
    inside[node] = frames[frame[node]] | (parent[node] >= 0 ? inside[parent[node]] : 0);
    if (inside[node]) found += tree.own[node];
  }
  return found;
}
