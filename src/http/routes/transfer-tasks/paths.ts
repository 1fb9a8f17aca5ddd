/** Where dump tasks are: the Python client says `stream` where the others say `streams`. */

/** Both spellings of a path below a stream; the API description shows one of them. */
export function streamPaths(rest: string): readonly { readonly path: string; readonly hide: boolean }[] {
  return ['streams', 'stream'].map((word) => ({
    path: `/v2/:projectId/${word}/:streamName${rest}`,
    hide: word === 'stream',
  }));
}

export interface StreamParams {
  readonly projectId: string;
  readonly streamName: string;
}

export interface TaskParams extends StreamParams {
  readonly taskName: string;
}
