/**
 * What the server tells Prometheus. Everything is counted where it happens, in plain numbers, and read when somebody
 * asks: the client library is loaded at the first question, so whoever is not scraped does not pay for it. No name of a
 * stream, project or user is ever a label: the page may be open to everybody.
 */
import type { Counters } from '../catalog/metric-points.ts';
import type { Durations } from './durations.ts';
import type { OperationMeter } from './request-meter.ts';

export interface PrometheusSources {
  readonly version: () => string;
  /** By operation. */
  readonly operations: ReadonlyMap<string, OperationMeter>;
  readonly traffic: Readonly<Counters>;
  readonly streams: () => { readonly streams: number; readonly partitions: number };
  /** Whether the record log takes records. */
  readonly logWritable: () => boolean;
  /** From the first byte written of a group of appends to the return of its sync. */
  readonly logSyncs: Durations;
  readonly dump: () => DumpNumbers;
}

export interface DumpNumbers {
  readonly queued: number;
  readonly uploading: number;
  readonly files: number;
  readonly records: number;
  readonly bytes: number;
  readonly failedAttempts: number;
  readonly deadLetters: number;
  readonly givenUp: number;
  /** Until the first undelivered record expires; Infinity when none waits. */
  readonly seconds: number;
  readonly tasksAtRisk: number;
  readonly tasksByState: ReadonlyMap<string, number>;
}

/** What a scrape gets. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

export class Prometheus {
  readonly #sources: PrometheusSources;
  #registry: ReturnType<typeof loadRegistry> | undefined;

  constructor(sources: PrometheusSources) {
    this.#sources = sources;
  }

  async expose(): Promise<Exposition> {
    const registry = await (this.#registry ??= loadRegistry(this.#sources));
    return { contentType: registry.contentType, text: await registry.metrics() };
  }
}

async function loadRegistry(sources: PrometheusSources) {
  const { makeRegistry } = await import('./prometheus-registry.ts');
  return makeRegistry(sources);
}
