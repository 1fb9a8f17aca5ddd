import type { DumpConfig } from '../../src/dump/dump-config.ts';
import type { DumpServices } from '../../src/dump/dump-services.ts';
import { DumpEngine } from '../../src/dump/engine.ts';
import { type Limits } from '../../src/model/limits.ts';
import type { Stream } from '../../src/model/stream.ts';
import type { Random } from '../../src/platform/random.ts';
import { StreamRegistry } from '../../src/streams/stream-registry.ts';
import { type TestCatalog } from './catalog.ts';
import { FaultyStore } from './faulty-store.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryLog } from './memory-log.ts';
export declare const PROJECT = "0123456789abcdef0123456789abcdef";
export declare const LIMITS: Limits;
export interface RigOptions {
    readonly partitions?: number;
    readonly seed?: number;
    readonly config?: Partial<DumpConfig>;
    readonly limits?: Partial<Limits>;
}
export declare class DumpRig {
    #private;
    readonly clock: ManualClock;
    readonly log: MemoryLog;
    readonly registry: StreamRegistry;
    readonly catalog: TestCatalog;
    readonly store: FaultyStore;
    readonly random: Random;
    readonly config: DumpConfig;
    readonly limits: Limits;
    /** Messages of warnings and errors. */
    readonly complaints: string[];
    private constructor();
    static open(options?: RigOptions): Promise<DumpRig>;
    /** The stream that every rig has, `orders`. */
    get stream(): Stream;
    get engine(): DumpEngine;
    get services(): DumpServices;
    addStream(name: string, partitions: number, projectId?: string): Promise<Stream>;
    /** Appends one block of records to a partition of `orders`. */
    put(partition: number, ...records: readonly string[]): Promise<void>;
    start(): Promise<void>;
    /** Ends the engine as a power cut does, and starts another one. */
    crash(): Promise<void>;
    /** Moves time on, a second at a time, and lets the engine do what there is to do. */
    advance(ms: number): Promise<void>;
    /** Resolves when the engine has nothing to do but to wait for the clock or for a put that hangs. */
    settle(): Promise<void>;
    /** The dump log, in the order in which its rows were made. */
    rows(): Promise<{
        cause: string | null;
        created_at: number;
        id: number;
        start_time: number;
        end_time: number;
        state: number;
        records: number;
        read_records: number;
        bytes: number;
        partition: number;
        task_id: string;
        task_version: number;
        first_sequence: number;
        next_sequence: number;
        file_name: string;
        bucket: string;
        object_key: string;
        checksum: string | null;
        etag: string | null;
        attempt: number;
        error_code: string | null;
        given_up: number;
    }[]>;
    positions(): Promise<{
        partition: number;
        task_id: string;
        position: number;
        waiting_since: number;
        last_name_time: number;
        last_transfer_at: number | null;
        discarded: number;
    }[]>;
    object(bucket: string, key: string): Promise<string>;
    keys(bucket: string): Promise<string[]>;
    [Symbol.asyncDispose](): Promise<void>;
}
