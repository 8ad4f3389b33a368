/** How deep a text of JSON is nested. JSON.parse reads any depth; what writes, compares or walks the value does not. */

const [quote, backslash] = ['"'.charCodeAt(0), '\\'.charCodeAt(0)];
const opens = new Set(['{', '['].map((char) => char.charCodeAt(0)));
const closes = new Set(['}', ']'].map((char) => char.charCodeAt(0)));

/** The depth of a text of JSON: 0 of a plain value, 1 of a flat object. Of other texts some number. */
export function deepestOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === quote) i = endOfText(json, i);
    else if (opens.has(code)) deepest = Math.max(deepest, ++depth);
    else if (closes.has(code)) depth--;
  }
  return deepest;
}

/** Where the text that begins at a quote ends. */
function endOfText(json: string, from: number): number {
  let at = from + 1;
  while (at < json.length && json.charCodeAt(at) !== quote) at += json.charCodeAt(at) === backslash ? 2 : 1;
  return at;
}
