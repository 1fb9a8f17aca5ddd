/**
 * Writes one planned file: reads its records, encodes them and streams them into the object store. Memory is two reads
 * of the log and a few chunks, whatever the size of the file: while one read is encoded the next is on its way.
 *
 * The object holds exactly the planned records or there is an error, with one exception: when records in the middle
 * cannot be read back (damaged, or expired since), the file ends before them and the result says where. So as little as
 * possible is lost, and the records behind go into the next file. When not even the first record can be read back,
 * nothing is stored and LostRecords tells what is gone.
 */
import { TextFileEncoder } from '../codec/text.ts';
import { isDomainError } from '../model/errors.ts';
import type { PartitionRef } from '../model/stream.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { BufferLoan, type BufferPool } from '../platform/buffer-pool.ts';
import { DamagedRecords, type RecordBlock, type RecordLog } from '../recordlog/record-log.ts';

export interface FileToWrite {
  readonly ref: PartitionRef;
  /** [first, next) is what the file holds. */
  readonly first: number;
  readonly next: number;
  readonly bucket: string;
  readonly key: string;
  /** Follows every record. */
  readonly delimiter: string;
}

export interface WrittenFile {
  /** Exclusive end of what the object holds: the planned one unless records in between were lost. */
  readonly next: number;
  readonly bytes: number;
  /** `sha256:<hex>` of the object's bytes. */
  readonly checksum: string;
  readonly etag: string;
}

export interface FileWriterParts {
  readonly recordLog: RecordLog;
  readonly objects: ObjectStore;
  /** Where records are read to on their way into a file. */
  readonly buffers: BufferPool;
}

/** The records from the file's first on are gone, up to `to` (exclusive). */
export class LostRecords extends Error {
  override readonly name = 'LostRecords';
  readonly to: number;

  constructor(to: number, cause: Error) {
    super(cause.message, { cause });
    this.to = to;
  }
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

const READ_BYTES = 1024 * 1024;
/** Records of a stream may be anything, so the object is no text as far as a browser is concerned. */
const CONTENT_TYPE = 'application/octet-stream';

/** Throws LostRecords, and FailedAttempt for everything else, an abort included. */
export async function writeFile(parts: FileWriterParts, file: FileToWrite, signal: AbortSignal): Promise<WrittenFile> {
  const body = new FileBody(parts, file);
  try {
    const options = { contentType: CONTENT_TYPE, signal };
    const stored = await parts.objects.put(file.bucket, file.key, body.chunks(), options);
    if (!body.complete || stored.bytes !== body.bytes) {
      throw new Error(`the store says ${stored.bytes} bytes where ${body.bytes} were sent`);
    }
    return { next: body.next, bytes: body.bytes, checksum: `sha256:${stored.sha256}`, etag: stored.etag };
  } catch (error) {
    // The store may have wrapped it: what the source said is what counts.
    if (body.lost !== undefined) throw body.lost;
    throw new FailedAttempt(body.next - file.first, error);
  }
}

class FileBody {
  readonly #recordLog: RecordLog;
  readonly #buffers: BufferPool;
  readonly #file: FileToWrite;
  /** Exclusive end of the records encoded so far. */
  next: number;
  bytes = 0;
  /** True once the last byte has been handed over. */
  complete = false;
  lost: LostRecords | undefined;

  constructor({ recordLog, buffers }: FileWriterParts, file: FileToWrite) {
    this.#recordLog = recordLog;
    this.#buffers = buffers;
    this.#file = file;
    this.next = file.first;
  }

  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    const encoder = new TextFileEncoder(this.#file.delimiter);
    let ahead = this.#read(this.next);
    while (this.next < this.#file.next) {
      const { loan } = ahead;
      const blocks = await this.#readable(ahead.blocks);
      if (blocks === undefined) break;
      const end = endOf(blocks);
      if (end < this.#file.next) ahead = this.#read(end);
      for (const block of blocks) {
        if (this.next >= this.#file.next) break;
        if (block.firstSequence !== this.next) {
          throw new Error(`the log gave record ${block.firstSequence} where ${this.next} was due`);
        }
        const count = Math.min(block.count, this.#file.next - this.next);
        this.next += count;
        for (const chunk of encoder.encode(block.frames, count)) yield this.#passed(chunk);
      }
      loan.giveBack();
    }
    const rest = encoder.finish();
    if (rest.length > 0) yield this.#passed(rest);
    this.complete = true;
  }

  #passed(chunk: Buffer): Buffer {
    this.bytes += chunk.length;
    return chunk;
  }

  #read(from: number): { readonly blocks: Promise<RecordBlock[]>; readonly loan: BufferLoan } {
    const loan = new BufferLoan(this.#buffers);
    const blocks = this.#recordLog.read(this.#file.ref, from, READ_BYTES, { allocate: loan.take });
    // Awaited later, or never if the upload fails meanwhile: then its failure is nobody's.
    blocks.catch(() => undefined);
    return { blocks, loan };
  }

  /** The blocks of a read, or undefined when the file ends here because what follows is gone. */
  async #readable(reading: Promise<RecordBlock[]>): Promise<RecordBlock[] | undefined> {
    try {
      const blocks = await reading;
      if (blocks.length === 0) throw new Error(`the log has nothing at record ${this.next}`);
      return blocks;
    } catch (error) {
      const to = this.#endOfLoss(error);
      if (to === undefined) throw error;
      if (this.next > this.#file.first) return undefined;
      this.lost = new LostRecords(to, error as Error);
      throw this.lost;
    }
  }

  /** Up to where records are gone for good, if that is what an error of the log says. */
  #endOfLoss(error: unknown): number | undefined {
    const { first, next } = this.#recordLog.bounds(this.#file.ref);
    if (error instanceof DamagedRecords) return Math.min(Math.max(error.to, this.next + 1), next);
    return isDomainError(error, 'SequenceNumberOutOfRange') && first > this.next ? first : undefined;
  }
}

function endOf(blocks: readonly RecordBlock[]): number {
  const last = blocks.at(-1)!;
  return last.firstSequence + last.count;
}
