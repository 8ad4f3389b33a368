/** Texts as they are written in the code, independent of what variables are called. */

/** A text, or undefined: `worse: ${found}, above ${x.toFixed(3)}` is "worse: ${}, above ${.toFixed(3)}". */
export function textOf(node) {
  if (node.type === 'StringLiteral') return node.value;
  // A template type has no expressions.
  if (node.type !== 'TemplateLiteral' || !node.expressions) return undefined;
  return node.quasis.map(({ cooked }, i) => cooked + (node.expressions[i] ? hole(node.expressions[i]) : '')).join('');
}

/** A hole of which nothing is told. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is the sign for one
export const emptyHole = '${}';

/** The same with every hole empty. */
export const shapeOf = (node) => textOf(node)?.replace(/\$\{[^}]*\}/g, emptyHole);

/** What stands in a hole is not told, but how it is written out is: that changes the text too. */
const hole = (expression) => `\${${formatOf(expression)}}`;

/** How a value is written out, whatever it is called. */
const numbers = ['toFixed', 'toPrecision', 'toExponential', 'toLocaleString'];
const others = [
  'toISOString',
  'join',
  'slice',
  'padStart',
  'padEnd',
  'replace',
  'replaceAll',
  'toLowerCase',
  'toUpperCase',
];
const formats = new Set([...numbers, ...others]);

/** The calls at the end of an expression with the literals that they are given: ".toFixed(3)". */
export function formatOf(node) {
  if (node.type === 'ParenthesisExpression' || node.type === 'TsNonNullExpression') return formatOf(node.expression);
  const name = methodOf(node);
  if (!formats.has(name)) return '';
  const given = node.arguments.map(({ expression }) => literalOf(expression) ?? '_').join(', ');
  return `${formatOf(node.callee.object)}.${name}(${given})`;
}

/** Whether a number is written out here, wherever the text is put together. */
export const isFormat = (node) => numbers.includes(methodOf(node));

function methodOf({ type, callee }) {
  return type === 'CallExpression' && callee.type === 'MemberExpression' ? callee.property.value : undefined;
}

function literalOf({ type, value, pattern, flags, operator, argument }) {
  if (type === 'StringLiteral') return JSON.stringify(value);
  if (type === 'NumericLiteral') return String(value);
  if (type === 'RegExpLiteral') return `/${pattern}/${flags}`;
  if (type === 'UnaryExpression') return `${operator}${literalOf(argument) ?? '_'}`;
  return undefined;
}
