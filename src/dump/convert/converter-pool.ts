/**
 * Converters, started when there is work for them. Each works on a few cuts at a time, so that one whose files are slow
 * to store does not hold up the others; further cuts wait for their turn.
 */
import { Gate } from '../../platform/gate.ts';
import type { CutSource, CutToWrite } from '../cuts/cut.ts';
import type { ConversionLimits, ConvertedCut, Converters } from './conversion.ts';
import { ConverterThread } from './converter-thread.ts';
import type { FileUploads } from './file-sink.ts';

export interface ConverterPoolOptions {
  /** Threads at the most. */
  readonly threads: number;
  readonly limits: ConversionLimits;
  /** Makes a thread; for tests. */
  readonly start?: () => ConverterThread;
}

const CUTS_PER_THREAD = 3;

export class ConverterPool implements Converters {
  readonly #options: ConverterPoolOptions;
  readonly #places: Gate;
  #threads: ConverterThread[] = [];
  #closed = false;

  constructor(options: ConverterPoolOptions) {
    this.#options = options;
    this.#places = new Gate(options.threads * CUTS_PER_THREAD);
  }

  async convert(cut: CutToWrite, source: CutSource, uploads: FileUploads, signal: AbortSignal): Promise<ConvertedCut> {
    const { settings, partition, createdAt, columns } = cut;
    const limits =
      cut.whole === true ? { ...this.#options.limits, paths: Infinity, records: Infinity } : this.#options.limits;
    await this.#places.enter();
    let link;
    try {
      signal.throwIfAborted();
      link = this.#thread().start({ settings, partition, createdAt, columns, limits }, source, uploads);
    } catch (error) {
      this.#places.leave();
      throw error;
    }
    const { result, released } = link;
    const abort = () => link.stop(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await result;
    } finally {
      signal.removeEventListener('abort', abort);
      // A stopped converter may still be busy; the place is free when it is not.
      released.then(
        () => this.#places.leave(),
        () => undefined,
      );
    }
  }

  /** Ends the threads; cuts that are under way fail. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.splice(0).map((thread) => thread.close()));
  }

  /** The one with the least to do; a new one while there may be more and all have something to do. */
  #thread(): ConverterThread {
    if (this.#closed) throw new Error('the converters are closed');
    this.#threads = this.#threads.filter(({ dead }) => !dead);
    const [least] = this.#threads.toSorted((a, b) => a.load - b.load);
    if (least !== undefined && (least.load === 0 || this.#threads.length >= this.#options.threads)) return least;
    const thread = this.#options.start?.() ?? new ConverterThread();
    this.#threads.push(thread);
    return thread;
  }
}
