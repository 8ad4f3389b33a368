/**
 * Keys of the records in a group's topic of dead letters.
 *
 * I1  A letter is told by the place of its event, `at:topic/partition/offset:id`: ids are the senders', and two may give
 *     the same. The id is in the key since the record of a removal has nothing else.
 * I2  A replay's key is its letter's, with a word before it.
 * I3  Releases before this told letters by the id alone, with a word before those that look like another key; they are read.
 */
const replayWord = 'replay:';
const letterWord = 'letter:';
const placed = /^at:[A-Za-z0-9._-]{1,249}\/\d{1,10}\/\d{1,19}:/;

/** Where the event of a letter stands, and its id. */
export interface LetterPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly id: string;
}

export const keyOfLetter = ({ topic, partition, offset, id }: LetterPlace): string =>
  `at:${topic}/${partition}/${offset}:${id}`;

export function idOfLetter(key: string): string {
  const place = placed.exec(key)?.[0];
  if (place !== undefined) return key.slice(place.length);
  return key.startsWith(letterWord) ? key.slice(letterWord.length) : key; // I3
}

export const keyOfReplay = (letterKey: string): string => replayWord + letterKey;

export const isReplay = (key: string): boolean => key.startsWith(replayWord);
