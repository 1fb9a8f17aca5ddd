/** What a verification can find wrong, and what it says in the end. */

export const FINDING_KINDS = [
  /** Records between two cuts, or between the last one and the position, that no row accounts for. */
  'gap',
  /** Records that two cuts account for. */
  'overlap',
  /** Rows whose numbers contradict each other or those of the rows they came from. */
  'count',
  /** An object of the log that is not in the store. */
  'missing',
  /** An object whose bytes are not those that were delivered. */
  'altered',
  /** An object in the task's part of the bucket that no row of the log stands for. */
  'foreign',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export interface Finding {
  readonly kind: FindingKind;
  readonly partition?: number;
  /** Sequence numbers, inclusive. */
  readonly first?: number;
  readonly last?: number;
  readonly bucket?: string;
  readonly key?: string;
  /** What was expected and what was found, for people. */
  readonly detail: string;
}

export interface VerifySummary {
  /** Ranges of the stream that the log accounts for. */
  cuts: number;
  files: number;
  /** Delivered records and their bytes, as the log has them. */
  records: number;
  bytes: number;
  deadLetters: number;
  /** Records that the log says will never be delivered: accounted for, and not delivered. */
  givenUp: number;
  /** Objects that were looked at, and those whose bytes were read. */
  objects: number;
  objectsRead: number;
  /** Cuts that were made again from the record log and compared. */
  cutsRemade: number;
  findings: number;
}
