import type { ListedObject, ObjectStore } from '../../src/objects/object-store.ts';
/** `emptyBucket` gives the store under test and a bucket of it that holds nothing. */
export declare function testObjectStore(emptyBucket: () => Promise<{
    store: ObjectStore;
    bucket: string;
}>): void;
export declare function bodyOf(...pieces: readonly string[]): AsyncGenerator<Uint8Array>;
export declare function readAll(store: ObjectStore, bucket: string, key: string): Promise<Buffer>;
export declare function listAll(store: ObjectStore, bucket: string, prefix?: string): Promise<ListedObject[]>;
export declare function refused(error: unknown): boolean;
export declare function noBucket(error: unknown): boolean;
/** Bytes that differ at every place where two blocks could be mixed up. */
export declare function noise(bytes: number): Buffer;
/** Pieces from one byte to some megabytes, each overwritten once the next one is asked for. */
export declare function inOddPieces(bytes: Buffer): AsyncGenerator<Uint8Array>;
