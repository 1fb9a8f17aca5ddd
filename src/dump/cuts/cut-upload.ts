/**
 * Stores the files of one attempt at a cut: each is an object of its own that is put while it is made, a few of them at
 * a time. The first one that fails stops the others. When `finished` has settled nothing is under way any more.
 */
import type { ObjectStore, PutResult } from '../../objects/object-store.ts';
import { Gate } from '../../platform/gate.ts';
import type { CutToWrite, WrittenDeadLetters, WrittenFile } from './cut.ts';
import type { FileContents, FileUpload, FileUploads, NewFile } from '../convert/file-sink.ts';
import { fileHeaders } from './file-headers.ts';
import { deadLetterKey, fileName, objectKey } from './object-name.ts';
import { Pipe } from './pipe.ts';

export interface UploadedFiles {
  readonly files: readonly WrittenFile[];
  readonly deadLetters: WrittenDeadLetters | undefined;
}

type CutObjects = Pick<CutToWrite, 'bucket' | 'baseName' | 'settings'>;

/** Objects of one cut that are put at the same time: many small ones would wait for one answer after the other. */
const PUTS_AT_A_TIME = 8;

const DEAD_LETTERS_TYPE = 'application/x-ndjson';

export class CutUpload implements FileUploads {
  readonly #objects: ObjectStore;
  readonly #cut: CutObjects;
  readonly #places = new Gate(PUTS_AT_A_TIME);
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #puts = new Map<Pipe, Promise<void>>();
  /** By index. */
  readonly #files: WrittenFile[] = [];
  #deadLetters: WrittenDeadLetters | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(objects: ObjectStore, cut: CutObjects, signal: AbortSignal) {
    this.#objects = objects;
    this.#cut = cut;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  async open(file: NewFile): Promise<FileUpload> {
    await this.#places.enter();
    try {
      this.#check();
    } catch (error) {
      this.#places.leave();
      throw error;
    }
    const pipe = new Pipe();
    const ended = Promise.withResolvers<FileContents>();
    const put = this.#put(file, pipe, ended.promise)
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.#puts.delete(pipe);
        this.#places.leave();
      });
    this.#puts.set(pipe, put);
    return {
      settled: put,
      write: (piece) => pipe.write(piece),
      end: async (contents) => {
        this.#check();
        ended.resolve(contents);
        pipe.end();
      },
    };
  }

  /** Stops everything that is under way, for a reason that `finished` then throws unless there is an earlier one. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#stop.abort(error);
    // A store that waits for the next piece looks at no signal, and a writer waits for the store.
    for (const pipe of this.#puts.keys()) pipe.fail(error);
  }

  /** Resolves once all that was opened is stored; rejects with what failed first, when nothing is under way any more. */
  async finished(): Promise<UploadedFiles> {
    while (this.#puts.size > 0) await Promise.all(this.#puts.values());
    this.#check();
    return { files: this.#files, deadLetters: this.#deadLetters };
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#signal.throwIfAborted();
  }

  async #put(file: NewFile, pipe: Pipe, ended: Promise<FileContents>): Promise<void> {
    const { baseName, settings } = this.#cut;
    if (file.kind === 'deadLetters') {
      const key = deadLetterKey(settings.prefix, baseName);
      const { bytes, checksum } = await this.#store(key, pipe, { contentType: DEAD_LETTERS_TYPE });
      this.#deadLetters = { key, records: (await ended).records, bytes, checksum };
      return;
    }
    const name = fileName(baseName, settings, file.index);
    const key = objectKey(settings.prefix, file.place.path, name);
    const stored = await this.#store(key, pipe, fileHeaders(settings));
    this.#files[file.index] = { fileName: name, key, ...file.place, ...(await ended), ...stored };
  }

  async #store(key: string, pipe: Pipe, headers: { contentType: string; contentEncoding?: string }) {
    const { bucket } = this.#cut;
    const stored: PutResult = await this.#objects.put(bucket, key, pipe, { ...headers, signal: this.#signal });
    // A store that stops reading before the end has half of the file, whatever it says.
    if (!pipe.drained || stored.bytes !== pipe.bytes) {
      throw new Error(`the store says ${stored.bytes} bytes where ${pipe.bytes} were sent`);
    }
    return { bytes: stored.bytes, checksum: `sha256:${stored.sha256}`, etag: stored.etag };
  }
}
