/**
 * Proves the delivery of a task: its log against itself, against the bucket and, where asked for, against the stream. Each
 * thing that is wrong comes as a Finding as soon as it is found; the summary is complete when the walk is over. Nothing is
 * changed, and work goes on meanwhile: what is delivered after the beginning is not looked at.
 */
import {
  selectDeadLetterRows,
  selectRowsByCut,
  selectStoredManifests,
  selectVersions,
  type CutMark,
} from '../../catalog/dump-log-walk.ts';
import { selectPositions } from '../../catalog/dump-positions.ts';
import { type DumpLogRow } from '../../catalog/dump-log.ts';
import { selectTask, type DumpTaskRow } from '../../catalog/dump-tasks.ts';
import { DomainError } from '../../model/errors.ts';
import { isId } from '../../model/ids.ts';
import type { DumpServices } from '../dump-services.ts';
import { objectKey } from '../cuts/object-name.ts';
import { parseStoredSettings, type DumpSettings } from '../settings/settings.ts';
import { checkListing, checkUnlisted, type Place, type SideObject } from './check-objects.ts';
import { checkRecords } from './check-records.ts';
import { CutChecker } from './cut-checker.ts';
import type { Finding, VerifySummary } from './finding.ts';
import { RowSet } from './row-set.ts';

export interface VerifyRequest {
  readonly projectId: string;
  readonly taskId: string;
  /** Read every object and compare its bytes. */
  readonly contents: boolean;
  /** Make the files again from the records that are still kept and compare. */
  readonly records: boolean;
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
  if (!isId(taskId)) throw new DomainError('InvalidRequest', ['task_id', 'must be 19 letters and digits']);
  const task = await selectTask(services.catalog.reader, taskId);
  if (task?.project_id !== projectId) throw new DomainError('TaskNotFound', [taskId]);
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
  const { reader } = services.catalog;
  const { signal } = request;
  const versions = new Map(
    (await selectVersions(reader, task.task_id)).map(({ version, settings }) => [
      version,
      parseStoredSettings(settings),
    ]),
  );
  for await (const finding of checkRows(services, request, task, versions, summary)) {
    summary.findings += 1;
    yield finding;
  }
  const { catalog, objectStore: objects } = services;
  const check = {
    catalog,
    objects,
    taskId: task.task_id,
    logBegin: task.log_begin ?? 0,
    sideObjects: await sideObjectsOf(services, task.task_id),
    contents: request.contents,
    summary,
    seen: new RowSet(),
    seenSides: new Set<string>(),
  };
  const listings = placesOf(versions.values()).map((place) => checkListing(check, place));
  for (const findings of [...listings, checkUnlisted(check)]) {
    for await (const finding of findings) {
      signal.throwIfAborted();
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
  const { reader } = services.catalog;
  const positions = await selectPositions(reader, task.task_id);
  const ranges = new Map(
    positions.map((row) => [row.partition, { start: row.start_position ?? undefined, end: row.position }]),
  );
  const checker = new CutChecker(ranges, summary, task.log_begin !== null);
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
    const rows: DumpLogRow[] = await selectRowsByCut(reader, task.task_id, after, PAGE_ROWS);
    for (const row of rows) checker.take(row);
    after = rows.at(-1);
    more = rows.length === PAGE_ROWS;
    if (!more) checker.finish();
    yield* await withoutPruned(services, task, checker.findings());
    yield* remake();
  }
}

/** The log may be pruned meanwhile: what it does not cover any more is no gap in it. */
async function withoutPruned({ catalog }: DumpServices, task: DumpTaskRow, findings: Finding[]): Promise<Finding[]> {
  if (!findings.some(({ kind }) => kind === 'gap')) return findings;
  const begins = new Map(
    (await selectPositions(catalog.reader, task.task_id)).map((row) => [row.partition, row.start_position ?? 0]),
  );
  return findings.filter(
    ({ kind, partition, last }) =>
      kind !== 'gap' || partition === undefined || last === undefined || last >= (begins.get(partition) ?? 0),
  );
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

async function sideObjectsOf({ catalog }: DumpServices, taskId: string): Promise<Map<string, SideObject>> {
  const objects = new Map<string, SideObject>();
  for (let after = 0, more = true; more;) {
    const rows = await selectDeadLetterRows(catalog.reader, taskId, after, PAGE_ROWS);
    for (const { bucket, dead_letter_key: key, dead_letter_bytes: bytes, dead_letter_checksum: checksum } of rows) {
      if (key !== null) objects.set(`${bucket}/${key}`, { bytes: bytes ?? 0, checksum: checksum ?? '' });
    }
    more = rows.length === PAGE_ROWS;
    after = rows.at(-1)?.id ?? after;
  }
  for (const { bucket, object_key, checksum } of await selectStoredManifests(catalog.reader, taskId)) {
    objects.set(`${bucket}/${object_key}`, { bytes: undefined, checksum: checksum ?? '' });
  }
  return objects;
}
