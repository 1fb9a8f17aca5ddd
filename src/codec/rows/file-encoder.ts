/** What makes the bytes of a file of rows: CSV and Parquet. */
import type { Row } from './row-schema.ts';

export interface RowFileEncoder {
  /** Adds rows of the encoder's schema. Resolves to the bytes that are ready, which are the caller's from then on. */
  add(rows: readonly Row[]): Promise<readonly Uint8Array[]>;

  /** The rest of the file; it is whole then, also when it has no rows. The encoder is done with. */
  finish(): Promise<readonly Uint8Array[]>;
}
