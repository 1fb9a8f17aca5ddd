/**
 * Entries of a dump log as lines of CSV (RFC 4180), for exports and for the command line. Null is an empty field, an empty
 * text `""`. A log without entries is its line of names.
 */
import { quoteText } from '../codec/rows/csv-text.ts';
import { LogEntry } from './schemas/transfer-task-log.ts';

const MEMBERS = Object.keys(LogEntry.properties) as (keyof LogEntry)[];

/** Names of the members, in the order of the fields. */
export const LOG_ENTRY_CSV_HEAD = `${MEMBERS.join(',')}\r\n`;

export function logEntryCsv(entry: LogEntry): string {
  return `${MEMBERS.map((member) => csvField(entry[member])).join(',')}\r\n`;
}

function csvField(value: string | number | boolean | null): string {
  if (typeof value === 'string') return quoteText(value);
  return value === null ? '' : String(value);
}
