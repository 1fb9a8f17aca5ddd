/** Stores planned manifests. A failure is tried again with backoff for as long as the task lives. */
import { selectManifest, setManifestStored, sumFiles, type ManifestKey } from '../../catalog/dump-manifests.ts';
import { selectPeriod } from '../../catalog/dump-periods.ts';
import { retryDelay } from '../backoff.ts';
import type { DumpParts } from '../dump-config.ts';
import { loadSettings } from '../merge/plan-merges.ts';
import type { Job } from '../job-queue.ts';
import { isResting, LOOK_MS } from '../periods/period-rules.ts';
import { taskLease } from '../tasks/lease-names.ts';
import type { DumpTask, TaskTable } from '../tasks/task-table.ts';
import { manifestBody } from './manifest-body.ts';

export interface ManifestWriterOptions {
  readonly parts: DumpParts;
  readonly tasks: TaskTable;
}

const CONTENT_TYPE = 'application/json';

export class ManifestWriter {
  readonly #options: ManifestWriterOptions;

  constructor(options: ManifestWriterOptions) {
    this.#options = options;
  }

  job(key: ManifestKey): Job {
    let failures = 0;
    const { task_id: taskId, period, number } = key;
    return {
      key: `manifest ${taskId} ${period} ${number}`,
      taskId,
      run: async (signal) => {
        const { parts, tasks } = this.#options;
        const task = tasks.get(taskId);
        if (task === undefined || parts.cluster.leases.held(taskLease(taskId)) === undefined) return undefined;
        if (isResting(task)) return LOOK_MS;
        try {
          return (await this.#store(task, key, signal)) ? undefined : LOOK_MS;
        } catch (error) {
          if (signal.aborted) return undefined;
          failures += 1;
          parts.logger.warn({ err: error, task: taskId, period, number }, 'manifest not stored');
          return retryDelay(failures, parts.config.backoff, parts.random.fraction());
        }
      },
    };
  }

  /** False, with nothing done, for a period that has become a longer one meanwhile and is open again. */
  async #store(task: DumpTask, key: ManifestKey, signal: AbortSignal): Promise<boolean> {
    const { catalog, objects, clock } = this.#options.parts;
    const row = await selectManifest(catalog.db, key);
    const period = await selectPeriod(catalog.db, task.id, key.period);
    if (row === undefined || period === undefined || row.stored_at !== null) return true;
    if (period.completed_at === null) return false;
    const { version } = await sumFiles(catalog.db, key);
    const { timeZone } = (await loadSettings(catalog.db, task.id))(version);
    const subject = {
      taskId: task.id,
      taskName: task.name,
      streamName: task.streamName,
      endsAt: period.ends_at,
      timeZone,
    };
    const body = manifestBody(catalog, subject, row);
    const stored = await objects.put(row.bucket, row.object_key, body, { contentType: CONTENT_TYPE, signal });
    await setManifestStored(catalog.db, key, {
      stored_at: clock.now(),
      checksum: `sha256:${stored.sha256}`,
      etag: stored.etag,
    });
    return true;
  }
}
