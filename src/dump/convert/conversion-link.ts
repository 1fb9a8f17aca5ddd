/** One cut that a converter works on, seen from the main thread: answers what the converter asks and takes its files. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { RecordBlock } from '../../model/record-batch.ts';
import type { CutSource } from '../cuts/cut.ts';
import type { ConvertedCut } from './conversion.ts';
import type { FileUpload, FileUploads } from './file-sink.ts';
import type { Batch, FromConverter, ToConverter } from './protocol.ts';

/** A file that is being taken: what came of it is worked on one after the other. */
interface OpenFile {
  readonly writer: Promise<FileUpload>;
  last: Promise<void>;
  /** Memory of the piece that was taken last. */
  before: ArrayBuffer | undefined;
}

export class ConversionLink {
  readonly #source: CutSource;
  readonly #uploads: FileUploads;
  readonly #port: MessagePort;
  /** The other end, for the converter. */
  readonly remote: MessagePort;
  readonly #files = new Map<number, OpenFile>();
  #walk = 0;
  #batches: AsyncIterator<readonly RecordBlock[]> | undefined;
  /** Reads of the walk that are asked for happen one after the other. */
  #reading = Promise.resolve();
  readonly #result = Promise.withResolvers<ConvertedCut>();
  readonly #released = Promise.withResolvers<void>();
  #failed = false;

  constructor(source: CutSource, uploads: FileUploads) {
    this.#source = source;
    this.#uploads = uploads;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.remote = port2;
    port1.on('message', (message: FromConverter) => this.#hear(message));
    // A cut that fails before anyone awaits it is not an unhandled rejection: `result` gives the error to who asks.
    this.#result.promise.catch(() => undefined);
  }

  /**
   * Resolves when all files are handed over; rejects with the first thing that went wrong on either side. In either case
   * the source is done with: it holds no file and no memory any more.
   */
  get result(): Promise<ConvertedCut> {
    return this.#result.promise;
  }

  /** Resolves when the converter has nothing more to do with it; never rejects. */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  /** Fails the cut; the converter stops at the next thing that it asks. */
  stop(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#say({ kind: 'stop' });
    this.#leaveSource().then(() => this.#result.reject(error), this.#fail);
  }

  /** The converter is gone, or done. */
  close(error: unknown): void {
    this.stop(error);
    this.#port.close();
    this.#released.resolve();
  }

  #hear(message: FromConverter): void {
    switch (message.kind) {
      case 'more':
        this.#reading = this.#reading.then(() => this.#answer(message.walk, message.buffer)).catch(this.#fail);
        return;
      case 'open': {
        const writer = this.#uploads.open(message.what);
        this.#files.set(message.file, {
          writer,
          last: writer.then(() => undefined).catch(this.#fail),
          before: undefined,
        });
        return;
      }
      case 'piece':
        this.#of(message.file, async (writer, open) => {
          const { buffer, bytes } = message.piece;
          await writer.write(new Uint8Array(buffer, 0, bytes));
          this.#say({ kind: 'taken' });
          // The store may look at a piece until the one after it is taken.
          this.#giveBack(open.before);
          open.before = buffer;
        });
        return;
      case 'end':
        this.#of(message.file, async (writer, open) => {
          await writer.end(message.contents);
          this.#files.delete(message.file);
          writer.settled.then(() => this.#giveBack(open.before), this.#fail);
        });
        return;
      case 'done':
        this.#finish(message.cut);
        return;
      case 'failed':
        this.close(new Error(message.message));
    }
  }

  readonly #fail = (error: unknown): void => this.stop(error);

  #of(file: number, use: (writer: FileUpload, open: OpenFile) => Promise<void>): void {
    const open = this.#files.get(file)!;
    open.last = open.last.then(async () => (this.#failed ? undefined : use(await open.writer, open))).catch(this.#fail);
  }

  #giveBack(buffer: ArrayBuffer | undefined): void {
    if (buffer !== undefined) this.#say({ kind: 'spare', buffer }, [buffer]);
  }

  #finish(cut: ConvertedCut): void {
    this.#port.close();
    this.#released.resolve();
    const handedOver = [...this.#files.values()].map(({ last }) => last);
    Promise.all([...handedOver, this.#leaveSource()]).then(() => {
      if (!this.#failed) this.#result.resolve(cut);
    }, this.#fail);
  }

  /** Ends the walk that is under way, once the reads that were asked for are through; never rejects. */
  #leaveSource(): Promise<void> {
    this.#reading = this.#reading.then(async () => void (await this.#batches?.return?.())).catch(this.#fail);
    return this.#reading;
  }

  async #answer(walk: number, used: ArrayBuffer | undefined): Promise<void> {
    if (this.#failed) return;
    if (walk !== this.#walk) {
      this.#walk = walk;
      await this.#batches?.return?.();
      this.#batches = this.#source.batches()[Symbol.asyncIterator]();
    }
    const next = await this.#batches!.next();
    const batch = next.done === true ? undefined : pack(next.value, used);
    this.#say({ kind: 'batch', walk, batch }, batch === undefined ? [] : [batch.buffer]);
  }

  #say(message: ToConverter, memory: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, memory);
  }
}

/** Copies blocks into memory that can go to another thread; the log reads into memory of its own. */
function pack(given: readonly RecordBlock[], used: ArrayBuffer | undefined): Batch {
  const bytes = given.reduce((sum, { frames }) => sum + frames.length, 0);
  const buffer = used !== undefined && used.byteLength >= bytes ? used : new ArrayBuffer(bytes);
  const target = Buffer.from(buffer);
  let at = 0;
  const blocks = given.map(({ firstSequence, count, time, frames }) => {
    at += frames.copy(target, at);
    return { firstSequence, count, time, bytes: frames.length };
  });
  return { blocks, buffer };
}
