/**
 * The buckets of a group of rows of `f` with the series and the minute of each, which `splitFrames` takes apart. Null if none
 * has any.
 */
export const framedBuckets = `string_agg(int4send(length(f.buckets)) || int4send(f.series_id)
  || int4send((extract(epoch from f.at) / 60)::integer) || f.buckets, '')`;
