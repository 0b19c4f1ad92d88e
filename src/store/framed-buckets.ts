/** The buckets of a group of rows of `f`, which `splitFrames` takes apart. Null if none has any. */
export const framedBuckets = "string_agg(int4send(length(f.buckets)) || f.buckets, '')";
