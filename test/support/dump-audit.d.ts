import type { DumpRig } from './dump-rig.ts';
export interface AuditOptions {
    /** Everything that was ever put into each partition of `orders`, by sequence number. */
    readonly put: readonly (readonly string[])[];
    /** Whether every record must be delivered, given up or too old: all is through, and nothing fails any more. */
    readonly complete: boolean;
}
/**
 * Committed and given-up ranges tile each partition up to its position; committed objects hold exactly their records;
 * names increase; counts agree; and the buckets hold the committed objects and, while files are under way, theirs.
 */
export declare function auditDump(rig: DumpRig, { put, complete }: AuditOptions): Promise<void>;
