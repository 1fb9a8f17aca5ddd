import type { AppendBatch, RecordBlock } from '../../src/recordlog/record-log.ts';
import type { PartitionRef } from '../../src/model/stream.ts';
export interface PlainRecord {
    readonly data: string;
    readonly key?: string;
    readonly timestamp?: number;
}
/** The records of one partition as the log takes them. */
export declare function batchOf(ref: PartitionRef, records: readonly PlainRecord[]): AppendBatch;
/** What a read returned, one entry a record. */
export declare function recordsOf(blocks: readonly RecordBlock[]): (PlainRecord & {
    sequence: number;
    time: number;
})[];
