/**
 * Writes the files of a cut: walks its records, encodes them and streams them into the object store. Memory is bounded
 * whatever the size of the cut and the number of its files. The same cut always makes the same bytes under the same keys.
 *
 * Text in one place is a copy of the payloads, made here. What must look into records is made by a converter, in a thread
 * of its own (convert/): puts are answered here, and must not wait for it.
 */
import { compressed } from '../../codec/file-compression.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { Gate } from '../../platform/gate.ts';
import type { ConvertedCut, Converters } from '../convert/conversion.ts';
import { CountedSource } from './counted-source.ts';
import type { CutToWrite, WrittenCut } from './cut.ts';
import { CutUpload } from './cut-upload.ts';
import { fixedPlace, type Place } from '../paths/path-finder.ts';
import { TextWalk } from './text-walk.ts';

export interface CutWriterParts {
  readonly objects: ObjectStore;
  /** What is compressed at a time in the threads that the disk needs too. */
  readonly compressing: Gate;
  readonly converters: Converters;
}

/** An attempt that failed, with how many records had been read. `cause` is why. */
export class FailedAttempt extends Error {
  override readonly name = 'FailedAttempt';
  readonly recordsRead: number;

  constructor(recordsRead: number, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.recordsRead = recordsRead;
  }
}

/**
 * Throws LostRecords of the source, and FailedAttempt for everything else, an abort included. Nothing is under way any
 * more when it does; objects that were stored stay: the next attempt writes them again.
 */
export async function writeCut(parts: CutWriterParts, cut: CutToWrite, signal: AbortSignal): Promise<WrittenCut> {
  const source = new CountedSource(cut.source);
  const upload = new CutUpload(parts.objects, cut, signal);
  const { settings } = cut;
  const place = settings.fileType === 'text' ? fixedPlace(settings, cut.createdAt) : undefined;
  try {
    let converted: ConvertedCut;
    try {
      signal.throwIfAborted();
      if (place === undefined) converted = await parts.converters.convert(cut, source, upload, signal);
      else converted = await writeText(parts, { ...cut, source }, place, upload);
    } catch (error) {
      upload.fail(error);
      await upload.finished();
      throw error;
    }
    const { files, deadLetters } = await upload.finished();
    if (files.length === 0 && deadLetters === undefined) throw nothingToWrite();
    return { ...converted, files, deadLetters };
  } catch (error) {
    // The store may have wrapped it: what the source said is what counts.
    if (source.lost !== undefined) throw source.lost;
    throw new FailedAttempt(source.records, error);
  }
}

/** One file of the payloads as they are. */
async function writeText(
  { compressing }: CutWriterParts,
  cut: CutToWrite,
  place: Place,
  upload: CutUpload,
): Promise<ConvertedCut> {
  const { delimiter, compression } = cut.settings;
  const walk = new TextWalk(cut.source, delimiter);
  const pieces =
    compression === 'gzip' || compression === 'zstd'
      ? compressed(walk.chunks(), compression, compressing)
      : walk.chunks();
  const file = await upload.open({ kind: 'file', index: 0, place });
  for await (const piece of pieces) await file.write(piece);
  const { records, firstRecord, lastRecord } = walk;
  if (records === 0) throw nothingToWrite();
  await file.end({ records, firstRecord, lastRecord });
  return { next: lastRecord + 1, columns: undefined };
}

function nothingToWrite(): Error {
  return new Error('there were no records to write');
}
