// SPDX-License-Identifier: Apache-2.0
// syntax.ts: which parts of a line of Python are keywords, strings, comments and numbers: enough to read by,
// not a parser. Strings over several lines are carried on from line to line.

export type Kind = "" | "keyword" | "string" | "comment" | "number" | "name";
export type Piece = readonly [kind: Kind, text: string];

const WORDS = new Set(("and as assert async await break class continue def del elif else except False finally for from " +
  "global if import in is lambda None nonlocal not or pass raise return True try while with yield match case").split(" "));
const TOKEN = /#.*|(?:\b[rbfutRBFUT]{1,2})?(?:"""|'''|"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?)|\b\d[\w.]*|[^\W\d]\w*|\s+|./gu;

/** The pieces of each line. */
export function pieces(lines: readonly string[]): Piece[][] {
  let open = ""; // the quotes that a string of several lines began with
  return lines.map((line) => {
    const found: Piece[] = [];
    let at = 0;
    while (at < line.length) {
      if (open) {
        const end = line.indexOf(open, at);
        const stop = end < 0 ? line.length : end + 3;
        found.push(["string", line.slice(at, stop)]);
        if (end >= 0) open = "";
        at = stop;
        continue;
      }
      TOKEN.lastIndex = at;
      const text = TOKEN.exec(line)?.[0] ?? line.slice(at);
      at += text.length;
      if (/("""|''')$/.test(text) && text.length <= 5) {
        open = text.slice(-3);
        found.push(["string", text]);
      } else {
        found.push([kind(text, found), text]);
      }
    }
    return found;
  });
}

function kind(text: string, before: readonly Piece[]): Kind {
  if (text[0] === "#") return "comment";
  if (/^[rbfutRBFUT]{0,2}["']/.test(text)) return "string";
  if (/^\d/.test(text)) return "number";
  const last = before[before.length - 2]?.[1];
  if (last === "def" || last === "class") return "name";
  // match and case are words of the language at the begin of a statement only.
  if (text === "match" || text === "case") return before.every(([, each]) => !each.trim()) ? "keyword" : "";
  return WORDS.has(text) ? "keyword" : "";
}
