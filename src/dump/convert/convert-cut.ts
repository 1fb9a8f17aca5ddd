/**
 * Makes the files of a cut whose records must be looked into: they say where they belong, or become rows. What comes out
 * depends on the records alone, not on how they are cut into blocks or what is held at a time.
 *
 * Where all goes into one file of known columns, one walk over the records does. Else the first walk is a survey
 * (survey.ts), and positions are held, not records: a path with many records is a walk of its own, paths with few are
 * sorted in memory, as many of them at a time as fit there. So memory is that, two reads and four bytes a record.
 */
import type { Gate } from '../../platform/gate.ts';
import type { RowSchema } from '../../codec/rows/row-schema.ts';
import type { CutSource } from '../cuts/cut.ts';
import { fixedPlace } from '../paths/path-finder.ts';
import type { ConversionJob, ConvertedCut } from './conversion.ts';
import { DeadLetterFile } from './dead-letter-file.ts';
import { FileMaker } from './file-maker.ts';
import type { FileContents, FileSink, NewFile } from './file-sink.ts';
import type { PathEntry } from './path-table.ts';
import { hasRows, RecordExaminer, rowReader, toldSchema } from './record-reader.ts';
import { RowWalk } from './row-walk.ts';
import { runsOfPath, sortByPath, type CopyRecord, type Run } from './sorted-records.ts';
import { surveyCut, type Survey } from './survey.ts';

/** Throws what `source` and `sink` throw. `gate`: see FileMaker. */
export async function convertCut(
  job: ConversionJob,
  source: CutSource,
  sink: FileSink,
  gate: Gate,
): Promise<ConvertedCut> {
  const { settings } = job;
  const maker = new FileMaker(settings, gate);
  const dead = new DeadLetterFile(sink, job.partition);
  const told = toldSchema(settings);
  const place = fixedPlace(settings, job.createdAt);
  if (place !== undefined && told !== undefined) {
    const walk = new RowWalk(source, rowReader(settings, told, told), dead);
    await walk.write(sink, place, maker, told);
    await dead.finish();
    return { next: walk.next, columns: undefined };
  }
  const examiner = new RecordExaminer(job, told);
  const survey = await surveyCut(job, source, examiner, dead);
  await dead.finish();
  const schema = told ?? examiner.schema;
  const contents =
    hasRows(settings) && schema !== undefined ? rowContents(job, maker, schema, told) : textContents(job, maker);
  await writePaths(job, survey, sink, contents);
  return { next: survey.next, columns: examiner.learned };
}

/** How the records of a path become a file. */
interface Contents {
  /** What is sorted in memory: one piece a record. */
  readonly copy: CopyRecord;
  ofSorted(sorted: Buffer, records: number): AsyncIterable<Uint8Array>;
  ofRuns(runs: AsyncIterable<Run>): AsyncIterable<Uint8Array>;
}

function textContents({ settings }: ConversionJob, maker: FileMaker): Contents {
  const delimiter = Buffer.from(settings.delimiter);
  return {
    copy({ bytes, dataStart, dataLength }, target, offset) {
      const end = offset + bytes.copy(target, offset, dataStart, dataStart + dataLength);
      return end + delimiter.copy(target, end);
    },
    ofSorted: (text) => maker.text(text),
    ofRuns: (runs) => maker.textOfRuns(runs),
  };
}

function rowContents(
  { settings }: ConversionJob,
  maker: FileMaker,
  schema: RowSchema,
  told: RowSchema | undefined,
): Contents {
  const read = rowReader(settings, schema, told);
  const ofRuns = (runs: AsyncIterable<Run>) => maker.rowsOfRuns(runs, schema, read);
  return {
    copy: ({ bytes, frame, end }, target, offset) => offset + bytes.copy(target, offset, frame, end),
    ofSorted: (frames, count) => ofRuns(oneRun({ frames, count })),
    ofRuns,
  };
}

async function* oneRun(run: Run): AsyncGenerator<Run, void, undefined> {
  yield run;
}

async function writePaths(
  { limits }: ConversionJob,
  survey: Survey,
  sink: FileSink,
  contents: Contents,
): Promise<void> {
  const write = (path: PathEntry, pieces: AsyncIterable<Uint8Array>) =>
    pour(pieces, sink, { kind: 'file', index: path.index, place: path.place }, path);
  const [large, small] = bySize(survey.paths, limits.heldBytes);
  for (const path of large) await write(path, contents.ofRuns(runsOfPath(survey, path.index)));
  const sizes = small.map((group) => group.reduce((sum, { bytes }) => sum + bytes, 0));
  const memory = Buffer.allocUnsafeSlow(Math.max(0, ...sizes));
  for (const group of small) {
    const sorted = await sortByPath(survey, group, contents.copy, memory);
    for (const [index, path] of group.entries()) await write(path, contents.ofSorted(sorted[index]!, path.records));
  }
}

/** Paths that are walked by themselves, and groups of paths that fit into `most` bytes together. */
function bySize(paths: readonly PathEntry[], most: number): readonly [PathEntry[], PathEntry[][]] {
  const large: PathEntry[] = [];
  const groups: PathEntry[][] = [];
  let room = 0;
  for (const path of paths) {
    if (path.bytes > most || paths.length === 1) large.push(path);
    else {
      if (groups.length === 0 || path.bytes > room) {
        groups.push([]);
        room = most;
      }
      groups.at(-1)!.push(path);
      room -= path.bytes;
    }
  }
  return [large, groups];
}

async function pour(
  pieces: AsyncIterable<Uint8Array>,
  sink: FileSink,
  file: NewFile,
  { records, firstRecord, lastRecord }: FileContents,
): Promise<void> {
  const writer = await sink.open(file);
  for await (const piece of pieces) await writer.write(piece);
  await writer.end({ records, firstRecord, lastRecord });
}
