/**
 * The first walk over the records of a cut whose records say where they belong, or whose columns are not known yet. It
 * settles what becomes of each: its path, or the dead letters. Nothing of the records is kept, unless they are few.
 */
import { ConversionError } from '../../model/conversion-error.ts';
import { FrameReader, type RecordBlock } from '../../model/record-batch.ts';
import type { CutSource } from '../cuts/cut.ts';
import type { ConversionJob } from './conversion.ts';
import type { DeadLetterFile } from './dead-letter-file.ts';
import { HeldRecords } from './held-records.ts';
import { PathTable, type PathEntry } from './path-table.ts';
import { DEAD, RecordFates } from './record-fates.ts';
import { hasRows, type RecordExaminer } from './record-reader.ts';

export interface Survey {
  /** Of the records up to `next`, in their order. */
  readonly fates: RecordFates;
  readonly paths: readonly PathEntry[];
  /** Exclusive end of what was looked at. */
  readonly next: number;
  /** The same records once more: from memory, if they fit into what may be held. */
  readonly again: CutSource;
}

export async function surveyCut(
  { settings, limits }: ConversionJob,
  source: CutSource,
  examiner: RecordExaminer,
  dead: DeadLetterFile,
): Promise<Survey> {
  const fates = new RecordFates();
  const paths = new PathTable(limits.paths);
  const held = new HeldRecords(limits.heldBytes);
  const delimiterBytes = hasRows(settings) ? undefined : Buffer.byteLength(settings.delimiter);
  let next = 0;

  /** Up to where the block was looked at: a cut has an end where there would be too much to remember. */
  const survey = ({ firstSequence, count, time, frames }: RecordBlock): number => {
    const frame = new FrameReader(frames);
    for (let sequence = firstSequence; sequence < firstSequence + count; sequence += 1) {
      if (!frame.next()) throw new RangeError(`fewer frames than the ${count} that were promised`);
      if (fates.length === limits.records) return sequence;
      try {
        const place = examiner.place(frame, time);
        if (!paths.takes(place)) return sequence;
        examiner.check();
        const bytes = delimiterBytes === undefined ? frame.end - frame.frame : frame.dataLength + delimiterBytes;
        fates.push(paths.add(place, sequence, bytes));
      } catch (error) {
        if (!(error instanceof ConversionError)) throw error;
        fates.push(DEAD);
        dead.add(frame, sequence, time, error.message);
      }
    }
    return firstSequence + count;
  };

  for await (const blocks of source.batches()) {
    for (const block of blocks) {
      next = survey(block);
      held.add(block);
      if (next < block.firstSequence + block.count)
        return { fates, paths: paths.entries, next, again: held.or(source) };
    }
    await dead.relieve();
  }
  return { fates, paths: paths.entries, next, again: held.or(source) };
}
