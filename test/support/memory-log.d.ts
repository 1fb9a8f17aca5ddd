/**
 * A record log that keeps everything in memory and follows the whole contract of RecordLog, for tests of what is built
 * on one. `damage` makes records unreadable, which no real disk does when it is asked to.
 */
import { DomainError } from '../../src/model/errors.ts';
import type { PartitionRef } from '../../src/model/stream.ts';
import type { Clock } from '../../src/platform/clock.ts';
import { type AppendBatch, type AppendOutcome, type Extent, type PartitionBounds, type RecordBlock, type RecordLog } from '../../src/recordlog/record-log.ts';
export declare class MemoryLog implements RecordLog {
    #private;
    constructor(clock: Clock);
    addPartitions(refs: readonly PartitionRef[]): void;
    append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]>;
    bounds(ref: PartitionRef): PartitionBounds;
    read(ref: PartitionRef, from: number, maxBytes: number): Promise<RecordBlock[]>;
    seek(ref: PartitionRef, time: number): Promise<number>;
    measure(ref: PartitionRef, from: number, maxBytes: number): Promise<Extent>;
    trim(ref: PartitionRef, before: number): void;
    deleteStream(stream: number): Promise<void>;
    get failure(): DomainError | undefined;
    close(): Promise<void>;
    /** Makes [from, to) unreadable from now on. */
    damage(ref: PartitionRef, from: number, to: number): void;
}
