/** The load, in a process of its own: it must not share an event loop with what measures it, nor with a server. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Traffic } from './traffic.ts';

export interface LoadRun {
  readonly url: string;
  /** Requests under way at any time, each on its own connection. */
  readonly connections: number;
  readonly traffic: Traffic;
  /** One of the two ends the run. */
  readonly seconds?: number;
  readonly requests?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly records: number;
  readonly seconds: number;
  /** Latencies in ms. */
  readonly p50: number;
  readonly p99: number;
}

export type LoadReply = { readonly result: LoadResult } | { readonly error: string };

export class LoadGenerator {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'load-process.ts'));

  /** Every answer of the run was right, or this rejects. */
  async run(run: LoadRun): Promise<LoadResult> {
    const replied = once(this.#child, 'message') as Promise<[LoadReply]>;
    this.#child.send(run);
    const [reply] = await replied;
    if ('error' in reply) throw new Error(`load on ${run.url}: ${reply.error}`);
    return reply.result;
  }

  close(): void {
    this.#child.disconnect();
  }
}
