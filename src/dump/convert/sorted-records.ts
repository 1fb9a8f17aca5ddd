/**
 * Further walks over a cut whose records have been surveyed: one path by itself as a stream of runs, or a group of paths
 * sorted in memory. Records that the survey has seen and the walk has not are an error: they have gone meanwhile.
 */
import { FrameReader } from '../../model/record-batch.ts';
import type { PathEntry } from './path-table.ts';
import type { Survey } from './survey.ts';

/** Whole frames of records that follow each other in a file. */
export interface Run {
  readonly frames: Buffer;
  readonly count: number;
}

/** The records of one path. A run stays as it is until the next one is asked for. */
export async function* runsOfPath({ again, fates }: Survey, path: number): AsyncGenerator<Run, void, undefined> {
  let record = 0;
  for await (const blocks of again.batches()) {
    for (const block of blocks) {
      const end = Math.min(record + block.count, fates.length);
      const frame = new FrameReader(block.frames);
      for (let start = -1, count = 0; record <= end; record += 1) {
        const taken = record < end && fates.at(record) === path;
        if (!taken && count > 0) {
          yield { frames: block.frames.subarray(start, frame.end), count };
          count = 0;
        }
        if (record === end) break;
        nextFrame(frame);
        if (!taken) continue;
        if (count === 0) start = frame.frame;
        count += 1;
      }
    }
    if (record === fates.length) return;
  }
  throw gone();
}

/** Takes the record at which `frame` stands to `offset` of `target`. As many bytes as the survey has counted. */
export type CopyRecord = (frame: FrameReader, target: Buffer, offset: number) => number;

/** The records of each of `paths`, copied into `memory` by `copy` one after another. */
export async function sortByPath(
  { again, fates, paths: all }: Survey,
  paths: readonly PathEntry[],
  copy: CopyRecord,
  memory: Buffer,
): Promise<Buffer[]> {
  /** By number of the path: where its next record goes, -1 for a path that is not wanted. */
  const offsets = new Float64Array(all.length).fill(-1);
  let room = 0;
  for (const { index, bytes } of paths) {
    offsets[index] = room;
    room += bytes;
  }
  let record = 0;
  for await (const blocks of again.batches()) {
    for (const { frames, count } of blocks) {
      const frame = new FrameReader(frames);
      for (const end = Math.min(record + count, fates.length); record < end; record += 1) {
        nextFrame(frame);
        const offset = offsets[fates.at(record)] ?? -1;
        if (offset >= 0) offsets[fates.at(record)] = copy(frame, memory, offset);
      }
    }
    if (record === fates.length) break;
  }
  if (record < fates.length) throw gone();
  let start = 0;
  return paths.map(({ index, bytes }) => {
    const end = start + bytes;
    if (offsets[index] !== end) throw new Error(`path ${index} has ${offsets[index]! - start} bytes and not ${bytes}`);
    const piece = memory.subarray(start, end);
    start = end;
    return piece;
  });
}

function nextFrame(frame: FrameReader): void {
  if (!frame.next()) throw new RangeError('fewer frames than were promised');
}

function gone(): Error {
  return new Error('records have gone while the cut was written');
}
