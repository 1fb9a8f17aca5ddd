/**
 * Jobs that are done in the background, a few at a time, first in first out, and again after a while when they fail. What
 * has to be done is durable elsewhere: a job that is lost is found again at the next start.
 */
import type { Clock } from '../platform/clock.ts';

export interface Job {
  /** Says what the job is: of two jobs with the same key there is one. */
  readonly key: string;
  readonly taskId: string;
  /**
   * Resolves to undefined when the job is done with, or to the milliseconds after which to come back: 0 is at once, others
   * at the next `wake` that is due. Must not reject; an aborted one ends soon, whatever it resolves to.
   */
  run(signal: AbortSignal): Promise<number | undefined>;
  /** Removes what earlier runs may have left, when there is to be no further one. Must not reject. */
  abandon?(): Promise<void>;
}

export class JobQueue {
  readonly #clock: Clock;
  readonly #atATime: number;
  readonly #ready = new Map<string, Job>();
  readonly #running = new Map<Job, AbortController>();
  /** Jobs that come back, and when, on the clock's monotonic scale. */
  readonly #waiting = new Map<Job, number>();
  /** Keys of all three. */
  readonly #keys = new Set<string>();
  readonly #again = new Set<string>();
  #idle: (() => void)[] = [];
  #closed = false;

  constructor(clock: Clock, atATime: number) {
    this.#clock = clock;
    this.#atATime = atATime;
  }

  get running(): number {
    return this.#running.size;
  }

  /**
   * Adds a job and begins with it as soon as there is room. One that runs already, and may have looked before there was
   * this to do, runs once more when it is done.
   */
  add(job: Job): void {
    if (this.#closed) return;
    if (this.#keys.has(job.key)) {
      for (const { key } of this.#running.keys()) if (key === job.key) this.#again.add(key);
      return;
    }
    this.#keys.add(job.key);
    this.#ready.set(job.key, job);
    this.#pump();
  }

  /** Takes up the jobs that have waited long enough. */
  wake(): void {
    const now = this.#clock.monotonic();
    for (const [job, due] of this.#waiting) {
      if (due > now) continue;
      this.#waiting.delete(job);
      this.#ready.set(job.key, job);
    }
    this.#pump();
  }

  /** Drops the jobs of a task, and aborts those that run. Resolves when the dropped ones are abandoned. */
  async drop(taskId: string): Promise<void> {
    const dropped = [...this.#ready.values(), ...this.#waiting.keys()].filter((job) => job.taskId === taskId);
    for (const job of dropped) {
      this.#ready.delete(job.key);
      this.#waiting.delete(job);
      this.#keys.delete(job.key);
    }
    for (const [job, abort] of this.#running) {
      if (job.taskId === taskId) abort.abort(new Error('the task was deleted'));
    }
    for (const job of dropped) await job.abandon?.();
  }

  /** Lets no further job begin; resolves once none runs. */
  async drain(): Promise<void> {
    this.#closed = true;
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  abortAll(): void {
    for (const abort of this.#running.values()) abort.abort(new Error('the server is shutting down'));
  }

  #pump(): void {
    for (const job of this.#ready.values()) {
      if (this.#closed || this.#running.size >= this.#atATime) return;
      this.#ready.delete(job.key);
      const abort = new AbortController();
      this.#running.set(job, abort);
      job.run(abort.signal).then(
        (delay) => this.#ended(job, delay),
        () => this.#ended(job, undefined),
      );
    }
  }

  #ended(job: Job, delay: number | undefined): void {
    const aborted = this.#running.get(job)?.signal.aborted === true;
    this.#running.delete(job);
    const again = this.#again.delete(job.key);
    if (aborted || (delay === undefined && !again)) this.#keys.delete(job.key);
    else if (delay === undefined || delay === 0) this.#ready.set(job.key, job);
    else this.#waiting.set(job, this.#clock.monotonic() + delay);
    if (this.#running.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
    this.#pump();
  }
}
