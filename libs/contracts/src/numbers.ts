/** What a number from outside may be, wherever it comes in: graphs and trainers hold no greater one. */

export const largestNumber = 3.4e38;

/** Whether a number is one that is kept, or NaN, which is missing. */
export const isKept = (x: number): boolean => !(Math.abs(x) > largestNumber);

/** What a number has to be, for whoever sent another. */
export const numberAdvice = `send a number within ±${largestNumber}, or none where it is missing`;
