import type { ListedObject, ObjectStore, PutOptions, StoredObject } from '../../src/objects/object-store.ts';
/**
 * What becomes of a put: `before`: refused at once; `midway`: refused after the first piece; `after`: stored whole, but
 * the answer is lost; `hang`: nothing happens until it is aborted.
 */
export type Fault = 'none' | 'before' | 'midway' | 'after' | 'hang';
export declare class FaultyStore implements ObjectStore {
    #private;
    /** Faults of the next puts, one each; then there are none. */
    readonly faults: Fault[];
    /** As long as it is set, every put has it. */
    always: Fault | undefined;
    failDeletes: boolean;
    /** Puts that hang at the moment. */
    hanging: number;
    puts: number;
    constructor(store: ObjectStore);
    checkBucket(bucket: string): Promise<void>;
    put(bucket: string, key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredObject>;
    head(bucket: string, key: string): Promise<StoredObject | undefined>;
    read(bucket: string, key: string): AsyncIterable<Uint8Array>;
    list(bucket: string, prefix: string): AsyncIterable<ListedObject>;
    delete(bucket: string, key: string): Promise<void>;
    close(): Promise<void>;
}
