/** What somebody probably meant by a name that nothing has, and what there is. */
import leven from 'leven';

/** The known name that is closest, if it is close: a third of its letters may differ, two at least. */
export function closest(word: string, known: Iterable<string>): string | undefined {
  let [best, least] = [undefined as string | undefined, Number.POSITIVE_INFINITY];
  for (const name of known) {
    const far = distance(word, name);
    if (far < least && far <= Math.max(2, Math.floor(name.length / 3)) && far < name.length)
      [best, least] = [name, far];
  }
  return best;
}

/** Names are short: what is far longer is compared by its beginning. */
const distance = (word: string, name: string) =>
  leven(word.slice(0, 64).toLowerCase(), name.slice(0, 64).toLowerCase());

/** Names that are listed. */
const mostListed = 12;

/** `did you mean "weather"? Known: schedule, weather`. */
export function advice(word: string, known: Iterable<string>): string {
  const names = [...known];
  const meant = closest(word, names);
  const more = names.length > mostListed ? `, and ${names.length - mostListed} more` : '';
  const listed = `known: ${names.slice(0, mostListed).join(', ') || 'none'}${more}`;
  return meant === undefined ? listed : `did you mean "${meant}"? (${listed})`;
}
