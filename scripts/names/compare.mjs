/** Locks as files, one name a line, and what differs between one that is held and what is there now. */

/** @typedef {Record<string, string[]>} Lock names by section */

/** A section's names once each, in an order that no locale changes. */
export function locked(sections) {
  const inOrder = (names) => [...new Set(names)].sort((a, b) => (a < b ? -1 : 1));
  return Object.fromEntries(Object.entries(sections).map(([section, names]) => [section, inOrder(names)]));
}

/** The lock as text. */
export const written = (lock) => `${JSON.stringify(lock, null, 2)}\n`;

/** What is gone and what is new, a line each; none where both are the same. */
export function differences(held, present) {
  const sections = [...new Set([...Object.keys(held), ...Object.keys(present)])];
  return sections.flatMap((section) => {
    const [before, now] = [held[section] ?? [], present[section] ?? []];
    const gone = before.filter((name) => !now.includes(name)).map((name) => `  - ${section}: ${name}`);
    return [...gone, ...now.filter((name) => !before.includes(name)).map((name) => `  + ${section}: ${name}`)];
  });
}

/** The differences of a file as a person reads them. */
export function told(file, lines) {
  const count = (sign) => lines.filter((line) => line.startsWith(`  ${sign}`)).length;
  return [`${file}: ${count('-')} gone, ${count('+')} new`, ...lines].join('\n');
}

/** What to do about them. */
export const advice = `What is stored, hashed or observed from outside is not what the lock holds.
A name that is gone was somebody's: put it back, unless the change is meant (docs/decisions/0020-names-are-locked.md).
What is new, and what is meant, is accepted with: npm run names -- --write; commit the lock with the code.`;
