/** Up to so many events and batches of mode `unfinished` are replayed without a question. */
export const unaskedMax = 20;
