/**
 * Follows a dump log: entries as they come, and again when their state changes. Both give an entry its end, so the newest by
 * their ends are all that has to be looked at. What moves no end is not followed: that a file was superseded or removed, or
 * dead letters were redriven. The merge or the redrive is an entry of its own.
 */
import type { LogEntry } from '../http/schemas/transfer-task-log.ts';
import { entries } from './log-query.ts';
import type { Remote } from './remote.ts';

/** How far back each look goes: a transaction may take that long, and a clock may be set back by it. */
const OVERLAP_MS = 60_000;
/** A look rarely finds more that is new. */
const PAGE_ROWS = 100;
const BY_END = { filter: {}, sort: 'end', ascending: false } as const;

export class LogFollower {
  readonly #remote: Remote;
  readonly #taskId: string;
  /** What entries looked like when they were last seen, as far back as looks go. */
  readonly #seen = new Map<number, { readonly look: string; readonly endTime: number }>();
  #newest = 0;

  private constructor(remote: Remote, taskId: string) {
    this.#remote = remote;
    this.#taskId = taskId;
  }

  /** What is there by now is not news. */
  static async start(remote: Remote, taskId: string): Promise<LogFollower> {
    const follower = new LogFollower(remote, taskId);
    for await (const { endTime } of entries(remote, taskId, BY_END, 1)) follower.#newest = endTime;
    await follower.news();
    return follower;
  }

  /** What has come, or has changed its state, since the last call, oldest end first. */
  async news(): Promise<LogEntry[]> {
    const changed: LogEntry[] = [];
    let newest = this.#newest;
    for await (const entry of entries(this.#remote, this.#taskId, BY_END, Infinity, PAGE_ROWS)) {
      const { logId, endTime } = entry;
      if (endTime < this.#newest - OVERLAP_MS) break;
      newest = Math.max(newest, endTime);
      if (this.#seen.get(logId)?.look !== lookOf(entry)) changed.push(entry);
      this.saw(entry);
    }
    this.#newest = newest;
    for (const [id, { endTime }] of this.#seen) if (endTime < newest - 2 * OVERLAP_MS) this.#seen.delete(id);
    return changed.reverse();
  }

  /** An entry that was shown meanwhile: as it is now it is not news. */
  saw(entry: LogEntry): void {
    this.#seen.set(entry.logId, { look: lookOf(entry), endTime: entry.endTime });
  }
}

function lookOf({ state, givenUp }: LogEntry): string {
  return `${state} ${givenUp}`;
}
