/**
 * The minutes that were counted, kept in the catalog for seven days. What the meter has counted goes there every ten
 * seconds and at the end, so that a crash loses the last seconds at most. A question is answered with what is stored and
 * what is not stored yet, so it sees a record as soon as its put is answered. Where there are other nodes they are asked
 * first to store what they have counted, once a second at the most: a question may have to wait for its turn.
 */
import type { Catalog } from '../catalog/catalog.ts';
import {
  addMetricPoints,
  COUNTERS,
  deleteMetricPointsBefore,
  selectMetricPoints,
  selectStreamsInMinute,
  type Counters,
} from '../catalog/metric-points.ts';
import { lockingTransaction } from '../catalog/row-locks.ts';
import type { LoadSource, StreamLoad } from '../model/stream-load.ts';
import type { Clock } from '../platform/clock.ts';
import { Lane } from '../platform/lane.ts';
import { repeat, type Repetition } from '../platform/repeat.ts';
import { Spaced } from '../platform/spaced.ts';
import { MINUTE_MS, minuteOf, type TrafficMeter } from './traffic-meter.ts';

export interface MetricHistoryOptions {
  readonly catalog: Catalog;
  readonly meter: TrafficMeter;
  readonly clock: Clock;
  /** Resolves when the other nodes have stored what they have counted up to now; undefined: there are none. */
  readonly gather: (() => Promise<void>) | undefined;
  /** Told when counts could not be stored; they are kept, and tried again with the next ones. */
  readonly onError: (error: unknown) => void;
}

/** How far back one may look. */
export const KEPT_DAYS = 7;
/** One more than in seven days: a caller who asks for exactly that is a little late when its request arrives. */
export const KEPT_MINUTES = (KEPT_DAYS * 24 * 3_600_000) / MINUTE_MS + 1;

const STORE_EVERY_MS = 10_000;
const GATHER_EVERY_MS = 1000;
const PURGE_EVERY_MINUTES = 60;

export class MetricHistory implements LoadSource {
  readonly #options: MetricHistoryOptions;
  /** A read must not fall between the moment in which counts are stored and that in which the meter knows. */
  readonly #lane = new Lane();
  readonly #storing: Repetition;
  readonly #gathering: Spaced | undefined;
  #purgedAt = -Infinity;

  constructor(options: MetricHistoryOptions) {
    this.#options = options;
    const { clock, gather } = options;
    if (gather !== undefined) this.#gathering = new Spaced({ clock, everyMs: GATHER_EVERY_MS, job: gather });
    this.#storing = repeat(clock, STORE_EVERY_MS, () => this.store(), options.onError);
  }

  /**
   * What was counted in each minute of [from, to] (minutes since 1970); a minute without traffic is missing. `partition`
   * may be WHOLE_STREAM.
   */
  async read(stream: number, partition: number, from: number, to: number): Promise<Map<number, Counters>> {
    const { catalog, meter } = this.#options;
    await this.#gathering?.run();
    return this.#lane.run(async () => {
      const stored = await selectMetricPoints(catalog.reader, { stream, partition }, from, to);
      const minutes = new Map<number, Counters>(stored.map((point) => [point.minute, point]));
      for (const point of meter.unstoredOf(stream, partition, from, to)) {
        const known = minutes.get(point.minute);
        if (known !== undefined) for (const name of COUNTERS) point[name] += known[name];
        minutes.set(point.minute, point);
      }
      return minutes;
    });
  }

  async lastMinute(streams: readonly number[]): Promise<ReadonlyMap<number, StreamLoad>> {
    const { catalog, meter, clock } = this.#options;
    const minute = minuteOf(clock.now()) - 1;
    await this.#gathering?.run();
    return this.#lane.run(async () => {
      const loads = new Map<number, StreamLoad>();
      const stored = await selectStreamsInMinute(catalog.reader, streams, minute);
      const wanted = new Set(streams);
      const unstored = meter.unstoredIn(minute).filter(({ stream }) => wanted.has(stream));
      for (const { stream, put_bytes, get_bytes, put_throttled } of [...stored, ...unstored]) {
        const { putBytes = 0, getBytes = 0, throttledPuts = 0 } = loads.get(stream) ?? {};
        loads.set(stream, {
          putBytes: putBytes + put_bytes,
          getBytes: getBytes + get_bytes,
          throttledPuts: throttledPuts + put_throttled,
        });
      }
      return loads;
    });
  }

  /** Stores what is not stored yet, and once an hour gives up what is too old. Rejects when the catalog does. */
  store(): Promise<void> {
    const { catalog, meter, clock } = this.#options;
    return this.#lane.run(async () => {
      const now = minuteOf(clock.now());
      const oldest = now - KEPT_MINUTES;
      meter.dropBefore(oldest);
      const batch = meter.unstored();
      if (batch.length > 0) {
        const points = batch.map(({ point }) => point);
        await lockingTransaction(catalog.db).execute((transaction) => addMetricPoints(transaction, points));
      }
      meter.stored(batch);
      if (now - this.#purgedAt < PURGE_EVERY_MINUTES) return;
      await deleteMetricPointsBefore(catalog.db, oldest);
      this.#purgedAt = now;
    });
  }

  /** Stores what is left. Never rejects. */
  async close(): Promise<void> {
    await this.#storing.close();
    await this.store().catch(this.#options.onError);
  }
}
