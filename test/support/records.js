/** Building and taking apart record batches in tests. */
import { FrameReader, frameBytes, writeFrameHead } from "../../src/model/record-batch.js";
/** The records of one partition as the log takes them. */
export function batchOf(ref, records) {
    const frames = Buffer.concat(records.map(({ data, key, timestamp }) => {
        const payload = Buffer.from(data);
        const keyBytes = key === undefined ? undefined : Buffer.byteLength(key);
        const frame = Buffer.alloc(frameBytes(payload.length, keyBytes, timestamp !== undefined));
        payload.copy(frame, writeFrameHead(frame, 0, payload.length, key, keyBytes ?? 0, timestamp));
        return frame;
    }));
    return { ref, count: records.length, frames };
}
/** What a read returned, one entry a record. */
export function recordsOf(blocks) {
    return blocks.flatMap(({ firstSequence, time, frames }) => {
        const reader = new FrameReader(frames);
        const records = [];
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
//# sourceMappingURL=records.js.map