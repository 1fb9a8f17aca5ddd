/**
 * Where dump tasks are: the Python client says `stream` where the others say `streams`, and an older generation of SDKs
 * says `v3`.
 */

/** Every spelling of a path below a stream; the API description shows the first of them. */
export function streamPaths(rest: string): readonly { readonly path: string; readonly hide: boolean }[] {
  return ['v2/:projectId/streams', 'v2/:projectId/stream', 'v3/:projectId/streams'].map((base, index) => ({
    path: `/${base}/:streamName${rest}`,
    hide: index > 0,
  }));
}

export interface StreamParams {
  readonly projectId: string;
  readonly streamName: string;
}

export interface TaskParams extends StreamParams {
  readonly taskName: string;
}
