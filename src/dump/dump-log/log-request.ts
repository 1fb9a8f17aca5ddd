/**
 * The body of a dump log query as clients send it. All of it is optional. `pageInfo` is an object, or the array of the
 * published example, `[{"pageIndex": 1}, {"pageIndex": 10}]`, where the second `pageIndex` is plainly the page size.
 */
import type { LogFilter } from '../../catalog/dump-log-filters.ts';
import type { LogSortColumn } from '../../catalog/dump-log-pages.ts';
import { DomainError } from '../../model/errors.ts';
import type { Limits } from '../../model/limits.ts';
import { isFilter, parseLogFilter } from './log-filter.ts';

export interface LogRequest {
  readonly column: LogSortColumn;
  readonly descending: boolean;
  /** From 1. */
  readonly pageIndex: number;
  /** Entries of a page. */
  readonly pageSize: number;
  /** Undefined for the whole log. */
  readonly filter: LogFilter | undefined;
}

const SORT_COLUMNS: ReadonlyMap<unknown, LogSortColumn> = new Map<string, LogSortColumn>([
  ['createTimeStr', 'created_at'],
  ['startTime', 'start_time'],
  ['endTime', 'end_time'],
  ['state', 'state'],
  ['records', 'records'],
  ['readRecords', 'read_records'],
  ['dataSize', 'bytes'],
]);
/** The values of sortBy. */
export const LOG_SORT_KEYS = [...SORT_COLUMNS.keys()];
export const LOG_ORDERS = ['desc', 'asc'] as const;
const DEFAULT_PAGE_SIZE = 10;

/** `body` is parsed JSON, undefined when there was none. Throws InvalidBody. */
export function parseLogRequest(body: unknown, limits: Limits): LogRequest {
  const members = body === undefined ? {} : asObject('body', body);
  const { order = 'desc', sortBy = 'createTimeStr' } = members;
  if (!LOG_ORDERS.some((known) => known === order)) refuse('order', 'must be desc or asc');
  const column = SORT_COLUMNS.get(sortBy);
  if (column === undefined) return refuse('sortBy', `must be one of ${LOG_SORT_KEYS.join(', ')}`);
  const { pageIndex = 1, pageTotal = DEFAULT_PAGE_SIZE } = parsePageInfo(members['pageInfo']);
  const filter = parseFilter(members['filter']);
  return {
    column,
    descending: order === 'desc',
    pageIndex: within('pageInfo.pageIndex', pageIndex, Number.MAX_SAFE_INTEGER),
    pageSize: within('pageInfo.pageTotal', pageTotal, limits.log_page_rows),
    filter,
  };
}

type Members = Readonly<Record<string, unknown>>;

function parseFilter(value: unknown): LogFilter | undefined {
  if (value === undefined) return undefined;
  const filter = parseLogFilter(asObject('filter', value), (member, reason) => refuse(`filter.${member}`, reason));
  return isFilter(filter) ? filter : undefined;
}

function parsePageInfo(pageInfo: unknown): Members {
  if (pageInfo === undefined) return {};
  if (!Array.isArray(pageInfo)) return asObject('pageInfo', pageInfo);
  const merged: { pageIndex?: unknown; pageTotal?: unknown } = {};
  for (const [index, value] of pageInfo.entries()) {
    const { pageIndex, pageTotal } = asObject(`pageInfo.${index}`, value);
    if (pageTotal !== undefined) merged.pageTotal = pageTotal;
    if (pageIndex === undefined) continue;
    if (merged.pageIndex === undefined) merged.pageIndex = pageIndex;
    else merged.pageTotal = pageIndex;
  }
  return merged;
}

function asObject(member: string, value: unknown): Members {
  const good = typeof value === 'object' && value !== null && !Array.isArray(value);
  return good ? (value as Members) : refuse(member, 'must be an object');
}

function within(member: string, value: unknown, max: number): number {
  const good = typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= max;
  return good ? value : refuse(member, `must be a whole number from 1 to ${max}`);
}

function refuse(member: string, reason: string): never {
  throw new DomainError('InvalidBody', [member, reason]);
}
