/** What `sluice log` asks of the server: the flags as a filter, and pages of the log. */
import type { LogEntry } from '../http/schemas/transfer-task-log.ts';
import { RemoteError } from './remote-error.ts';
import type { Remote } from './remote.ts';
import { parseTime } from './time-argument.ts';

export interface FilterFlags {
  readonly state?: readonly string[];
  readonly kind?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly partition?: string;
  readonly file?: string;
  readonly deadLetters?: boolean;
}

/** As the API takes it, in the body of a query and, as texts, in that of an export. */
export interface Filter {
  readonly state?: readonly number[];
  readonly kind?: readonly string[];
  readonly from?: number;
  readonly to?: number;
  readonly partitionId?: string;
  readonly fileName?: string;
  readonly deadLetters?: boolean;
}

/** In the words of the command line. */
export const STATES = { delivered: 0, failed: 1, planned: 2 } as const;
export const SORTS = {
  time: 'createTimeStr',
  start: 'startTime',
  end: 'endTime',
  state: 'state',
  records: 'records',
  read: 'readRecords',
  bytes: 'dataSize',
} as const;
export type Sort = keyof typeof SORTS;

/** Throws RemoteError. */
export function filterOf(flags: FilterFlags, now: number): Filter {
  const { state, kind, since, until, partition, file, deadLetters } = flags;
  return {
    ...(state === undefined ? {} : { state: state.map((word) => STATES[word as keyof typeof STATES]) }),
    ...(kind === undefined ? {} : { kind }),
    ...(since === undefined ? {} : { from: parseTime(since, now) }),
    ...(until === undefined ? {} : { to: parseTime(until, now) }),
    ...(partition === undefined ? {} : { partitionId: partition }),
    ...(file === undefined ? {} : { fileName: file }),
    ...(deadLetters === undefined ? {} : { deadLetters }),
  };
}

export interface PageQuery {
  readonly filter: Filter;
  readonly sort: Sort;
  readonly ascending: boolean;
}

const LARGEST_PAGE = 1000;

/**
 * Up to `limit` entries, page by page. A log that grows meanwhile moves entries into the next page, where they are left
 * out.
 */
export async function* entries(
  remote: Remote,
  taskId: string,
  { filter, sort, ascending }: PageQuery,
  limit = Infinity,
  pageRows = LARGEST_PAGE,
): AsyncGenerator<LogEntry, void, undefined> {
  const pageTotal = Math.min(limit, pageRows);
  let last: ReadonlySet<number> = new Set();
  let left = limit;
  for (let pageIndex = 1; left > 0; pageIndex += 1) {
    const body = {
      sortBy: SORTS[sort],
      order: ascending ? 'asc' : 'desc',
      pageInfo: { pageIndex, pageTotal },
      ...(Object.keys(filter).length === 0 ? {} : { filter }),
    };
    const path = `/v1/transfertasklog/${taskId}`;
    const { transferTaskLogList: page } = await remote.call<{ transferTaskLogList: LogEntry[] }>('POST', path, {
      body,
    });
    const fresh = page.filter(({ logId }) => !last.has(logId)).slice(0, left);
    yield* fresh;
    if (page.length < pageTotal) return;
    left -= fresh.length;
    last = new Set(page.map(({ logId }) => logId));
  }
}

/** Whether an entry fits, for logs that are followed: they are asked for as a whole, which is quick whatever their length. */
export function fits(filter: Filter, entry: LogEntry): boolean {
  const { state, kind, from = 0, to = Infinity, partitionId, fileName, deadLetters } = filter;
  if (state !== undefined && !state.includes(entry.state)) return false;
  if (kind !== undefined && !kind.includes(entry.kind)) return false;
  if (entry.createTime < from || entry.createTime >= to) return false;
  if (partitionId !== undefined && partitionNumber(partitionId) !== partitionNumber(entry.partitionId ?? '')) {
    return false;
  }
  if (deadLetters === true && entry.deadLettersNum === 0) return false;
  if (fileName === undefined) return true;
  const name = entry.transferFileName;
  return fileName.endsWith('*') ? name.startsWith(fileName.slice(0, -1)) : name === fileName;
}

function partitionNumber(text: string): number {
  return Number(/\d+$/.exec(text)?.[0] ?? Number.NaN);
}

/** A whole number of entries. Throws RemoteError. */
export function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new RemoteError(`--limit ${text} is no number of entries`);
  return Number(text);
}
