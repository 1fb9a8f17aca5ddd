/**
 * Values as the text of CSV fields, and of JSON where a field holds what is nested. Nothing is lost: decimals have all
 * their digits, a double the fewest that make it again, times are ISO 8601.
 */
import { formatDecimal } from './decimal-text.ts';
import type { Column, ColumnType, RowRecord, RowValue } from './row-schema.ts';
import { formatDate, formatTime, formatTimestamp } from './time-text.ts';

/** Of one column; takes null as well. */
type Format = (value: RowValue) => string;

const QUOTE = 0x22;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = 0xfeff;

/** A field of the column: of null nothing, of an empty text `""`. */
export function csvField({ type }: Column): Format {
  if (isNested(type)) {
    const toJson = jsonText(type);
    return (value) => (value === null ? '' : quoted(toJson(value)));
  }
  const toText = scalarText(type);
  return (value) => (value === null ? '' : quoteText(toText(value)));
}

/**
 * A text as RFC 4180 has it: in quotes if a delimiter, a quote or a line end is in it, or if at the beginning of a file a
 * reader would drop what it begins with. Of an empty one `""`.
 */
export function quoteText(text: string): string {
  if (text.charCodeAt(0) === BYTE_ORDER_MARK) return quoted(text);
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > COMMA) continue;
    if (code === COMMA || code === QUOTE || code === LINE_FEED || code === CARRIAGE_RETURN) return quoted(text);
  }
  return text === '' ? '""' : text;
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
      const members = type.columns.map((column) => ({
        name: column.name,
        start: `${JSON.stringify(column.name)}:`,
        format: jsonText(column.type),
      }));
      return (value) => {
        const record = value as RowRecord;
        return `{${members.map(({ name, start, format }) => start + format(record[name]!)).join(',')}}`;
      };
    }
    case 'array': {
      const format = jsonText(type.items.type);
      return (value) => `[${(value as readonly RowValue[]).map(format).join(',')}]`;
    }
    case 'map': {
      const format = jsonText(type.values.type);
      return (value) => {
        const entries = [...(value as ReadonlyMap<string, RowValue>)];
        return `{${entries.map(([name, member]) => `${JSON.stringify(name)}:${format(member)}`).join(',')}}`;
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
