/**
 * Writes the files of a cut: walks its records, encodes them and streams them into the object store. Memory is two reads
 * of the log and a few chunks, whatever the size of the files. The same cut always makes the same bytes under the same
 * keys.
 */
import { TextFileEncoder } from '../codec/text.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { CutToWrite, WrittenCut } from './cut.ts';
import { LostRecords } from './log-source.ts';
import { fileName, objectKey } from './object-name.ts';
import { fixedPlace } from './paths/path-finder.ts';

export interface CutWriterParts {
  readonly objects: ObjectStore;
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

/** Records of a stream may be anything, so the object is no text as far as a browser is concerned. */
const CONTENT_TYPE = 'application/octet-stream';

/** Throws LostRecords of the source, and FailedAttempt for everything else, an abort included. */
export async function writeCut(parts: CutWriterParts, cut: CutToWrite, signal: AbortSignal): Promise<WrittenCut> {
  const body = new TextBody(cut);
  const place = fixedPlace(cut.settings, cut.createdAt)!;
  const name = fileName(cut.baseName, cut.settings);
  const key = objectKey(cut.settings.prefix, place.path, name);
  try {
    const stored = await parts.objects.put(cut.bucket, key, body.chunks(), { contentType: CONTENT_TYPE, signal });
    if (!body.complete || stored.bytes !== body.bytes) {
      throw new Error(`the store says ${stored.bytes} bytes where ${body.bytes} were sent`);
    }
    const { bytes, etag, sha256 } = stored;
    const file = {
      fileName: name,
      key,
      ...place,
      records: body.next - cut.first,
      firstRecord: cut.first,
      lastRecord: body.next - 1,
      bytes,
      checksum: `sha256:${sha256}`,
      etag,
    };
    return { next: body.next, files: [file], deadLetters: undefined, columns: undefined };
  } catch (error) {
    // The store may have wrapped it: what the source said is what counts.
    if (body.lost !== undefined) throw body.lost;
    throw new FailedAttempt(body.next - cut.first, error);
  }
}

class TextBody {
  readonly #cut: CutToWrite;
  /** Exclusive end of the records encoded so far. */
  next: number;
  bytes = 0;
  /** True once the last byte has been handed over. */
  complete = false;
  lost: LostRecords | undefined;

  constructor(cut: CutToWrite) {
    this.#cut = cut;
    this.next = cut.first;
  }

  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    const encoder = new TextFileEncoder(this.#cut.settings.delimiter);
    try {
      for await (const blocks of this.#cut.source.batches()) {
        for (const { firstSequence, count, frames } of blocks) {
          this.next = firstSequence + count;
          for (const chunk of encoder.encode(frames, count)) yield this.#passed(chunk);
        }
      }
    } catch (error) {
      if (error instanceof LostRecords) this.lost = error;
      throw error;
    }
    const rest = encoder.finish();
    if (rest.length > 0) yield this.#passed(rest);
    this.complete = true;
  }

  #passed(chunk: Buffer): Buffer {
    this.bytes += chunk.length;
    return chunk;
  }
}
