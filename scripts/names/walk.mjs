/** Going through a syntax tree as @swc/core gives it. */

/** Calls `visit(node, parents)` for every node, from the outside in; one that returns false is not gone into. */
export function walk(node, visit, parents = []) {
  if (Array.isArray(node)) {
    for (const one of node) walk(one, visit, parents);
    return;
  }
  if (!node || typeof node !== 'object') return;
  const named = typeof node.type === 'string';
  if (named && visit(node, parents) === false) return;
  const within = named ? [...parents, node] : parents;
  for (const [key, value] of Object.entries(node)) if (key !== 'span') walk(value, visit, within);
}

/** The nodes of a tree that are wanted. */
export function nodesOf(tree, wanted) {
  const found = [];
  walk(tree, (node, parents) => {
    if (wanted(node, parents)) found.push(node);
  });
  return found;
}

/** Whether a node calls a function of this name, or a method. */
export function calls(node, name) {
  if (node.type !== 'CallExpression') return false;
  const { callee } = node;
  const called = callee.type === 'MemberExpression' ? callee.property : callee;
  return called.type === 'Identifier' && called.value === name;
}

/** The name of a property: written as a name or as a text. */
export const keyOf = (key) => (key?.type === 'Identifier' || key?.type === 'StringLiteral' ? key.value : undefined);
