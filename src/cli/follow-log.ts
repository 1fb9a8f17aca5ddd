/**
 * Follows a dump log: entries as they come, and again when their state changes. Whatever happens to an entry moves its end
 * to that moment, so the newest by their ends are all that has to be looked at.
 */
import { entries } from './log-query.ts';
import type { ShownEntry } from './log-table.ts';
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
  async news(): Promise<ShownEntry[]> {
    const changed: ShownEntry[] = [];
    let newest = this.#newest;
    for await (const entry of entries(this.#remote, this.#taskId, BY_END, Infinity, PAGE_ROWS)) {
      const { logId, endTime } = entry;
      if (endTime < this.#newest - OVERLAP_MS) break;
      newest = Math.max(newest, endTime);
      const look = `${entry.state} ${entry.givenUp}`;
      if (this.#seen.get(logId)?.look !== look) changed.push(entry);
      this.#seen.set(logId, { look, endTime });
    }
    this.#newest = newest;
    for (const [id, { endTime }] of this.#seen) if (endTime < newest - 2 * OVERLAP_MS) this.#seen.delete(id);
    return changed.reverse();
  }
}
