import type { Catalog } from '../../src/catalog/catalog.ts';
export interface TestCatalog extends Catalog {
    /** The folder; the catalog is `catalog.db` in it. */
    readonly folder: string;
    /** A second look at the same file, as after a restart; close it before this one. */
    reopen(): Promise<Catalog>;
    /** The same as `close`, for `await using`. */
    [Symbol.asyncDispose](): Promise<void>;
}
export declare function openTestCatalog(): Promise<TestCatalog>;
