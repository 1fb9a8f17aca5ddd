/** The load, in a process of its own: it must not share an event loop with what measures it, nor with a server. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { cpuSeconds } from '../harness/machine.ts';
import type { Traffic } from './traffic.ts';

export interface LoadRun {
  /** The server's process: its CPU time is part of the result. */
  readonly pid?: number;
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
  /** CPU time of the server per record in µs; 0 when its process was not told. */
  readonly cpu: number;
}

export type LoadReply = { readonly result: Omit<LoadResult, 'cpu'> } | { readonly error: string };

export class LoadGenerator {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'load-process.ts'));

  /** Every answer of the run was right, or this rejects. */
  async run(run: LoadRun): Promise<LoadResult> {
    const cpuBefore = await cpuOf(run);
    const replied = once(this.#child, 'message') as Promise<[LoadReply]>;
    this.#child.send(run);
    const [reply] = await replied;
    if ('error' in reply) throw new Error(`load on ${run.url}: ${reply.error}`);
    const cpu = ((await cpuOf(run)) - cpuBefore) / reply.result.records;
    return { ...reply.result, cpu: cpu * 1e6 };
  }

  close(): void {
    this.#child.disconnect();
  }
}

function cpuOf({ pid }: LoadRun): Promise<number> {
  return pid === undefined ? Promise.resolve(0) : cpuSeconds(pid);
}
