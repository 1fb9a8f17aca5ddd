/** Building and taking apart record batches in tests. */
import { FrameReader, frameBytes, writeFrameStart } from '../../src/model/record-batch.ts';
import type { AppendBatch, RecordBlock } from '../../src/recordlog/record-log.ts';
import type { PartitionRef } from '../../src/model/stream.ts';

export interface PlainRecord {
  readonly data: string;
  readonly key?: string;
  readonly timestamp?: number;
}

/** The records of one partition as the log takes them. */
export function batchOf(ref: PartitionRef, records: readonly PlainRecord[]): AppendBatch {
  const frames = Buffer.concat(
    records.map(({ data, key, timestamp }) => {
      const payload = Buffer.from(data);
      const keyBytes = key === undefined ? undefined : Buffer.byteLength(key);
      const frame = Buffer.alloc(frameBytes(payload.length, keyBytes, timestamp !== undefined));
      const keyAt = writeFrameStart(frame, 0, payload.length, keyBytes ?? -1, timestamp ?? -1);
      payload.copy(frame, keyAt + frame.write(key ?? '', keyAt));
      return frame;
    }),
  );
  return { ref, count: records.length, frames };
}

/** What a read returned, one entry a record. */
export function recordsOf(blocks: readonly RecordBlock[]): (PlainRecord & { sequence: number; time: number })[] {
  return blocks.flatMap(({ firstSequence, time, frames }) => {
    const reader = new FrameReader(frames);
    const records: (PlainRecord & { sequence: number; time: number })[] = [];
    for (let sequence = firstSequence; reader.next(); sequence += 1) {
      const { keyStart, keyLength, dataStart, dataLength, timestamp } = reader;
      records.push({
        sequence,
        time,
        data: frames.toString('utf8', dataStart, dataStart + dataLength),
        ...(keyLength < 0 ? {} : { key: frames.toString('utf8', keyStart, keyStart + keyLength) }),
        ...(timestamp < 0 ? {} : { timestamp }),
      });
    }
    return records;
  });
}
