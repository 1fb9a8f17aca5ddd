/**
 * The payload of a record as members with names: the object of a JSON record, the fields of a CSV record by the names of
 * the schema's columns. What it is not as a whole (UTF-8, JSON, an object, a line of CSV) is told here; whether a member
 * fits its column, when rows are made (row-converter.ts).
 */
import { isUtf8 } from 'node:buffer';
import { ConversionError } from '../../model/conversion-error.ts';
import { splitCsvLine } from './csv-line.ts';
import { hasLongNumber, parseExactJson } from './exact-json.ts';
import { describeFound } from './found.ts';
import { setMember } from './own-member.ts';
import { someColumn, type RowSchema, type RowSource } from './row-schema.ts';

/**
 * Of a JSON record: what JSON.parse makes of it (of a name that comes twice, the last), with an ExactNumber where a
 * double would round. Of a CSV record: a text for each field that is there, null for an empty one. Names such as
 * `constructor` are inherited by every object: look a name that comes from outside up with `memberGetter` (own-member.ts).
 */
export type Members = Readonly<Record<string, unknown>>;

/** Reads bytes [start, end) of `bytes` as one record. Throws ConversionError. Keeps nothing of `bytes`. */
export type MemberReader = (bytes: Buffer, start: number, end: number) => Members;

/** `schema` undefined: not known, or not yet. */
export function memberReader(source: RowSource, schema: RowSchema | undefined, delimiter: string): MemberReader {
  return source === 'JSON' ? jsonMembers(schema) : csvMembers(schema, delimiter);
}

/** Whole numbers keep all their digits; those of fractions are kept where `schema` has a decimal. */
export function jsonMembers(schema: RowSchema | undefined): MemberReader {
  const fractions = schema !== undefined && someColumn(schema, ({ kind }) => kind === 'decimal');
  return (bytes, start, end) => {
    const text = withoutMark(decode(bytes, start, end));
    const value = hasLongNumber(bytes, start, end, fractions) ? parse(text, parseExactJson) : parse(text, JSON.parse);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ConversionError(`expected a JSON object, found ${describeFound(value)}`);
    }
    return value as Members;
  };
}

/** A field more than `schema` has columns is an error, and so is one less than it needs; without one they are c1, c2, … */
export function csvMembers(schema: RowSchema | undefined, delimiter: string): MemberReader {
  const names = schema?.columns.map(({ name }) => name) ?? [];
  const required = schema === undefined ? 0 : requiredFields(schema);
  return (bytes, start, end) => {
    const fields = splitCsvLine(decode(bytes, start, end), delimiter);
    const count = fields.length;
    if (schema === undefined) for (let index = names.length; index < count; index += 1) names.push(`c${index + 1}`);
    else if (count > names.length) throw new ConversionError(`CSV: ${count} fields for ${names.length} columns`);
    else if (count < required) throw new ConversionError(`CSV: ${count} fields where at least ${required} are needed`);
    const members: Record<string, unknown> = {};
    for (let index = 0; index < count; index += 1) setMember(members, names[index]!, fields[index]);
    return members;
  };
}

/** Fields up to the last column that cannot do without one. */
function requiredFields({ columns }: RowSchema): number {
  return 1 + columns.findLastIndex((column) => !column.nullable && column.default === undefined);
}

/** Throws ConversionError for anything but UTF-8. */
function decode(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  // Only what has this character can have been mended in decoding; text of one byte a character is not even searched.
  if (text.includes('\uFFFD') && !isUtf8(bytes.subarray(start, end))) throw new ConversionError('not UTF-8');
  return text;
}

/** A byte order mark is nothing that JSON knows. In CSV the character would be part of a field. */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function parse(text: string, parser: (text: string) => unknown): unknown {
  try {
    return parser(text);
  } catch (error) {
    throw new ConversionError(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
