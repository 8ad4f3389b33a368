/** Keys of the records in a group's topic of dead letters: letters by their event's id, replays with a word before it. */
const replayWord = 'replay:';
const letterWord = 'letter:';

/** Ids are the senders': one that looks like another key of ours gets a word before it. */
export const keyOfLetter = (id: string): string =>
  id.startsWith(replayWord) || id.startsWith(letterWord) ? letterWord + id : id;

export const idOfLetter = (key: string): string => (key.startsWith(letterWord) ? key.slice(letterWord.length) : key);

export const keyOfReplay = (id: string): string => replayWord + id;

export const isReplay = (key: string): boolean => key.startsWith(replayWord);
