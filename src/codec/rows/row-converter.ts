/**
 * Makes rows of members, by a schema: a function for each column, put together once. What does not fit its column is
 * refused with the name of the member; nothing is rounded, cut or guessed. Members that no column has are left out.
 *
 *   member absent  → the column's default, else null where it may be null, else refused
 *   null           → null where it may be null, else refused
 *   CSV field empty → null where it may be null, else the default, else "" for a string, else refused
 *   {} or []       → in a found column of another kind null: it told nothing when the column was found
 *
 * docs/PROTOCOL.md tells what each type takes.
 */
import { ConversionError } from '../../model/conversion-error.ts';
import { isEmptyValue } from './empty-value.ts';
import { parseExactJson } from './exact-json.ts';
import { ExactNumber } from './exact-number.ts';
import { describeFound } from './found.ts';
import { memberGetter, setMember, type MemberGetter } from './own-member.ts';
import type { Members } from './record-members.ts';
import type { Column, ColumnType, Row, RowSchema, RowSource, RowValue } from './row-schema.ts';
import { scalarOf } from './scalar-values.ts';

/** Throws ConversionError. */
export type RowConverter = (members: Members) => Row;

/** Of one value; throws ConversionError. */
type Convert = (value: unknown) => RowValue;

/** What holds for all columns of a schema. */
interface Rules {
  readonly source: RowSource;
  /** Whether columns were found rather than told. */
  readonly found: boolean;
}

/** Throws ConversionError when a default does not fit its column. */
export function compileRows({ columns, foundIn }: RowSchema, source: RowSource): RowConverter {
  const count = columns.length;
  const getters = columns.map(columnGetter);
  const rules: Rules = { source, found: foundIn !== undefined };
  const converters = columns.map((column) => compileColumn(column, column.name, rules));
  return (members) => {
    const row = new Array<RowValue>(count);
    for (let index = 0; index < count; index += 1) row[index] = converters[index]!(getters[index]!(members));
    return row;
  };
}

function columnGetter({ name, aliases = [] }: Column): MemberGetter {
  const get = memberGetter(name);
  if (aliases.length === 0) return get;
  const others = aliases.map(memberGetter);
  return (members) => {
    let value = get(members);
    for (let index = 0; value === undefined && index < others.length; index += 1) value = others[index]!(members);
    return value;
  };
}

function compileColumn(column: Column, path: string, rules: Rules): Convert {
  const { type, nullable } = column;
  const { source } = rules;
  const convert = compileValue(type, path, rules);
  const absent = absentValue(column, path);
  const empty = nullable ? null : source === 'JSON' ? undefined : (absent ?? (type.kind === 'string' ? '' : undefined));
  return (value) => {
    if (value === undefined) return absent === undefined ? refuse(path, 'is missing') : absent;
    if (value !== null) return convert(value);
    return empty === undefined ? refuse(path, source === 'JSON' ? 'must not be null' : 'is empty') : empty;
  };
}

/** Undefined when there is none. Defaults are written in JSON, whatever records are. */
function absentValue({ type, nullable, default: value }: Column, path: string): RowValue | undefined {
  if (value === undefined || value === null) return nullable ? null : undefined;
  return compileValue(type, path, { source: 'JSON', found: false })(value);
}

function compileValue(type: ColumnType, path: string, rules: Rules): Convert {
  const inJson: Rules = { ...rules, source: 'JSON' };
  if (type.kind === 'record') return nested(path, rules, compileRecord(type.columns, path, inJson));
  if (type.kind === 'array') return nested(path, rules, compileArray(type.items, path, inJson));
  if (type.kind === 'map') return nested(path, rules, compileMap(type.values, path, inJson));
  const { expected, convert } = scalarOf(type, rules.source);
  return (value) => convert(value) ?? misfit(path, expected, value, rules);
}

/** In a CSV field what is nested is JSON text, as CSV files have it too. */
function nested(path: string, { source }: Rules, convert: Convert): Convert {
  if (source === 'JSON') return convert;
  return (text) => {
    let value: unknown;
    try {
      value = parseExactJson(text as string);
    } catch (error) {
      throw new ConversionError(`${path}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
    return convert(value);
  };
}

function compileRecord(columns: readonly Column[], path: string, rules: Rules): Convert {
  const count = columns.length;
  const names = columns.map(({ name }) => name);
  const getters = columns.map(columnGetter);
  const converters = columns.map((column) => compileColumn(column, `${path}.${column.name}`, rules));
  return (value) => {
    if (!isObject(value)) return misfit(path, 'an object', value, rules);
    const record: Record<string, RowValue> = {};
    for (let index = 0; index < count; index += 1) {
      setMember(record, names[index]!, converters[index]!(getters[index]!(value)));
    }
    return record;
  };
}

function compileArray(items: Column, path: string, rules: Rules): Convert {
  const convert = compileColumn(items, `${path}[]`, rules);
  return (value) => (Array.isArray(value) ? value.map(convert) : misfit(path, 'an array', value, rules));
}

function compileMap(values: Column, path: string, rules: Rules): Convert {
  const convert = compileColumn(values, `${path}{}`, rules);
  return (value) => {
    if (!isObject(value)) return misfit(path, 'an object', value, rules);
    const map = new Map<string, RowValue>();
    for (const key of Object.keys(value)) {
      if (!key.isWellFormed()) misfit(path, 'names of well-formed Unicode', key, rules);
      map.set(key, convert(value[key]));
    }
    return map;
  };
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

function misfit(path: string, expected: string, value: unknown, { found }: Rules): null {
  if (found && isEmptyValue(value)) return null;
  return refuse(path, `expected ${expected}, found ${describeFound(value)}`);
}

function refuse(path: string, reason: string): never {
  throw new ConversionError(`${path}: ${reason}`);
}
