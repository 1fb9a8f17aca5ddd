/**
 * Counts what goes through each stream and partition by the minute of the wall clock. Counting is a few additions and
 * never waits: metric-history.ts takes what has been counted from time to time and stores it.
 *
 * A cell is one minute of a stream or of a partition. It remembers how much of it is stored, so that a store that fails
 * loses nothing, and stays until all of it is stored and its minute is no longer the last one.
 */
import { COUNTERS, WHOLE_STREAM, type Counters } from '../catalog/metric-points.ts';
import type { MetricPointsTable } from '../catalog/schema.ts';
import type { Partition, PartitionRef } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';

export const MINUTE_MS = 60_000;

/** What one put stored in one partition. */
export interface PutShare {
  readonly partition: Partition;
  /** Records; 0: nothing was stored there. */
  readonly count: number;
  /** Payload bytes, keys excluded. */
  readonly dataBytes: number;
}

export class TrafficMeter {
  /** Everything since the start of the process, all streams together. */
  readonly totals: Readonly<Counters>;
  readonly #totals: Counters = zeros();
  readonly #clock: Clock;
  /** By stream number. */
  readonly #streams = new Map<number, StreamTraffic>();
  readonly #unstored = new Set<Cell>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.totals = this.#totals;
  }

  /** A put that was answered: what it stored, and how many ms it took. One that stored nothing does not count as a success. */
  countPut(stream: number, shares: Iterable<PutShare>, ms: number): void {
    const traffic = this.#current(stream);
    let records = 0;
    let bytes = 0;
    for (const share of shares) {
      if (share.count === 0) continue;
      const { counted } = this.#partition(traffic, share.partition.ref.partition);
      counted.put_records += share.count;
      counted.put_bytes += share.dataBytes;
      records += share.count;
      bytes += share.dataBytes;
    }
    if (records === 0) return;
    for (const counters of [this.#whole(traffic), this.#totals]) {
      counters.put_records += records;
      counters.put_bytes += bytes;
      counters.put_requests += 1;
      counters.put_ms += ms;
    }
  }

  /** A put of which at least one record was refused by flow control. */
  countThrottledPut(stream: number): void {
    this.#whole(this.#current(stream)).put_throttled += 1;
    this.#totals.put_throttled += 1;
  }

  /** A get that was answered: its records, their payload bytes, and how many ms it took. */
  countGet({ stream, partition }: PartitionRef, records: number, bytes: number, ms: number): void {
    const traffic = this.#current(stream);
    for (const counters of [this.#whole(traffic), this.#totals]) {
      counters.get_records += records;
      counters.get_bytes += bytes;
      counters.get_requests += 1;
      counters.get_ms += ms;
    }
    if (records === 0) return;
    const { counted } = this.#partition(traffic, partition);
    counted.get_records += records;
    counted.get_bytes += bytes;
  }

  /** A get that flow control refused. */
  countThrottledGet(stream: number): void {
    this.#whole(this.#current(stream)).get_throttled += 1;
    this.#totals.get_throttled += 1;
  }

  /** A stream is gone: nothing of it is to be stored any more. */
  forget(stream: number): void {
    this.#streams.delete(stream);
    for (const cell of this.#unstored) if (cell.stream === stream) this.#unstored.delete(cell);
  }

  /** What has been counted since it was last stored, as points to be added to those that are stored. */
  unstored(): readonly Unstored[] {
    return Array.from(this.#unstored, (cell) => ({ cell, point: cell.unstored() }));
  }

  /** The same for one stream or partition and [from, to]. */
  unstoredOf(stream: number, partition: number, from: number, to: number): readonly MetricPointsTable[] {
    return [...this.#unstored]
      .filter((cell) => cell.stream === stream && cell.partition === partition)
      .filter(({ minute }) => minute >= from && minute <= to)
      .map((cell) => cell.unstored());
  }

  /** The same for whole streams in one minute. */
  unstoredIn(minute: number): readonly MetricPointsTable[] {
    return [...this.#unstored]
      .filter((cell) => cell.minute === minute && cell.partition === WHOLE_STREAM)
      .map((cell) => cell.unstored());
  }

  /** What `unstored` gave out has been stored. Lets go of what nobody needs any more. */
  stored(batch: readonly Unstored[]): void {
    const oldest = minuteOf(this.#clock.now()) - 1;
    for (const { cell, point } of batch) {
      cell.addStored(point);
      // What is counted meanwhile makes it unstored again.
      if (!cell.hasUnstored()) this.#unstored.delete(cell);
    }
    for (const [stream, traffic] of this.#streams) if (traffic.minute < oldest) this.#streams.delete(stream);
  }

  /** Gives up what could not be stored for so long that nobody could ask for it. */
  dropBefore(minute: number): void {
    for (const cell of this.#unstored) if (cell.minute < minute) this.#unstored.delete(cell);
  }

  #current(stream: number): StreamTraffic {
    const minute = minuteOf(this.#clock.now());
    const known = this.#streams.get(stream);
    if (known?.minute === minute) return known;
    const traffic = new StreamTraffic(stream, minute);
    this.#streams.set(stream, traffic);
    return traffic;
  }

  #whole({ whole }: StreamTraffic): Counters {
    this.#unstored.add(whole);
    return whole.counted;
  }

  #partition(traffic: StreamTraffic, partition: number): Cell {
    const cell = traffic.partition(partition);
    this.#unstored.add(cell);
    return cell;
  }
}

/** A part of a cell on its way to the store. */
export interface Unstored {
  readonly cell: Cell;
  readonly point: MetricPointsTable;
}

class Cell {
  readonly stream: number;
  readonly partition: number;
  readonly minute: number;
  readonly counted = zeros();
  /** How much of `counted` is stored, in whole numbers. */
  readonly #stored = zeros();

  constructor(stream: number, partition: number, minute: number) {
    this.stream = stream;
    this.partition = partition;
    this.minute = minute;
  }

  unstored(): MetricPointsTable {
    const { stream, partition, minute } = this;
    const point = { stream, partition, minute, ...zeros() };
    for (const name of COUNTERS) point[name] = Math.round(this.counted[name]) - this.#stored[name];
    return point;
  }

  hasUnstored(): boolean {
    return COUNTERS.some((name) => Math.round(this.counted[name]) !== this.#stored[name]);
  }

  addStored(point: MetricPointsTable): void {
    for (const name of COUNTERS) this.#stored[name] += point[name];
  }
}

/** The minute of a stream that is counted now. */
class StreamTraffic {
  readonly minute: number;
  readonly whole: Cell;
  readonly #partitions: (Cell | undefined)[] = [];

  constructor(stream: number, minute: number) {
    this.minute = minute;
    this.whole = new Cell(stream, WHOLE_STREAM, minute);
  }

  partition(partition: number): Cell {
    return (this.#partitions[partition] ??= new Cell(this.whole.stream, partition, this.minute));
  }
}

/** The minute since 1970 of a time in ms. */
export function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS);
}

function zeros(): Counters {
  return {
    put_records: 0,
    put_bytes: 0,
    get_records: 0,
    get_bytes: 0,
    put_requests: 0,
    put_ms: 0,
    get_requests: 0,
    get_ms: 0,
    put_throttled: 0,
    get_throttled: 0,
  };
}
