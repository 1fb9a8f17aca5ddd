/**
 * What the main thread and a converter say to each other of one cut, over a port of its own. The converter leads: it asks
 * for records, a batch ahead, and hands over the pieces of files; `taken` tells it that one of them is on its way to the
 * store, and so bounds what is in between. The last word is `done` or `failed`, also after `stop`.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ConversionJob, ConvertedCut } from './conversion.ts';
import type { FileContents, NewFile } from './file-sink.ts';

/** The message that begins a cut; the only one that does not go over the port. */
export interface Begin {
  readonly job: ConversionJob;
  readonly port: MessagePort;
}

export type FromConverter =
  /** Asks for the next batch of walk `walk`; a number that is new begins a walk. `buffer` is given back. */
  | { readonly kind: 'more'; readonly walk: number; readonly buffer: ArrayBuffer | undefined }
  | { readonly kind: 'open'; readonly file: number; readonly what: NewFile }
  | { readonly kind: 'piece'; readonly file: number; readonly piece: Piece }
  | { readonly kind: 'end'; readonly file: number; readonly contents: FileContents }
  | { readonly kind: 'done'; readonly cut: ConvertedCut }
  | { readonly kind: 'failed'; readonly message: string };

export type ToConverter =
  | { readonly kind: 'batch'; readonly walk: number; readonly batch: Batch | undefined }
  | { readonly kind: 'taken' }
  /** Gives memory of a piece back. */
  | { readonly kind: 'spare'; readonly buffer: ArrayBuffer }
  | { readonly kind: 'stop' };

/** The first `bytes` of `buffer`. */
export interface Piece {
  readonly buffer: ArrayBuffer;
  readonly bytes: number;
}

/** Blocks of records whose frames stand one after another in `buffer`. Undefined: the walk is at its end. */
export interface Batch {
  readonly blocks: readonly BlockHead[];
  readonly buffer: ArrayBuffer;
}

export interface BlockHead {
  readonly firstSequence: number;
  readonly count: number;
  readonly time: number;
  /** Length of its frames. */
  readonly bytes: number;
}
