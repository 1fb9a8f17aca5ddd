/** Entries of a dump log as people read them: a line each, in columns whose widths do not depend on what is in them. */

import type { LogEntry } from '../http/schemas/transfer-task-log.ts';

/** An entry, as far as it is shown. */
export type ShownEntry = Readonly<
  Pick<
    LogEntry,
    | 'state'
    | 'kind'
    | 'endTime'
    | 'partitionId'
    | 'firstSequenceNumber'
    | 'lastSequenceNumber'
    | 'transferRecordsNum'
    | 'transferBytes'
    | 'transferFileName'
    | 'path'
    | 'cause'
    | 'givenUp'
    | 'deadLettersNum'
    | 'supersededTime'
  >
>;

interface Column {
  readonly name: string;
  readonly width: number;
  readonly right?: boolean;
  readonly show: (entry: ShownEntry) => string;
}

const COLUMNS: readonly Column[] = [
  { name: 'TIME (UTC)', width: 19, show: ({ endTime }) => showTime(endTime) },
  { name: 'STATE', width: 10, show: showState },
  {
    name: 'PART',
    width: 4,
    right: true,
    show: ({ partitionId }) => partitionId?.replace(/^shardId-0*(?=\d)/, '') ?? '',
  },
  { name: 'SEQUENCES', width: 19, show: showSequences },
  { name: 'RECORDS', width: 8, right: true, show: ({ transferRecordsNum: records }) => String(records) },
  { name: 'SIZE', width: 7, right: true, show: ({ transferBytes }) => showSize(transferBytes) },
  { name: 'FILE', width: 0, show: showFile },
];

export function logHead(): string {
  return line(COLUMNS.map(({ name }) => name));
}

/** `width`: characters of the terminal; a longer line is cut. Undefined: it goes somewhere else. */
export function logLine(entry: ShownEntry, width: number | undefined): string {
  const text = line(COLUMNS.map(({ show }) => show(entry)));
  return width === undefined || text.length <= width + 1 ? text : `${text.slice(0, width - 1)}…\n`;
}

function line(cells: readonly string[]): string {
  const aligned = COLUMNS.map(({ width, right = false }, index) => {
    const cell = cells[index] ?? '';
    return right ? cell.padStart(width) : cell.padEnd(width);
  });
  return `${aligned.join('  ').trimEnd()}\n`;
}

function showTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

const DONE: Readonly<Record<string, string>> = { delivery: 'delivered', merge: 'merged', redrive: 'redriven' };
const UNDER_WAY: Readonly<Record<string, string>> = { delivery: 'planned', merge: 'merging', redrive: 'redriving' };

function showState({ kind, state, givenUp, supersededTime }: ShownEntry): string {
  if (kind === 'warning') return kind;
  if (givenUp) return 'given up';
  if (state === 1) return 'failed';
  if (state === 2) return UNDER_WAY[kind] ?? kind;
  return supersededTime === null ? (DONE[kind] ?? kind) : 'superseded';
}

/** A merged file is of several partitions: it has no sequence of its own. */
function showSequences({ partitionId, firstSequenceNumber: first, lastSequenceNumber: last }: ShownEntry): string {
  if (partitionId === null) return '';
  return first === last ? first : `${first}-${last}`;
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** Of 1024 bytes each, three digits at the most. */
function showSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  for (; size >= 1000 && unit < UNITS.length - 1; unit += 1) size /= 1024;
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toPrecision(2)} ${UNITS[unit]}`;
}

function showFile({ path, transferFileName: name, deadLettersNum: dead, cause }: ShownEntry): string {
  const file = path === '' ? name : `${path}/${name}`;
  const letters = dead === 0 ? '' : `  ${dead} dead letter${dead === 1 ? '' : 's'}`;
  return `${file}${letters}${cause === null ? '' : `  ${cause.replaceAll(/\s+/g, ' ')}`}`;
}
