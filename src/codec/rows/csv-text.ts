/**
 * Values as the text of CSV fields, and of JSON where a field holds what is nested. Nothing is lost: decimals have all
 * their digits, a double the fewest that make it again, times are ISO 8601.
 */
import { formatDecimal } from './decimal-text.ts';
import type { Column, ColumnType, RowRecord, RowValue } from './row-schema.ts';
import { formatDate, formatTime, formatTimestamp } from './time-text.ts';

/** Of one column; takes null as well. */
type Format = (value: RowValue) => string;

/** Also what a reader would drop as a byte order mark at the beginning of a file. */
const NEEDS_QUOTES = /[",\n\r]|^\ufeff/;

/** A field of the column: of null nothing, of an empty text `""`. */
export function csvField({ type }: Column): Format {
  if (isNested(type)) {
    const toJson = jsonText(type);
    return (value) => (value === null ? '' : quoted(toJson(value)));
  }
  const toText = scalarText(type);
  return (value) => (value === null ? '' : quoteText(toText(value)));
}

/** A text as RFC 4180 has it: in quotes if a delimiter, a quote or a line end is in it. Of an empty one `""`. */
export function quoteText(text: string): string {
  if (text === '') return '""';
  return NEEDS_QUOTES.test(text) ? quoted(text) : text;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

type NestedType = Extract<ColumnType, { readonly kind: 'record' | 'array' | 'map' }>;

function isNested({ kind }: ColumnType): boolean {
  return kind === 'record' || kind === 'array' || kind === 'map';
}

/** Without quotes, and never of null. */
function scalarText(type: ColumnType): (value: RowValue) => string {
  switch (type.kind) {
    case 'string':
    case 'enum':
    case 'uuid':
      return (value) => value as string;
    case 'float':
    case 'double':
      return (value) => numberText(value as number);
    case 'decimal':
      return (value) => formatDecimal(value as bigint, type.scale);
    case 'bytes':
    case 'fixed':
      return (value) => base64(value as Uint8Array);
    case 'date':
      return (value) => formatDate(value as number);
    case 'time':
      return (value) => formatTime(value as number | bigint, type.unit);
    case 'timestamp':
      return (value) => formatTimestamp(value as bigint, type.unit, type.utc);
    case 'boolean':
    case 'int':
    case 'long':
      return (value) => plainText(value as boolean | number | bigint);
    case 'record':
    case 'array':
    case 'map':
      throw new RangeError(`a ${type.kind} is no scalar`);
  }
}

/** Numbers as such; everything else that is no number or boolean in quotes. */
function jsonText(type: ColumnType): Format {
  const format = isNested(type) ? nestedJson(type as NestedType) : scalarJson(type);
  return (value) => (value === null ? 'null' : format(value));
}

function scalarJson(type: ColumnType): Format {
  const { kind } = type;
  const toText = scalarText(type);
  if (kind === 'boolean' || kind === 'int' || kind === 'long' || kind === 'decimal') return toText;
  if (kind !== 'float' && kind !== 'double') return (value) => JSON.stringify(toText(value));
  // JSON has no NaN and no Infinity.
  return (value) => (Number.isFinite(value) ? toText(value) : `"${toText(value)}"`);
}

function nestedJson(type: NestedType): Format {
  switch (type.kind) {
    case 'record': {
      const members = type.columns.map(({ name, type: memberType }, index) => ({
        name,
        start: `${index === 0 ? '' : ','}${JSON.stringify(name)}:`,
        format: jsonText(memberType),
      }));
      return (value) => {
        const record = value as RowRecord;
        let text = '';
        for (const { name, start, format } of members) text += start + format(record[name]!);
        return `{${text}}`;
      };
    }
    case 'array': {
      const format = jsonText(type.items.type);
      return (value) => {
        let text = '';
        for (const item of value as readonly RowValue[]) text += (text === '' ? '' : ',') + format(item);
        return `[${text}]`;
      };
    }
    case 'map': {
      const format = jsonText(type.values.type);
      return (value) => {
        let text = '';
        for (const [name, member] of value as ReadonlyMap<string, RowValue>) {
          text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${format(member)}`;
        }
        return `{${text}}`;
      };
    }
  }
}

function plainText(value: boolean | number | bigint): string {
  return String(value);
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}
