/** The longest question that `find` reads: a line of a log. */
export const questionLengthMax = 4_000;
