/**
 * The minutes that were counted, kept in the catalog for seven days. What the meter has counted goes there every ten
 * seconds and at the end, so that a crash loses the last seconds at most. A question is answered with what is stored and
 * what is not stored yet, so it sees a record as soon as its put is answered.
 */
import type { Catalog } from '../catalog/catalog.ts';
import {
  addMetricPoints,
  COUNTERS,
  deleteMetricPointsBefore,
  selectMetricPoints,
  type Counters,
} from '../catalog/metric-points.ts';
import type { Clock } from '../platform/clock.ts';
import { Lane } from '../platform/lane.ts';
import { repeat, type Repetition } from '../platform/repeat.ts';
import { MINUTE_MS, minuteOf, type TrafficMeter } from './traffic-meter.ts';

export interface MetricHistoryOptions {
  readonly catalog: Catalog;
  readonly meter: TrafficMeter;
  readonly clock: Clock;
  /** Told when counts could not be stored; they are kept, and tried again with the next ones. */
  readonly onError: (error: unknown) => void;
}

/** How far back one may look. */
export const KEPT_DAYS = 7;
/** One more than in seven days: a caller who asks for exactly that is a little late when its request arrives. */
export const KEPT_MINUTES = (KEPT_DAYS * 24 * 3_600_000) / MINUTE_MS + 1;

const STORE_EVERY_MS = 10_000;
const PURGE_EVERY_MINUTES = 60;

export class MetricHistory {
  readonly #options: MetricHistoryOptions;
  /** A read must not fall between the moment in which counts are stored and that in which the meter knows. */
  readonly #lane = new Lane();
  readonly #storing: Repetition;
  #purgedAt = -Infinity;

  constructor(options: MetricHistoryOptions) {
    this.#options = options;
    this.#storing = repeat(options.clock, STORE_EVERY_MS, () => this.store(), options.onError);
  }

  /**
   * What was counted in each minute of [from, to] (minutes since 1970); a minute without traffic is missing. `partition`
   * may be WHOLE_STREAM.
   */
  read(stream: number, partition: number, from: number, to: number): Promise<Map<number, Counters>> {
    const { catalog, meter } = this.#options;
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
        await catalog.db.transaction().execute((transaction) => addMetricPoints(transaction, points));
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
