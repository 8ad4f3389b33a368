/**
 * Secrets in text: taken out of whatever is logged, exported or told to a caller.
 *
 * I1  The house's own secrets are known by their value and go wherever they stand; others are known by where they stand:
 *     the password of a URI, a bearer token, the value of a key whose name says so.
 */
const placeholder = '[secret]';

/** user:password@ of a URI (MongoDB's may name several hosts); a password may hold anything but / ? # and white space. */
const inUri = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>]*@/gi;
const bearer = /\b(Bearer)\s+[A-Za-z0-9._~+/=-]{8,}/g;
const named =
  '(?:[a-z0-9_.-]*(?:token|password|passwd|secret|authorization|api[_-]?key|secret[_-]?key|access[_-]?key))';
/** `"name":"value"` of JSON, whatever is escaped in it; and the same as a text inside of JSON. */
const inJson = new RegExp(`("${named}"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, 'gi');
const inText = new RegExp(`(\\\\"${named}\\\\"\\s*:\\s*\\\\")[^"\\\\]*`, 'gi');
/** name=value of a query, a connection string or an environment. */
const inPair = new RegExp(`\\b(${named}\\s*=\\s*)(?:\\\\?["'])?[^\\s&;,"'\\\\]+`, 'gi');

/** Takes secrets out of a text; `known` are values that may stand nowhere. */
export function redacted(text: string, known: readonly string[] = []): string {
  let clean = text;
  for (const secret of known) if (secret && clean.includes(secret)) clean = clean.replaceAll(secret, placeholder);
  return clean
    .replace(inUri, `$1${placeholder}@`)
    .replace(bearer, `$1 ${placeholder}`)
    .replace(inJson, `$1"${placeholder}"`)
    .replace(inText, `$1${placeholder}`)
    .replace(inPair, `$1${placeholder}`);
}
