/** What went through a stream in a minute: what auto scaling decides by, and what the metrics count. */

export interface StreamLoad {
  /** Payload bytes of the records that were stored. */
  readonly putBytes: number;
  /** Payload bytes of the records that were read. */
  readonly getBytes: number;
  /** Puts of which at least one record was refused by flow control. */
  readonly throttledPuts: number;
}

export interface LoadSource {
  /** The load of the last whole minute (of the wall clock), through all nodes; streams that had none are missing. */
  lastMinute(streams: readonly number[]): Promise<ReadonlyMap<number, StreamLoad>>;
}
