/**
 * The two requests through which records pass, produce and fetch, with batches as the bytes that they are; everything
 * else is asked with the client's own requests. A broker of Kafka 3.0 or newer knows these versions.
 */
import { createAPI, Writer, type Reader } from '@platformatic/kafka';
import { CODE } from './error-codes.ts';

const ACKS_ALL = -1;
const CONSUMER = -1;
const READ_UNCOMMITTED = 0;

export interface ProducePart {
  readonly topic: string;
  readonly partition: number;
  /** One record batch. */
  readonly batch: Buffer;
}

export interface ProduceOutcome {
  readonly topic: string;
  readonly partition: number;
  readonly code: number;
  /** Number of the batch's first record. */
  readonly base: number;
  /** When the broker took it, in ms; -1 when the topic keeps the times of producers. */
  readonly time: number;
}

/** Answered once every replica in sync has the batches, or after `timeoutMs`. */
export const produce = createAPI<[parts: readonly ProducePart[], timeoutMs: number], ProduceOutcome[]>(
  0,
  9,
  (parts: readonly ProducePart[], timeoutMs: number) => {
    const topics = Map.groupBy(parts, ({ topic }) => topic);
    return Writer.create()
      .appendString(null)
      .appendInt16(ACKS_ALL)
      .appendInt32(timeoutMs)
      .appendArray([...topics], (writer, [topic, ofTopic]) => {
        writer.appendString(topic).appendArray(ofTopic, (inner, { partition, batch }) => {
          inner
            .appendInt32(partition)
            .appendUnsignedVarInt(batch.length + 1)
            .append(batch);
        });
      })
      .appendTaggedFields();
  },
  (_correlation, _key, _version, reader) => {
    const outcomes: ProduceOutcome[] = [];
    readEach(reader, () => {
      const topic = reader.readString();
      readEach(reader, () => {
        const partition = reader.readInt32();
        const code = reader.readInt16();
        const base = Number(reader.readInt64());
        const time = Number(reader.readInt64());
        reader.readInt64();
        readEach(reader, () => {
          reader.readInt32();
          reader.readNullableString();
          reader.readTaggedFields();
        });
        reader.readNullableString();
        reader.readTaggedFields();
        outcomes.push({ topic, partition, code, base, time });
      });
      reader.readTaggedFields();
    });
    return outcomes;
  },
);

export interface Fetched {
  readonly code: number;
  /** The number that the next record will get; -1 when `code` tells of an error. */
  readonly next: number;
  /** Record batches, the last of them perhaps cut short. */
  readonly batches: Buffer;
}

/**
 * What is there of one partition from `from` on, without waiting: batches of about `maxBytes`, at least one when there is
 * any. The first batch may begin before `from`.
 */
export const fetch = createAPI<[topic: string, partition: number, from: number, maxBytes: number], Fetched>(
  1,
  12,
  (topic: string, partition: number, from: number, maxBytes: number) =>
    Writer.create()
      .appendInt32(CONSUMER)
      .appendInt32(0)
      .appendInt32(1)
      .appendInt32(maxBytes)
      .appendInt8(READ_UNCOMMITTED)
      .appendInt32(0)
      .appendInt32(-1)
      .appendArray([topic], (writer, name) => {
        writer.appendString(name).appendArray([partition], (inner, index) => {
          inner
            .appendInt32(index)
            .appendInt32(-1)
            .appendInt64(BigInt(from))
            .appendInt32(-1)
            .appendInt64(-1n)
            .appendInt32(maxBytes);
        });
      })
      .appendArray([], () => undefined)
      .appendString('')
      .appendTaggedFields(),
  (_correlation, _key, _version, reader) => {
    reader.readInt32();
    let code = reader.readInt16();
    let next = -1;
    let batches = Buffer.alloc(0);
    reader.readInt32();
    readEach(reader, () => {
      reader.readString();
      readEach(reader, () => {
        reader.readInt32();
        const ofPartition = reader.readInt16();
        if (code === CODE.NONE) code = ofPartition;
        next = Number(reader.readInt64());
        reader.readInt64();
        reader.readInt64();
        readEach(reader, () => {
          reader.readInt64();
          reader.readInt64();
          reader.readTaggedFields();
        });
        reader.readInt32();
        const length = reader.readUnsignedVarInt() - 1;
        if (length > 0) {
          batches = reader.buffer.slice(reader.position, reader.position + length) as Buffer<ArrayBuffer>;
          reader.skip(length);
        }
        reader.readTaggedFields();
      });
      reader.readTaggedFields();
    });
    return { code, next, batches };
  },
);

/** Each element of a compact array, none for null. */
function readEach(reader: Reader, read: () => void): void {
  for (let left = reader.readUnsignedVarInt() - 1; left > 0; left -= 1) read();
}
