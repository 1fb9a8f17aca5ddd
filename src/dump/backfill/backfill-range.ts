/**
 * What a backfill is to deliver: for each partition that takes part a range of sequence numbers, made of two points that
 * are times of arrival or sequence numbers. What is not kept any more is left out, and told.
 */
import { DomainError } from '../../model/errors.ts';
import { formatPartitionId, parsePartitionId } from '../../model/partition-id.ts';
import type { PartitionRef, Stream } from '../../model/stream.ts';
import type { Clock } from '../../platform/clock.ts';
import type { RecordLog } from '../../recordlog/record-log.ts';
import { retentionStart, validBounds } from '../../streams/valid-bounds.ts';

/** One of the two; null says nothing, as absent does. */
export interface BackfillPoint {
  /** Time of arrival in ms. */
  readonly timestamp?: number | null;
  /** By partition, in either spelling. */
  readonly sequence_numbers?: Readonly<Record<string, string>> | null;
}

export interface BackfillPoints {
  /** Inclusive; absent: the oldest record that is kept. */
  readonly from?: BackfillPoint | null;
  /** Exclusive; absent: the end of each partition as it is now. */
  readonly to?: BackfillPoint | null;
}

export interface BackfillRange {
  readonly ref: PartitionRef;
  readonly from: number;
  /** Exclusive, at least `from`. */
  readonly to: number;
  /** Records that were asked for have expired, or by their time may have: the range begins behind them. */
  readonly truncated: boolean;
}

export interface RangeParts {
  readonly recordLog: RecordLog;
  readonly clock: Clock;
}

/** A point once it is checked. */
interface Point {
  readonly time: number | undefined;
  /** By partition. */
  readonly numbers: ReadonlyMap<number, number> | undefined;
}

const SEQUENCE_NUMBER = /^\d{1,16}$/;

/**
 * In order of partition. Where a point has sequence numbers, only the partitions that it or the other one names take part; a
 * partition that one of them does not name is without a limit on that side. Throws InvalidBody, InvalidPartitionId and
 * PartitionNotFound.
 */
export async function findRanges(
  { recordLog, clock }: RangeParts,
  stream: Stream,
  points: BackfillPoints,
): Promise<BackfillRange[]> {
  const from = readPoint('from', points.from);
  const to = readPoint('to', points.to);
  if ((from.time ?? 0) > (to.time ?? Infinity)) refuse('from', 'must not be after to');
  const named = [...(from.numbers?.keys() ?? []), ...(to.numbers?.keys() ?? [])];
  const partitions = named.length === 0 ? stream.partitions : partitionsOf(stream, new Set(named));
  const kept = retentionStart(stream, clock);

  return Promise.all(
    partitions.map(async ({ ref }) => {
      const { first, next } = await validBounds(recordLog, clock, stream, ref);
      const within = (sequence: number) => Math.min(Math.max(sequence, first), next);
      const wanted = from.numbers?.get(ref.partition);
      const limit = to.numbers?.get(ref.partition);
      if ((wanted ?? 0) > (limit ?? Infinity)) refuse(`from.sequence_numbers.${ref.partition}`, 'must not be after to');
      const begin = await sequenceOf(recordLog, ref, wanted, from.time, first);
      const end = await sequenceOf(recordLog, ref, limit, to.time, next);
      const asked = wanted ?? (from.time === undefined || from.time >= kept ? first : 0);
      return { ref, from: within(begin), to: Math.max(within(begin), within(end)), truncated: asked < first };
    }),
  );
}

/** Payload bytes of a range with keys and heads, to the block. */
export async function measureRange(recordLog: RecordLog, { ref, from, to }: BackfillRange): Promise<number> {
  if (from === to) return 0;
  const whole = await recordLog.measure(ref, from, Infinity);
  const behind = to >= whole.to ? 0 : (await recordLog.measure(ref, to, Infinity)).bytes;
  return Math.max(0, whole.bytes - behind);
}

/** The record at which a point is: its number, the first one of its time, or else `otherwise`. */
async function sequenceOf(
  recordLog: RecordLog,
  ref: PartitionRef,
  sequence: number | undefined,
  time: number | undefined,
  otherwise: number,
): Promise<number> {
  return sequence ?? (time === undefined ? otherwise : recordLog.seek(ref, time));
}

function readPoint(member: string, point: BackfillPoint | null | undefined): Point {
  const { timestamp, sequence_numbers: numbers } = point ?? {};
  if (timestamp != null && numbers != null) refuse(member, 'must have a timestamp or sequence_numbers, not both');
  if (point != null && timestamp == null && numbers == null)
    refuse(member, 'must have a timestamp or sequence_numbers');
  if (timestamp != null && !(Number.isSafeInteger(timestamp) && timestamp >= 0)) {
    refuse(`${member}.timestamp`, 'must be milliseconds since 1970');
  }
  return { time: timestamp ?? undefined, numbers: numbers == null ? undefined : readNumbers(member, numbers) };
}

function readNumbers(member: string, given: Readonly<Record<string, string>>): Map<number, number> {
  const numbers = new Map<number, number>();
  for (const [name, text] of Object.entries(given)) {
    const partition = parsePartitionId(name);
    const where = `${member}.sequence_numbers.${formatPartitionId(partition)}`;
    if (numbers.has(partition)) refuse(where, 'is there twice');
    const sequence = SEQUENCE_NUMBER.test(text) ? Number(text) : Number.NaN;
    numbers.set(partition, Number.isSafeInteger(sequence) ? sequence : refuse(where, 'must be a sequence number'));
  }
  if (numbers.size === 0) refuse(`${member}.sequence_numbers`, 'must name a partition');
  return numbers;
}

function partitionsOf(stream: Stream, numbers: ReadonlySet<number>) {
  const known = new Map(stream.partitions.map((partition) => [partition.ref.partition, partition]));
  return [...numbers]
    .sort((a, b) => a - b)
    .map((number) => {
      const partition = known.get(number);
      if (partition === undefined) throw new DomainError('PartitionNotFound', [formatPartitionId(number)]);
      return partition;
    });
}

function refuse(member: string, reason: string): never {
  throw new DomainError('InvalidBody', [member, reason]);
}
