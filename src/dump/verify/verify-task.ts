/**
 * Proves the delivery of a task: its log against itself, against the bucket and, where asked for, against the stream. Each
 * thing that is wrong comes as a Finding as soon as it is found; the summary is complete when the walk is over, and tells
 * before that how far it has come. Nothing is changed, and work goes on meanwhile: what does not fit together is looked at
 * again before it is reported. Memory does not grow with the log but for a few bits a row.
 */
import { selectRowsByCut, selectVersions, type CutMark, type CutRow } from '../../catalog/dump-log-walk.ts';
import { selectPositions } from '../../catalog/dump-positions.ts';
import type { DumpTaskRow } from '../../catalog/dump-tasks.ts';
import type { DumpServices } from '../dump-services.ts';
import { objectKey } from '../cuts/object-name.ts';
import { parseStoredSettings, type DumpSettings } from '../settings/settings.ts';
import { locateTask } from '../tasks/locate-task.ts';
import { checkListing, checkUnlisted, SeenObjects, type Place } from './check-objects.ts';
import { checkRecords } from './check-records.ts';
import { checkSources } from './check-sources.ts';
import { CutChecker } from './cut-checker.ts';
import { confirmed } from './doubt.ts';
import type { Finding, VerifySummary } from './finding.ts';

export interface VerifyRequest {
  readonly projectId: string;
  readonly taskId: string;
  /** Read every object and compare its bytes. */
  readonly contents: boolean;
  /** Make the files again from the records that are still kept and compare. */
  readonly records: boolean;
  /** Ends the walk; it then throws the signal's reason. */
  readonly signal: AbortSignal;
}

export interface Verification {
  readonly task: DumpTaskRow;
  readonly summary: VerifySummary;
  readonly findings: AsyncIterable<Finding>;
}

const PAGE_ROWS = 1000;

/** Throws InvalidRequest for an id that cannot be one and TaskNotFound, also for a task of another project. */
export async function verifyTask(services: DumpServices, request: VerifyRequest): Promise<Verification> {
  const { projectId, taskId } = request;
  const task = await locateTask(services, projectId, taskId);
  const summary: VerifySummary = {
    cuts: 0,
    files: 0,
    records: 0,
    bytes: 0,
    deadLetters: 0,
    givenUp: 0,
    objects: 0,
    objectsRead: 0,
    cutsRemade: 0,
    findings: 0,
  };
  return { task, summary, findings: walk(services, request, task, summary) };
}

async function* walk(
  services: DumpServices,
  request: VerifyRequest,
  task: DumpTaskRow,
  summary: VerifySummary,
): AsyncGenerator<Finding, void, undefined> {
  const { catalog, objectStore: objects } = services;
  const { contents, signal } = request;
  const { task_id: taskId } = task;
  const versions = new Map(
    (await selectVersions(catalog.scanner, taskId)).map(({ version, settings }) => [
      version,
      parseStoredSettings(settings),
    ]),
  );
  const check = {
    db: catalog.scanner,
    objects,
    taskId,
    logBegin: task.log_begin ?? 0,
    contents,
    summary,
    seen: new SeenObjects(),
    signal,
  };
  const listings = placesOf(versions.values()).map((place) => checkListing(check, place));
  for (const findings of [checkRows(services, request, task, versions, summary), ...listings, checkUnlisted(check)]) {
    for await (const finding of findings) {
      summary.findings += 1;
      yield finding;
    }
  }
}

async function* checkRows(
  services: DumpServices,
  { records, signal }: VerifyRequest,
  task: DumpTaskRow,
  versions: ReadonlyMap<number, DumpSettings>,
  summary: VerifySummary,
): AsyncGenerator<Finding, void, undefined> {
  const { scanner } = services.catalog;
  const { task_id: taskId } = task;
  const positions = await selectPositions(scanner, [taskId]);
  const ranges = new Map(
    positions.map((row) => [row.partition, { start: row.start_position ?? undefined, end: row.position }]),
  );
  const checker = new CutChecker(ranges, summary);
  const remake = async function* () {
    for (const cut of checker.whole()) {
      const settings = versions.get(cut.plan.task_version);
      if (!records || settings === undefined) continue;
      signal.throwIfAborted();
      const ref = { stream: task.stream, partition: cut.plan.partition };
      const found = await checkRecords({ ...services.dumpEngine.parts, ref, settings, signal }, cut);
      if (found === undefined) continue;
      summary.cutsRemade += 1;
      yield* found;
    }
  };
  let after: CutMark | undefined = task.log_begin === null ? undefined : { created_at: task.log_begin, id: -1 };
  for (let more = true; more;) {
    signal.throwIfAborted();
    const rows: CutRow[] = await selectRowsByCut(scanner, taskId, after, PAGE_ROWS);
    for (const row of rows) checker.take(row);
    after = rows.at(-1);
    more = rows.length === PAGE_ROWS;
    if (!more) checker.finish();
    const doubts = [...checker.doubts(), ...(await checkSources(scanner, rows))];
    yield* await confirmed(scanner, taskId, doubts);
    yield* remake();
  }
}

/** Where the versions of the task have delivered to; a folder stands for those within it. */
function placesOf(versions: Iterable<DumpSettings>): Place[] {
  const places = [...versions].map(({ bucket, prefix }) => ({ bucket, folder: objectKey(prefix, '', '') }));
  const unique = [...new Map(places.map((place) => [`${place.bucket}/${place.folder}`, place])).values()].map(
    ({ bucket, folder }) => ({ bucket, folder: folder === '' ? '' : `${folder}/` }),
  );
  return unique.filter(
    ({ bucket, folder }) =>
      !unique.some((other) => other.bucket === bucket && other.folder !== folder && folder.startsWith(other.folder)),
  );
}
