/** How far a file of some bytes would reach: by what is known of sizes, and by samples where nothing is. */
import type { PartitionRef } from '../../model/stream.ts';
import type { Extent, PartitionBounds, RecordBlock } from '../record-log.ts';
import { STANDS_FOR, type Sizes, type Stretch } from './sizes.ts';

/** What a sample reads, before it is rounded up to a whole batch. */
const SAMPLE_BYTES = 32 * 1024;
/** One question costs this many samples at the most: in a long backlog each of them stands for more. */
const SAMPLES = 64;

export interface MeasureParts {
  readonly sizes: Sizes;
  /** Records from a number on, of about so many bytes. */
  readonly sample: (ref: PartitionRef, from: number, maxBytes: number) => Promise<RecordBlock[]>;
}

/** See RecordLog.measure: `bytes` is near the truth, and `to` may lie within a block. */
export async function measure(
  parts: MeasureParts,
  ref: PartitionRef,
  from: number,
  maxBytes: number,
  { first, next }: PartitionBounds,
): Promise<Extent> {
  const key = `${ref.stream}/${ref.partition}`;
  let at = Math.min(Math.max(from, first), next);
  let bytes = 0;
  const stride = Math.ceil((next - at) / SAMPLES);
  while (at < next && bytes < maxBytes) {
    const known = parts.sizes.at(key, at);
    const end = Math.min(known.to, next);
    const stretch = known.average === undefined ? await sampled(parts, ref, at, end, stride) : known;
    const average = stretch.average!;
    const enough = average > 0 ? Math.ceil((maxBytes - bytes) / average) : Infinity;
    const taken = Math.min(Math.min(stretch.to, end) - at, enough);
    bytes += taken * average;
    at += taken;
  }
  return { to: at, bytes: Math.round(bytes) };
}

/** Looks at the first records of [from, to) and lets them stand for more of those, `stride` of them at least. */
async function sampled(
  { sizes, sample }: MeasureParts,
  ref: PartitionRef,
  from: number,
  to: number,
  stride: number,
): Promise<Stretch> {
  const blocks = await sample(ref, from, SAMPLE_BYTES);
  const bytes = blocks.reduce((sum, { frames }) => sum + frames.length, 0);
  const seen = blocks.reduce((sum, { count }) => sum + count, 0);
  // A new leader may not yet know that it has these: then they count for nothing this time.
  const average = seen === 0 ? 0 : bytes / seen;
  const reach = Math.min(to, from + Math.max(1, seen * STANDS_FOR, stride));
  if (seen > 0) sizes.learn(`${ref.stream}/${ref.partition}`, from, reach, (reach - from) * average, seen);
  return { to: reach, average };
}
