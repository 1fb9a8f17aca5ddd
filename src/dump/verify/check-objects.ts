/**
 * The log against the bucket: walks the listing and looks each object up in the log, then the log for objects that were
 * not in the listing. What is held is one bit a row and a few characters a manifest, and the order of the listing does not
 * matter. What does not fit together is looked at once more before it is reported: files are delivered, merged, removed,
 * and forgotten by the log meanwhile.
 *
 * An object is unaltered when its length and its entity tag are those of its row; where the store lists no tags, or
 * `contents` is asked for, it is read and its SHA-256 compared.
 */
import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import { selectFilteredAfter } from '../../catalog/dump-log-filters.ts';
import {
  selectDeadLettersOfPlans,
  selectLiveObjects,
  selectManifestsOfObjects,
  selectRowOfObject,
  selectRowsOfObjects,
  selectStoredManifests,
  type CutMark,
  type DeadLetterRow,
  type ManifestRow,
  type ObjectRow,
} from '../../catalog/dump-log-walk.ts';
import { selectPlannedNames } from '../../catalog/dump-log.ts';
import type { Database } from '../../catalog/schema.ts';
import { isDomainError } from '../../model/errors.ts';
import type { ListedObject, ObjectStore } from '../../objects/object-store.ts';
import { baseOf, isOfCut, planTimeOf, taskOfManifest } from '../cuts/object-name.ts';
import { selectLogBegin } from './doubt.ts';
import type { Finding, VerifySummary } from './finding.ts';
import { RowSet } from './row-set.ts';

/** A part of a bucket that the task delivers to. */
export interface Place {
  readonly bucket: string;
  /** Keys begin with it: empty, or a folder with its slash. */
  readonly folder: string;
}

/** What the listings had: filled by `checkListing`, read by `checkUnlisted`. */
export class SeenObjects {
  /** Rows whose files were there. */
  readonly files = new RowSet();
  /** Rows whose dead letters were there. */
  readonly deadLetters = new RowSet();
  /** Periods and numbers. */
  readonly manifests = new Set<string>();
}

export interface ObjectCheck {
  /** Reads the log. */
  readonly db: Kysely<Database>;
  readonly objects: ObjectStore;
  readonly taskId: string;
  /** Plans before this time (ms) were not in the log any more when the verification began: of those nothing is known. */
  readonly logBegin: number;
  /** Read every object. */
  readonly contents: boolean;
  readonly summary: VerifySummary;
  readonly seen: SeenObjects;
  /** Ends the check; it then throws the signal's reason. */
  readonly signal: AbortSignal;
}

/** What an object has to be. */
interface Expected {
  /** Undefined when the log does not tell. */
  readonly bytes: number | undefined;
  readonly checksum: string;
  /** Undefined when the log does not tell. */
  readonly etag: string | undefined;
}

/** What the log knows of a key: rows of files, or else dead letters or a manifest. */
interface Known {
  readonly rows: readonly ObjectRow[];
  readonly deadLetters: DeadLetterRow | undefined;
  readonly manifest: ManifestRow | undefined;
}

type Findings<Result = void> = AsyncGenerator<Finding, Result, undefined>;

const PAGE_OBJECTS = 500;
const TASK_NAME = /^[A-Za-z0-9]{19}\./;

/** The objects of one place. */
export async function* checkListing(check: ObjectCheck, place: Place): Findings {
  let page: ListedObject[] = [];
  for await (const object of check.objects.list(place.bucket, place.folder)) {
    check.signal.throwIfAborted();
    page.push(object);
    if (page.length < PAGE_OBJECTS) continue;
    yield* checkPage(check, place, page);
    page = [];
  }
  yield* checkPage(check, place, page);
}

/** What is in the log and was in no listing. After the listings of all places. */
export async function* checkUnlisted(check: ObjectCheck): Findings {
  const { db, taskId, seen, signal } = check;
  for (let after = 0, more = true; more;) {
    signal.throwIfAborted();
    const rows = await selectLiveObjects(db, taskId, after, PAGE_OBJECTS);
    for (const row of rows) if (!seen.files.has(row.id)) yield* checkMissing(check, row);
    more = rows.length === PAGE_OBJECTS;
    after = rows.at(-1)?.id ?? after;
  }
  const withDeadLetters = { taskId, filter: { deadLetters: true } };
  for (let after: CutMark | undefined, more = true; more;) {
    signal.throwIfAborted();
    const rows = await selectFilteredAfter(db, withDeadLetters, after, PAGE_OBJECTS);
    for (const row of rows) {
      if (!seen.deadLetters.has(row.id) && row.dead_letter_key !== null) {
        yield* checkPresent(check, row.bucket, row.dead_letter_key);
      }
    }
    more = rows.length === PAGE_OBJECTS;
    after = rows.at(-1);
  }
  for (let after: ManifestRow | undefined, more = true; more;) {
    signal.throwIfAborted();
    const rows = await selectStoredManifests(db, taskId, after, PAGE_OBJECTS);
    for (const row of rows) {
      if (!seen.manifests.has(nameOfManifest(row))) yield* checkPresent(check, row.bucket, row.object_key);
    }
    more = rows.length === PAGE_OBJECTS;
    after = rows.at(-1);
  }
}

async function* checkPage(check: ObjectCheck, place: Place, page: readonly ListedObject[]): Findings {
  const keys = page.map(({ key }) => key);
  const found = await lookUp(check, place.bucket, keys);
  for (const object of page) {
    check.signal.throwIfAborted();
    const known = found.get(object.key);
    if (known === undefined) yield* checkForeign(check, place, object);
    else yield* checkKnown(check, place.bucket, object, known);
  }
}

/** What the log knows of these keys; those of which it knows nothing are left out. */
async function lookUp(
  { db, taskId }: ObjectCheck,
  bucket: string,
  keys: readonly string[],
): Promise<Map<string, Known>> {
  const rows = Map.groupBy(await selectRowsOfObjects(db, taskId, bucket, keys), ({ object_key }) => object_key);
  const others = keys.filter((key) => !rows.has(key));
  const own = others.map(nameOf).filter((name) => name.startsWith(`${taskId}.`));
  const times = [...new Set(own.map(planTimeOf).filter(Number.isSafeInteger))];
  const deadLetters = new Map(
    (await selectDeadLettersOfPlans(db, taskId, times))
      .filter((row) => row.bucket === bucket)
      .map((row) => [row.dead_letter_key, row]),
  );
  const manifests = new Map(
    (
      await selectManifestsOfObjects(
        db,
        taskId,
        bucket,
        others.filter((key) => taskOfManifest(key) !== undefined),
      )
    ).map((row) => [row.object_key, row]),
  );
  const found = new Map<string, Known>();
  for (const key of keys) {
    const known = { rows: rows.get(key) ?? [], deadLetters: deadLetters.get(key), manifest: manifests.get(key) };
    if (known.rows.length > 0 || known.deadLetters !== undefined || known.manifest !== undefined) found.set(key, known);
  }
  return found;
}

async function* checkKnown(check: ObjectCheck, bucket: string, object: ListedObject, known: Known): Findings {
  const { seen } = check;
  const {
    rows: [row, ...others],
    deadLetters,
    manifest,
  } = known;
  if (row !== undefined) {
    seen.files.add(row.id);
    yield* checkStored(check, object, row);
    // One object, one file: a second row of the same key has no object of its own.
    for (const other of others) {
      seen.files.add(other.id);
      yield finding('missing', bucket, object.key, 'two rows of the log stand for one object');
    }
    return;
  }
  let expected: Expected | undefined;
  if (deadLetters !== undefined) {
    seen.deadLetters.add(deadLetters.id);
    const { dead_letter_bytes: bytes, dead_letter_checksum: checksum } = deadLetters;
    expected = { bytes: bytes ?? 0, checksum: checksum ?? '', etag: undefined };
  } else if (manifest !== undefined) {
    // Nothing is promised of one that is being stored.
    if (manifest.stored_at === null) return;
    seen.manifests.add(nameOfManifest(manifest));
    expected = { bytes: undefined, checksum: manifest.checksum ?? '', etag: undefined };
  }
  if (expected === undefined) return;
  if (yield* checkBytes(check, bucket, object, expected)) yield missing(bucket, object.key);
}

async function* checkStored(check: ObjectCheck, object: ListedObject, row: ObjectRow): Findings {
  const { bucket, bytes, checksum, etag } = row;
  if (row.removed_at !== null) {
    // It was there when the listing passed by; it may have been removed since, as it should be.
    if ((await check.objects.head(bucket, object.key)) === undefined) return;
    yield finding('foreign', bucket, object.key, 'a merged file stands for it, and it was removed');
    return;
  }
  // Its removal may be under way; until then nobody promises anything of it.
  if (row.superseded_at !== null) return;
  const expected = { bytes, checksum: checksum ?? '', etag: etag === null || etag === '' ? undefined : etag };
  if (yield* checkBytes(check, bucket, object, expected)) yield* checkMissing(check, row);
}

/** Whether the object was gone when it was to be read. */
async function* checkBytes(
  { objects, summary, contents, signal }: ObjectCheck,
  bucket: string,
  { key, bytes, etag: listed }: ListedObject,
  expected: Expected,
): Findings<boolean> {
  summary.objects += 1;
  if (expected.bytes !== undefined && bytes !== expected.bytes) {
    yield finding('altered', bucket, key, `it has ${bytes} bytes, ${expected.bytes} were delivered`);
    return false;
  }
  const { etag } = expected;
  const known = listed !== undefined && etag !== undefined;
  if (known && listed !== etag) {
    yield finding('altered', bucket, key, `its entity tag is ${listed}, that of the delivery was ${etag}`);
    return false;
  }
  if (known && !contents) return false;
  const hash = createHash('sha256');
  try {
    for await (const piece of objects.read(bucket, key)) {
      signal.throwIfAborted();
      hash.update(piece);
    }
  } catch (error) {
    if (!isDomainError(error, 'ObjectStoreRefused')) throw error;
    if ((await objects.head(bucket, key)) === undefined) return true;
    throw error;
  }
  summary.objectsRead += 1;
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== expected.checksum) {
    yield finding('altered', bucket, key, `its checksum is ${found}, that of the delivery was ${expected.checksum}`);
  }
  return false;
}

/** A row whose object no listing had: it may have been delivered, or merged, since the listing passed by. */
async function* checkMissing(check: ObjectCheck, { bucket, object_key: key }: ObjectRow): Findings {
  const { db, objects, taskId, signal } = check;
  signal.throwIfAborted();
  const stored = await objects.head(bucket, key);
  const row = await selectRowOfObject(db, taskId, bucket, key);
  if (row === undefined || row.superseded_at !== null) return;
  if (stored === undefined) yield missing(bucket, key);
  else yield* checkStored(check, { key, ...stored }, row);
}

/** Dead letters or a manifest that no listing had; such an object is never removed. */
async function* checkPresent({ objects, signal }: ObjectCheck, bucket: string, key: string): Findings {
  signal.throwIfAborted();
  if ((await objects.head(bucket, key)) === undefined) yield missing(bucket, key);
}

/**
 * An object that the log does not know. Of another task's objects nothing is said, and where the task has no folder of its own
 * only of those that bear its name: others may use the bucket, too.
 */
async function* checkForeign(check: ObjectCheck, { bucket, folder }: Place, object: ListedObject): Findings {
  const { db, objects, taskId } = check;
  const name = nameOf(object.key);
  const own = name.startsWith(`${taskId}.`);
  const manifestOf = taskOfManifest(object.key) ?? taskId;
  if (!own && (folder === '' || TASK_NAME.test(name) || manifestOf !== taskId)) return;
  if (own && planTimeOf(name) < check.logBegin) return;
  // Planned now or a moment ago: names first, since a plan that is through has its row by then.
  const planned = own ? await selectPlannedNames(db, taskId) : [];
  if (planned.some((file) => isOfCut(name, baseOf(file)))) return;
  const known = (await lookUp(check, bucket, [object.key])).get(object.key);
  if (known !== undefined) {
    yield* checkKnown(check, bucket, object, known);
    return;
  }
  // Its row may have been pruned a moment ago.
  if (own && planTimeOf(name) < (await selectLogBegin(db, taskId))) return;
  // It may have been an upload that was given up and removed.
  if ((await objects.head(bucket, object.key)) === undefined) return;
  yield finding('foreign', bucket, object.key, 'no row of the log stands for it');
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

function nameOfManifest({ period, number }: ManifestRow): string {
  return `${period}.${number}`;
}

function missing(bucket: string, key: string): Finding {
  return finding('missing', bucket, key, 'not in the bucket');
}

function finding(kind: Finding['kind'], bucket: string, key: string, detail: string): Finding {
  return { kind, bucket, key, detail };
}
