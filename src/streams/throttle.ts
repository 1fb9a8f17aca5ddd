/**
 * The throughput that the cloud service gives each partition, for those who want to test against it
 * (`limits.profile: dis`). A bucket holds one second's worth of bytes and records and fills up continuously.
 */
import { READ_BANDWIDTH, WRITE_BANDWIDTH, type Bandwidth } from '../model/bandwidth.ts';
import type { Partition, Stream } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';

interface Bucket {
  bytes: number;
  records: number;
  filledAt: number;
}

export class Throttle {
  readonly #clock: Clock;
  readonly #writes = new WeakMap<Partition, Bucket>();
  readonly #reads = new WeakMap<Partition, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes a record of `bytes` out of the partition's allowance; false when it does not fit now. */
  admitWrite(stream: Stream, partition: Partition, bytes: number): boolean {
    const bucket = this.#filled(this.#writes, partition, WRITE_BANDWIDTH[stream.type]);
    if (bucket.records < 1 || bucket.bytes < bytes) return false;
    bucket.records -= 1;
    bucket.bytes -= bytes;
    return true;
  }

  /**
   * Takes a read of `bytes` out of the partition's allowance; false when nothing of it is left. A read may overdraw it,
   * since only the answer shows how much it is; ask with 0 before reading, to save the work of an answer that is refused.
   */
  admitRead(stream: Stream, partition: Partition, bytes: number): boolean {
    const bucket = this.#filled(this.#reads, partition, READ_BANDWIDTH[stream.type]);
    if (bucket.bytes <= 0) return false;
    bucket.bytes -= bytes;
    return true;
  }

  #filled(buckets: WeakMap<Partition, Bucket>, partition: Partition, rate: Bandwidth): Bucket {
    const now = this.#clock.monotonic();
    const bucket = buckets.get(partition) ?? { ...rate, filledAt: now };
    buckets.set(partition, bucket);
    const seconds = (now - bucket.filledAt) / 1000;
    if (seconds > 0) {
      bucket.bytes = Math.min(rate.bytes, bucket.bytes + seconds * rate.bytes);
      bucket.records = Math.min(rate.records, bucket.records + seconds * rate.records);
      bucket.filledAt = now;
    }
    return bucket;
  }
}
