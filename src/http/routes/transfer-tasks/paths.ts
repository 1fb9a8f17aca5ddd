/** Where dump tasks are: the Python client says `stream` where the others say `streams`. */

/** Both spellings of a path below a stream. */
export function streamPaths(rest: string): readonly string[] {
  return ['streams', 'stream'].map((word) => `/v2/:projectId/${word}/:streamName${rest}`);
}

export interface StreamParams {
  readonly projectId: string;
  readonly streamName: string;
}

export interface TaskParams extends StreamParams {
  readonly taskName: string;
}
