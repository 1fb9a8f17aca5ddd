/** A converter, seen from the main thread. When it dies, the cuts that it worked on fail, and nothing else does. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CutSource } from '../cuts/cut.ts';
import type { ConversionJob } from './conversion.ts';
import { ConversionLink } from './conversion-link.ts';
import type { FileUploads } from './file-sink.ts';
import type { Begin } from './protocol.ts';

// As source the worker is TypeScript, as a published package JavaScript; like this module in both.
const CONVERTER = new URL(`./converter${extname(import.meta.filename)}`, import.meta.url);
/** Records become objects that live for a moment: room for those of some batches, so that few are moved. */
const YOUNG_MEGABYTES = 32;

export function spawnConverter(): Worker {
  return new Worker(CONVERTER, { name: 'converter', resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES } });
}

export class ConverterThread {
  readonly #worker: Worker;
  readonly #links = new Set<ConversionLink>();
  #death: Error | undefined;

  /** `worker` runs converter.ts; a test that wants to kill it brings its own. */
  constructor(worker = spawnConverter()) {
    this.#worker = worker;
    worker.on('error', (error) => this.#die(error instanceof Error ? error.message : String(error)));
    worker.on('messageerror', (error) => this.#die(`sent what cannot be read: ${error.message}`));
    worker.on('exit', (code) => this.#die(`ended with code ${code}`));
    // A cut that is under way keeps the process alive by its port.
    worker.unref();
  }

  /** Cuts that it works on. */
  get load(): number {
    return this.#links.size;
  }

  get dead(): boolean {
    return this.#death !== undefined;
  }

  start(job: ConversionJob, source: CutSource, uploads: FileUploads): ConversionLink {
    const link = new ConversionLink(source, uploads);
    if (this.#death !== undefined) {
      link.close(this.#death);
      return link;
    }
    this.#links.add(link);
    link.released.then(
      () => this.#links.delete(link),
      () => undefined,
    );
    const begin: Begin = { job, port: link.remote };
    this.#worker.postMessage(begin, [link.remote]);
    return link;
  }

  async close(): Promise<void> {
    this.#die('the server is shutting down');
    await this.#worker.terminate();
  }

  #die(cause: string): void {
    this.#death ??= new Error(`the converter stopped: ${cause}`);
    for (const link of this.#links) link.close(this.#death);
  }
}
