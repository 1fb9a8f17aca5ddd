/**
 * Brings the registry of this node to what the catalog says, and is the only one that writes it after the start: whoever
 * changes a stream, here or on another node, writes the catalog and has the stream read from there.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Kysely } from 'kysely';
import type { Database } from '../catalog/schema.ts';
import { selectStreams } from '../catalog/streams.ts';
import type { Partition, Stream } from '../model/stream.ts';
import { CatchUp } from '../platform/catch-up.ts';
import type { Clock } from '../platform/clock.ts';
import type { RecordLog } from '../recordlog/record-log.ts';
import type { StreamRegistry } from './stream-registry.ts';

export interface StreamFollowerOptions {
  readonly db: Kysely<Database>;
  readonly registry: StreamRegistry;
  readonly recordLog: Pick<RecordLog, 'addPartitions'>;
  readonly clock: Clock;
  /** Told the number of a stream that is gone. */
  readonly onGone: (stream: number) => void;
  /** Told why streams could not be read; they are read again. */
  readonly onError: (error: unknown) => void;
}

/** Databases bound the parameters of one statement. */
const STREAMS_PER_READ = 1000;

export class StreamFollower {
  readonly #options: StreamFollowerOptions;
  /** Streams by number. A read fails, too, while the record log does not take new partitions. */
  readonly memory: CatchUp<number>;

  constructor(options: StreamFollowerOptions) {
    this.#options = options;
    const { clock, onError } = options;
    this.memory = new CatchUp({ clock, onError, read: (streams) => this.#read(streams) });
  }

  async #read(streams: readonly number[] | 'all'): Promise<void> {
    const { registry } = this.#options;
    if (streams === 'all') {
      const known = Array.from(registry.all(), ({ number }) => number);
      return this.#take(await this.#select(undefined), known);
    }
    for (let at = 0; at < streams.length; at += STREAMS_PER_READ) {
      const some = streams.slice(at, at + STREAMS_PER_READ);
      await this.#take(await this.#select(some), some);
    }
  }

  #select(numbers: readonly number[] | undefined): Promise<Stream[]> {
    return this.#options.db.transaction().execute((transaction) => selectStreams(transaction, numbers));
  }

  /** `numbers`: those of which `stored` has what there is. */
  async #take(stored: readonly Stream[], numbers: readonly number[]): Promise<void> {
    const { registry, recordLog, onGone } = this.#options;
    const gone = new Set(numbers);
    for (const stream of stored) {
      gone.delete(stream.number);
      const known = registry.byNumber(stream.number);
      // Before the registry: whoever finds a partition can write to it.
      const added = stream.partitions.slice(known?.partitions.length ?? 0);
      if (added.length > 0) await recordLog.addPartitions(added.map(({ ref }) => ref));
      const next = known === undefined ? stream : successor(known, stream);
      if (next !== known) registry.add(next);
    }
    for (const number of gone) {
      const stream = registry.byNumber(number);
      if (stream === undefined) continue;
      registry.remove(stream);
      onGone?.(number);
    }
  }
}

/** `stored`, with those parts of what was known that are the same: what is remembered of a partition goes by its object. */
function successor(known: Stream, stored: Stream): Stream {
  const partitions = stored.partitions.map((partition, index): Partition => {
    const before = known.partitions[index];
    return isDeepStrictEqual(before, partition) ? before! : partition;
  });
  const same =
    partitions.length === known.partitions.length && partitions.every((one, at) => one === known.partitions[at]);
  const next = { ...stored, partitions: same ? known.partitions : partitions };
  return isDeepStrictEqual(known, next) ? known : next;
}
