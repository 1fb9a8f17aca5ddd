/** Where the files of a cut go while they are made, piece by piece: as a converter sees it, and as the main thread does. */
import type { Place } from '../paths/path-finder.ts';

/** `index` counts the files of a cut from 0, in the order in which their paths first appear among its records. */
export type NewFile =
  { readonly kind: 'file'; readonly index: number; readonly place: Place } | { readonly kind: 'deadLetters' };

/** What is in a file; at least one record. */
export interface FileContents {
  readonly records: number;
  /** Sequence numbers, inclusive. */
  readonly firstRecord: number;
  readonly lastRecord: number;
}

/** A file that is being made. Every method rejects once the cut has failed. */
export interface FileWriter {
  /** Takes the next piece. Its memory is the caller's again when this resolves. */
  write(piece: Uint8Array): Promise<void>;

  /** Tells that this was all. Resolves when it is known, which may be before the object is stored. */
  end(contents: FileContents): Promise<void>;
}

export interface FileSink {
  open(file: NewFile): Promise<FileWriter>;
}

/** A file on its way into the store, which works on the very memory that it is given. */
export interface FileUpload extends Pick<FileWriter, 'end'> {
  /** Takes the next piece. Its memory is the caller's again when the call after this one resolves. */
  write(piece: Uint8Array): Promise<void>;
  /** Resolves, whatever became of the file, when the store looks at no piece of it any more. */
  readonly settled: Promise<void>;
}

export interface FileUploads {
  /** Waits for its turn when many files are under way. */
  open(file: NewFile): Promise<FileUpload>;
}
