/**
 * The one way in which a stream that exists is changed: retention, tags, policies, partitions. Streams are immutable
 * values; a change reads the newest one, writes the catalog, and puts its successor into the registry. Changes of all
 * streams run one after another, so that none of them starts from what another has just replaced.
 */
import { DomainError } from '../model/errors.ts';
import type { Stream } from '../model/stream.ts';
import { Lane } from '../platform/lane.ts';
import type { StreamRegistry } from './stream-registry.ts';

export class StreamChanges {
  readonly #registry: StreamRegistry;
  readonly #lane = new Lane();

  constructor(registry: StreamRegistry) {
    this.#registry = registry;
  }

  /**
   * Runs `change` with the stream as it is now; what it returns, already durable, replaces the stream, and is the result.
   * Throws StreamNotFound when the stream has been deleted meanwhile, and whatever `change` throws: then nothing changes.
   */
  run(stream: Stream, change: (current: Stream) => Promise<Stream>): Promise<Stream> {
    return this.#lane.run(async () => {
      const current = this.#registry.byNumber(stream.number);
      if (current === undefined) throw new DomainError('StreamNotFound', [stream.name, stream.projectId]);
      const next = await change(current);
      if (next !== current && this.#registry.byNumber(stream.number) !== undefined) this.#registry.add(next);
      return next;
    });
  }

  /** Runs `job`, which makes or deletes a stream, when no change is under way. */
  alone<T>(job: () => Promise<T>): Promise<T> {
    return this.#lane.run(job);
  }
}
