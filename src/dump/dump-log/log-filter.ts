/** A filter of the dump log as requests have it: a member of a query's body, or the parameters of an export. */
import type { LogFilter } from '../../catalog/dump-log-filters.ts';
import { LOG_KINDS, LOG_STATE, type LogKind } from '../../catalog/schema.ts';
import { isDomainError } from '../../model/errors.ts';
import { parsePartitionId } from '../../model/partition-id.ts';

export const LOG_STATES: readonly number[] = Object.values(LOG_STATE);
export const FILTER_MEMBERS = ['state', 'kind', 'partitionId', 'from', 'to', 'fileName', 'deadLetters'] as const;
export type FilterMember = (typeof FILTER_MEMBERS)[number];

/** Throws what says that `member` is not what it should be. */
export type RefuseMember = (member: string, reason: string) => never;

/** `members` are JSON values; a member that is unknown or null is refused, so that no filter is mistaken for a wider one. */
export function parseLogFilter(members: Readonly<Record<string, unknown>>, refuse: RefuseMember): LogFilter {
  for (const member of Object.keys(members)) {
    if (!FILTER_MEMBERS.some((known) => known === member)) {
      refuse(member.slice(0, 64), `is none of ${FILTER_MEMBERS.join(', ')}`);
    }
  }
  const { state, kind, partitionId, from, to, fileName, deadLetters } = members;
  return {
    states: state === undefined ? undefined : list('state', state, LOG_STATES, refuse),
    kinds: kind === undefined ? undefined : list<LogKind>('kind', kind, LOG_KINDS, refuse),
    partition: partitionId === undefined ? undefined : partition(partitionId, refuse),
    from: from === undefined ? undefined : time('from', from, refuse),
    to: to === undefined ? undefined : time('to', to, refuse),
    fileName: fileName === undefined ? undefined : name(fileName, refuse),
    deadLetters: deadLetters === undefined ? undefined : flag(deadLetters, refuse),
  };
}

/** The same, of texts: lists have commas. */
export function readLogFilter(
  texts: Readonly<Partial<Record<FilterMember, string | undefined>>>,
  refuse: RefuseMember,
): LogFilter {
  const { state, kind, from, to, deadLetters, ...same } = texts;
  const members = {
    ...same,
    state: state?.split(',').map(toNumber),
    kind: kind?.split(','),
    from: toNumber(from),
    to: toNumber(to),
    deadLetters: deadLetters === 'true' ? true : deadLetters === 'false' ? false : deadLetters,
  };
  return parseLogFilter(members, refuse);
}

/** Whether it asks anything at all. */
export function isFilter(filter: LogFilter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

function list<T extends string | number>(
  member: string,
  value: unknown,
  known: readonly T[],
  refuse: RefuseMember,
): readonly T[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const found = known.filter((one) => values.includes(one));
  const good = values.length > 0 && values.every((one) => known.some((candidate) => candidate === one));
  return good ? found : refuse(member, `must be one or more of ${known.join(', ')}`);
}

function partition(value: unknown, refuse: RefuseMember): number {
  try {
    if (typeof value === 'string') return parsePartitionId(value);
  } catch (error) {
    if (!isDomainError(error, 'InvalidPartitionId')) throw error;
  }
  return refuse('partitionId', 'must be the id of a partition');
}

function time(member: string, value: unknown, refuse: RefuseMember): number {
  const good = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
  return good ? value : refuse(member, 'must be milliseconds since 1970');
}

const MAX_NAME_CHARACTERS = 1024;

/** Names have no asterisks of their own. */
function name(value: unknown, refuse: RefuseMember) {
  const good = typeof value === 'string' && value.length <= MAX_NAME_CHARACTERS && /^[^*]+\*?$/.test(value);
  if (!good) return refuse('fileName', 'must be the name of a file, or its beginning and an asterisk');
  const prefix = value.endsWith('*');
  return { text: prefix ? value.slice(0, -1) : value, prefix };
}

function flag(value: unknown, refuse: RefuseMember): boolean {
  return typeof value === 'boolean' ? value : refuse('deadLetters', 'must be true or false');
}

/** What is no number stays as it is, to be refused. */
function toNumber(text: string | undefined): unknown {
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : text;
}
