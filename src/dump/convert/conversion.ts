/** What a converter does. What it is told and what it answers is plain data, which goes from thread to thread. */
import type { CutSource, CutToWrite } from '../cuts/cut.ts';
import type { DumpSettings } from '../settings/settings.ts';
import type { FileUploads } from './file-sink.ts';

export interface ConversionJob {
  readonly settings: DumpSettings;
  readonly partition: number;
  /** Time of the plan in ms. */
  readonly createdAt: number;
  /** See CutToWrite. */
  readonly columns: string | undefined;
  readonly limits: ConversionLimits;
}

export interface ConversionLimits {
  /** Paths of one cut: it ends before a record that belongs to one more. */
  readonly paths: number;
  /** Records whose path is remembered: a cut whose records say where they belong has no more. */
  readonly records: number;
  /** Bytes of records that are held to be sorted by path. */
  readonly heldBytes: number;
}

/** As a server has them. */
export const CONVERSION_LIMITS = { records: 4 * 1024 * 1024, heldBytes: 16 * 1024 * 1024 };

export interface ConvertedCut {
  /** See WrittenCut. */
  readonly next: number;
  readonly columns: string | undefined;
}

export interface Converters {
  /**
   * Makes the files of a cut out of `source` and hands them to `uploads`. Rejects with what these throw, with the reason of
   * `signal`, or with what the converter died of.
   */
  convert(cut: CutToWrite, source: CutSource, uploads: FileUploads, signal: AbortSignal): Promise<ConvertedCut>;
}
