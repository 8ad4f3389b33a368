/**
 * Secrets in text: taken out of whatever is logged, exported or told to a caller.
 *
 * I1  The house's own secrets are known by their value and go wherever they stand; others are known by where they stand:
 *     the password of a URI, a bearer token, the value of a key whose name says so.
 * I2  The work is linear in the text, whatever it is: a pattern begins at what ends its key (`token=`, `://`), so that no two
 *     attempts read the same stretch. `npm run patterns` holds it.
 * I3  A text that is cut is cut behind what was taken out (`redactedWithin`): no beginning of a secret stays at the cut.
 */
const placeholder = '[secret]';

/** user:password@ of a URI (MongoDB's may name several hosts); a password may hold anything but / ? # and white space. */
const inUri = /(:\/\/)[^\s/?#"'<>]*@/g;
const bearer = /\bBearer\s[ \t]{0,8}[A-Za-z0-9._~+/=-]{8,}/g;
/** How the name of a key with a secret ends. */
const named = '(?:token|password|passwd|secret|authorization|api[_-]?key|secret[_-]?key|access[_-]?key)';
/** `"name":"value"` of JSON, whatever is escaped in it; and the same as a text inside of JSON. A value may be cut off. */
const inJson = new RegExp(`(${named}"\\s{0,8}:\\s{0,8})"(?:[^"\\\\]|\\\\.)*("?)`, 'gi');
const inText = new RegExp(`(${named}\\\\"\\s{0,8}:\\s{0,8}\\\\")[^"\\\\]*`, 'gi');
/** name=value of a query, a connection string or an environment. */
const inPair = new RegExp(`(${named}\\s{0,8}=\\s{0,8})(?:\\\\?["'])?[^\\s&;,"'\\\\]+`, 'gi');

/** Takes secrets out of a text; `known` are values that may stand nowhere. */
export function redacted(text: string, known: readonly string[] = []): string {
  let clean = text;
  for (const secret of known) if (secret && clean.includes(secret)) clean = clean.replaceAll(secret, placeholder);
  return clean
    .replace(inUri, `$1${placeholder}@`)
    .replace(bearer, `Bearer ${placeholder}`)
    .replace(inJson, `$1"${placeholder}$2`)
    .replace(inText, `$1${placeholder}`)
    .replace(inPair, `$1${placeholder}`);
}

/** Beyond the cut this much is looked at: longer than any secret of ours. */
const margin = 4096;

/** The beginning of a text without its secrets, at most so many characters: no more than that is worked through (I3). */
export function redactedWithin(most: number, text: string, known: readonly string[] = []): string {
  const clean = redacted(text.length > most + margin ? text.slice(0, most + margin) : text, known);
  return clean.length > most ? `${clean.slice(0, most - 1).toWellFormed()}…` : clean.toWellFormed();
}
