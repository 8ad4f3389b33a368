/**
 * The words that are stored, hashed or answered, where no object holds them all: literals of the packages that decide.
 *
 * The rule: every text and template of a package's product sources, and every way a number is written out, but for
 * - what is thrown, the address of a module, an argument of `demand`, of a logger, of a decorator or of a catalogue (which has a section of its own);
 * - types, module names, property names, and what something is only compared with (`===`, `case`, `in`);
 * - SQL statements, whose words stay inside;
 * - files whose header says @freeWords: nothing hashes or stores what they say.
 * What a variable is called does not show: a hole is `${}`, with the calls that write it out (`${.toFixed(3)}`).
 * Sentences and formats have their number of places, so that one that becomes like another is noticed too.
 * An unrelated word in the lock is cheap; a hashed one that changes unseen is not. So what is in doubt is held.
 */
import { formatOf, isFormat, textOf } from './texts.mjs';
import { calls, keyOf, walk } from './walk.mjs';

/** The texts of these sources. */
export function wordsOf(sources) {
  const counts = new Map();
  for (const { ast, text } of sources)
    if (!isFree(text)) for (const word of wordsIn(ast)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const several = (word, count) => count > 1 && (/^\./.test(word) || (/\s/.test(word) && /\p{L}/u.test(word)));
  return [...counts].map(([word, count]) => (several(word, count) ? `${word} ×${count}` : word));
}

/** A header that says @freeWords. */
const isFree = (text) => /^\s*\/\*\*(?:(?!\*\/)[\s\S])*@freeWords\b/.test(text);

function wordsIn(ast) {
  const words = [];
  walk(ast, (node, parents) => {
    if (isElsewhere(node, parents.at(-1))) return false;
    const text = textOf(node);
    if (text && !isSql(text)) words.push(JSON.stringify(text));
    if (isFormat(node)) words.push(formatOf(node));
    return true;
  });
  return words;
}

/** What a decision says of itself and of its evidence, by the field that says it: "kind: gate". */
const said = new Set(['kind', 'outcome', 'test', 'subject', 'state', 'stage', 'verdict', 'purpose', 'step', 'what']);

/** The literals that these sources give to such fields. */
export function fieldWordsOf(sources) {
  const words = new Set();
  for (const { ast } of sources)
    walk(ast, (node) => {
      if (node.type !== 'KeyValueProperty' || !said.has(keyOf(node.key))) return;
      for (const text of givenIn(node.value)) words.add(`${keyOf(node.key)}: ${text}`);
    });
  return [...words];
}

/** The texts that an expression may come to: its own, of both branches, of an alternative. */
function givenIn(node) {
  const text = textOf(node);
  if (text !== undefined) return [text];
  const within = [node.consequent, node.alternate, node.left, node.right, node.expression];
  if (node.type === 'BinaryExpression' && !['??', '||', '&&'].includes(node.operator)) return [];
  return /Conditional|Binary|Parenthesis|^TsAs|^TsConst/.test(node.type)
    ? within.filter(Boolean).flatMap((one) => givenIn(one))
    : [];
}

const nowhere = new Set(['ImportDeclaration', 'ExportAllDeclaration', 'ThrowStatement', 'Decorator', 'Computed']);
const loggers = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);

/** Whether what is here is outside of the rule. */
function isElsewhere(node, parent) {
  if (nowhere.has(node.type) || (node.type === 'ExportNamedDeclaration' && node.source)) return true;
  if (/^Ts/.test(node.type) && !/^Ts(As|NonNull|Satisfies|ConstAssertion|ParameterProperty)/.test(node.type))
    return true;
  if (['catalogue', 'demand'].some((name) => calls(node, name)) || isLogged(node)) return true;
  if (node.type === 'NewExpression' && /Error$|^URL$/.test(node.callee.value ?? '')) return true;
  if (parent?.type === 'BinaryExpression' && /^([!=]==?|in)$/.test(parent.operator)) return textOf(node) !== undefined;
  if (parent?.type === 'SwitchCase' && parent.test === node) return true;
  return parent?.type === 'KeyValueProperty' && parent.key === node;
}

/** `log.warn(…)`, `this.log.warn(…)`, `console.error(…)`, `errors.CODE(…)`. */
function isLogged({ type, callee }) {
  if (type !== 'CallExpression' || callee.type !== 'MemberExpression') return false;
  const { object, property } = callee;
  const on = object.value ?? object.property?.value;
  return on === 'errors' || ((on === 'log' || on === 'console') && loggers.has(property.value));
}

const isSql = (text) =>
  /^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|COPY|WITH|SET|PRAGMA|FROM|JOIN|WHERE|UNION)\b/.test(text);
