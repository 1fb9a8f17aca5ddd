/**
 * The log against the bucket: walks the listing and looks each object up in the log, then the log for objects that were
 * not in the listing. What is held is one bit a row, so memory stays flat and the order of the listing does not matter.
 * What does not fit together is looked at once more before it is reported: files are delivered, merged and removed
 * meanwhile.
 *
 * An object is unaltered when its length and its entity tag are those of its row; where the store lists no tags, or
 * `contents` is asked for, it is read and its SHA-256 compared.
 */
import { createHash } from 'node:crypto';
import {
  selectLiveObjects,
  selectRowOfObject,
  selectRowsOfObjects,
  type ObjectRow,
} from '../../catalog/dump-log-walk.ts';
import { selectPlannedNames } from '../../catalog/dump-log.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { ListedObject, ObjectStore } from '../../objects/object-store.ts';
import { baseOf, isOfCut, MANIFESTS_FOLDER, planTimeOf } from '../cuts/object-name.ts';
import type { Finding, VerifySummary } from './finding.ts';
import type { RowSet } from './row-set.ts';

/** An object beside the files: dead letters and manifests. */
export interface SideObject {
  /** Undefined when the log does not tell. */
  readonly bytes: number | undefined;
  readonly checksum: string;
}

/** A part of a bucket that the task delivers to. */
export interface Place {
  readonly bucket: string;
  /** Keys begin with it: empty, or a folder with its slash. */
  readonly folder: string;
}

export interface ObjectCheck {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly taskId: string;
  /** Plans from this time on (ms) are in the log; of older ones nothing is known. */
  readonly logBegin: number;
  /** By bucket and key: what the log knows beside the files. */
  readonly sideObjects: ReadonlyMap<string, SideObject>;
  /** Read every object. */
  readonly contents: boolean;
  readonly summary: VerifySummary;
  /** Rows and side objects that the listings had: filled by `checkListing`, read by `checkUnlisted`. */
  readonly seen: RowSet;
  readonly seenSides: Set<string>;
}

const PAGE_OBJECTS = 500;
const TASK_NAME = /^[A-Za-z0-9]{19}\./;
const MANIFEST = new RegExp(`(?:^|/)${MANIFESTS_FOLDER}/([A-Za-z0-9]{19})/`);

/** The objects of one place. */
export async function* checkListing(check: ObjectCheck, place: Place): AsyncGenerator<Finding, void, undefined> {
  let page: ListedObject[] = [];
  for await (const object of check.objects.list(place.bucket, place.folder)) {
    page.push(object);
    if (page.length < PAGE_OBJECTS) continue;
    yield* checkPage(check, place, page);
    page = [];
  }
  yield* checkPage(check, place, page);
}

/** What is in the log and was in no listing. After the listings of all places. */
export async function* checkUnlisted(check: ObjectCheck): AsyncGenerator<Finding, void, undefined> {
  const { catalog, taskId, seen, objects } = check;
  for (let after = 0, more = true; more;) {
    const rows = await selectLiveObjects(catalog.reader, taskId, after, PAGE_OBJECTS);
    for (const row of rows) if (!seen.has(row.id)) yield* checkMissing(check, row);
    more = rows.length === PAGE_OBJECTS;
    after = rows.at(-1)?.id ?? after;
  }
  for (const name of check.sideObjects.keys()) {
    if (check.seenSides.has(name)) continue;
    const bucket = name.slice(0, name.indexOf('/'));
    const key = name.slice(bucket.length + 1);
    if ((await objects.head(bucket, key)) === undefined) yield missing(bucket, key);
  }
}

async function* checkPage(check: ObjectCheck, { bucket, folder }: Place, page: readonly ListedObject[]) {
  const { catalog, taskId, seen } = check;
  const keys = page.map(({ key }) => key);
  const rows = Map.groupBy(
    keys.length === 0 ? [] : await selectRowsOfObjects(catalog.reader, taskId, bucket, keys),
    ({ object_key }) => object_key,
  );
  for (const object of page) {
    const [row, ...others] = rows.get(object.key) ?? [];
    const side = check.sideObjects.get(`${bucket}/${object.key}`);
    if (row !== undefined) {
      seen.add(row.id);
      yield* checkStored(check, object, row);
      // One object, one file: a second row of the same key has no object of its own.
      for (const other of others) {
        seen.add(other.id);
        yield finding('missing', bucket, object.key, 'two rows of the log stand for one object');
      }
    } else if (side !== undefined) {
      check.seenSides.add(`${bucket}/${object.key}`);
      yield* checkBytes(check, bucket, object, side);
    } else yield* checkForeign(check, { bucket, folder }, object);
  }
}

async function* checkStored(check: ObjectCheck, object: ListedObject, row: ObjectRow) {
  if (row.removed_at !== null) {
    yield finding('foreign', row.bucket, object.key, 'a merged file stands for it, and it was removed');
    return;
  }
  // Its removal may be under way; until then nobody promises anything of it.
  if (row.superseded_at !== null) return;
  const expected = { bytes: row.bytes, checksum: row.checksum ?? '' };
  yield* checkBytes(check, row.bucket, object, expected, row.etag ?? undefined);
}

async function* checkBytes(
  { objects, summary, contents }: ObjectCheck,
  bucket: string,
  { key, bytes, etag: listed }: ListedObject,
  expected: SideObject,
  etag?: string,
) {
  summary.objects += 1;
  if (expected.bytes !== undefined && bytes !== expected.bytes) {
    yield finding('altered', bucket, key, `it has ${bytes} bytes, ${expected.bytes} were delivered`);
    return;
  }
  const known = listed !== undefined && etag !== undefined && etag !== '';
  if (known && listed !== etag) {
    yield finding('altered', bucket, key, `its entity tag is ${listed}, that of the delivery was ${etag}`);
    return;
  }
  if (known && !contents) return;
  summary.objectsRead += 1;
  const hash = createHash('sha256');
  for await (const piece of objects.read(bucket, key)) hash.update(piece);
  const found = `sha256:${hash.digest('hex')}`;
  if (found === expected.checksum) return;
  yield finding('altered', bucket, key, `its checksum is ${found}, that of the delivery was ${expected.checksum}`);
}

/** A row whose object no listing had: it may have been delivered, or merged, since the listing passed by. */
async function* checkMissing(check: ObjectCheck, { bucket, object_key: key }: ObjectRow) {
  const { catalog, objects, taskId } = check;
  const stored = await objects.head(bucket, key);
  const row = await selectRowOfObject(catalog.reader, taskId, bucket, key);
  if (row === undefined || row.superseded_at !== null) return;
  if (stored === undefined) yield missing(bucket, key);
  else yield* checkStored(check, { key, ...stored }, row);
}

/**
 * An object that no row stands for. Of another task's objects nothing is said, and where the task has no folder of its own
 * only of those that bear its name: others may use the bucket, too.
 */
async function* checkForeign(check: ObjectCheck, { bucket, folder }: Place, object: ListedObject) {
  const { catalog, objects, taskId } = check;
  const name = object.key.slice(object.key.lastIndexOf('/') + 1);
  const own = name.startsWith(`${taskId}.`);
  const manifestOf = MANIFEST.exec(object.key)?.[1] ?? taskId;
  if (!own && (folder === '' || TASK_NAME.test(name) || manifestOf !== taskId)) return;
  if (own) {
    if (planTimeOf(name) < check.logBegin) return;
    // Planned now or a moment ago: names first, since a plan that is through has its row by then.
    const planned = await selectPlannedNames(catalog.reader, taskId);
    if (planned.some((file) => isOfCut(name, baseOf(file)))) return;
    const row = await selectRowOfObject(catalog.reader, taskId, bucket, object.key);
    if (row !== undefined) {
      check.seen.add(row.id);
      yield* checkStored(check, object, row);
      return;
    }
  }
  // It may have been an upload that was given up and removed.
  if ((await objects.head(bucket, object.key)) === undefined) return;
  yield finding('foreign', bucket, object.key, 'no row of the log stands for it');
}

function missing(bucket: string, key: string): Finding {
  return finding('missing', bucket, key, 'not in the bucket');
}

function finding(kind: Finding['kind'], bucket: string, key: string, detail: string): Finding {
  return { kind, bucket, key, detail };
}
