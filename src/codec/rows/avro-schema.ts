/**
 * Reads the `data_schema` of a stream or task: an Avro schema in JSON, a record at the top. Its fields become columns:
 *
 *   union with null   → a column that may be null          several numbers → the widest of them
 *   any other union   → refused: a column has one type      recursive type   → refused: files of columns have none
 *   logical types     → avro-logical-types.ts               aliases          → other names of the member in a record
 *
 * Defaults are looked at here, so that records find nothing wrong with them. Each refusal names its place, such as
 * `fields.address.fields.zip`.
 */
import { ConversionError } from '../../model/conversion-error.ts';
import { DomainError } from '../../model/errors.ts';
import { logicalType } from './avro-logical-types.ts';
import { parseExactJson } from './exact-json.ts';
import { ExactNumber } from './exact-number.ts';
import { describeFound } from './found.ts';
import { compileRows } from './row-converter.ts';
import { MAX_COLUMNS, MAX_NESTING, type Column, type ColumnType, type RowSchema } from './row-schema.ts';

type Json = Readonly<Record<string, unknown>>;

/** A schema that has been read. */
interface Known {
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** Columns within it, at all levels, each time it is named: names could double them at every level. */
  readonly columns: number;
  /** Levels of records, arrays and maps. */
  readonly levels: number;
}

const PRIMITIVES = ['boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const;
const COMPLEX = ['record', 'error', 'enum', 'array', 'map', 'fixed'];
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Schemas within schemas that make no column, such as `{"type": {"type": …}}`. */
const MAX_DEPTH = 4 * MAX_NESTING;

/** Throws InvalidSchema. */
export function parseAvroSchema(text: string): RowSchema {
  let schema: unknown;
  try {
    schema = parseExactJson(text);
  } catch (error) {
    throw new DomainError('InvalidSchema', ['data_schema', 'must be JSON'], error);
  }
  const { type, nullable } = new AvroReader().read(schema, { place: '', namespace: '', depth: 0 });
  if (type.kind !== 'record' || nullable) refuse('', 'must be a record at the top');
  return { columns: type.columns };
}

/** Where a schema stands. */
interface Scope {
  readonly place: string;
  /** In which names without dots are looked up. */
  readonly namespace: string;
  readonly depth: number;
}

class AvroReader {
  /** Named types by full name; undefined while one is being read. */
  readonly #named = new Map<string, Known | undefined>();

  read(schema: unknown, scope: Scope): Known {
    if (scope.depth > MAX_DEPTH) refuse(scope.place, 'is nested too deep');
    if (typeof schema === 'string') return this.#byName(schema, scope);
    if (Array.isArray(schema)) return this.#union(schema, scope);
    if (!isObject(schema)) refuse(scope.place, `must be a schema, found ${describeFound(schema)}`);
    const { type } = schema;
    if (typeof type === 'string') return this.#annotated(type, schema, scope);
    if (type === undefined) refuse(scope.place, 'has no type');
    return this.read(type, { ...scope, depth: scope.depth + 1 });
  }

  #annotated(type: string, schema: Json, scope: Scope): Known {
    const known = this.#ofType(type, schema, scope);
    const logical = logicalType(schema, known.type);
    return typeof logical === 'string' ? refuse(scope.place, logical) : { ...known, type: logical };
  }

  #ofType(type: string, schema: Json, scope: Scope): Known {
    switch (type) {
      case 'record':
      case 'error':
        return this.#define(schema, scope, (inner) => this.#record(schema, inner));
      case 'enum':
        return this.#define(schema, scope, () => leaf({ kind: 'enum', symbols: symbolsOf(schema, scope) }));
      case 'fixed':
        return this.#define(schema, scope, () => leaf({ kind: 'fixed', size: sizeOf(schema, scope) }));
      case 'array': {
        const items = this.#element('items', 'element', schema, scope);
        return { ...items.around, type: { kind: 'array', items: items.column } };
      }
      case 'map': {
        const values = this.#element('values', 'value', schema, scope);
        return { ...values.around, type: { kind: 'map', values: values.column } };
      }
      default:
        return this.#byName(type, scope);
    }
  }

  #byName(name: string, { place, namespace }: Scope): Known {
    const primitive = PRIMITIVES.find((candidate) => candidate === name);
    if (primitive !== undefined) return leaf({ kind: primitive });
    if (name === 'null') refuse(place, 'null alone is no type of a column');
    if (COMPLEX.includes(name)) refuse(place, `${name} must be written {"type": {"type": "${name}", …}}`);
    const full = [fullName(name, namespace), name].find((candidate) => this.#named.has(candidate));
    if (full === undefined) refuse(place, `unknown type ${describeFound(name)}`);
    return this.#named.get(full) ?? refuse(place, `${name} contains itself: recursive types are not supported`);
  }

  #union(branches: readonly unknown[], scope: Scope): Known {
    const inner = { ...scope, depth: scope.depth + 1 };
    const known = branches.filter((branch) => branch !== 'null').map((branch) => this.read(branch, inner));
    const nulls = branches.length - known.length;
    if (nulls > 1) refuse(scope.place, 'a union has null twice');
    if (known.some(({ nullable }) => nullable)) refuse(scope.place, 'a union contains a union');
    const [first, ...others] = known;
    if (first === undefined) refuse(scope.place, 'null alone is no type of a column');
    if (others.length === 0) return { ...first, nullable: nulls === 1 };
    const kinds = known.map(({ type }) => type.kind);
    const kind = widest(kinds) ?? refuse(scope.place, `a union of ${kinds.join(' and ')} is no type of a column`);
    return { ...leaf({ kind }), nullable: nulls === 1 };
  }

  /** Reads a named type, and makes it known to what follows. */
  #define(schema: Json, scope: Scope, read: (inner: Scope) => Known): Known {
    const { name, namespace: own } = schema;
    if (name === undefined) return read(scope);
    if (typeof name !== 'string' || !name.split('.').every((part) => NAME.test(part))) {
      refuse(scope.place, 'a name must be letters, digits and _, and not begin with a digit');
    }
    const full = fullName(name, typeof own === 'string' ? own : scope.namespace);
    if (this.#named.has(full)) refuse(scope.place, `the name ${full} is defined twice`);
    this.#named.set(full, undefined);
    const known = read({ ...scope, namespace: full.slice(0, Math.max(0, full.lastIndexOf('.'))) });
    this.#named.set(full, known);
    return known;
  }

  #record({ fields }: Json, scope: Scope): Known {
    if (!Array.isArray(fields) || fields.length === 0) refuse(scope.place, 'a record must have fields');
    const columns: Column[] = [];
    const names = new Set<string>();
    let count = 0;
    let levels = 0;
    for (const field of fields as readonly unknown[]) {
      const { column, around } = this.#field(field, scope);
      if (names.has(column.name)) refuse(scope.place, `the field ${column.name} is there twice`);
      names.add(column.name);
      columns.push(column);
      count += around.columns;
      levels = Math.max(levels, around.levels);
    }
    if (count > MAX_COLUMNS) refuse(scope.place, `must have at most ${MAX_COLUMNS} columns`);
    return { type: { kind: 'record', columns }, nullable: false, columns: count, levels };
  }

  #field(field: unknown, scope: Scope): { column: Column; around: Omit<Known, 'type'> } {
    if (!isObject(field)) refuse(scope.place, `a field must be an object, found ${describeFound(field)}`);
    const { name, type, aliases, default: value } = field;
    if (typeof name !== 'string' || !NAME.test(name)) {
      refuse(scope.place, `a field's name must be letters, digits and _, found ${describeFound(name)}`);
    }
    const place = below(scope.place, `fields.${name}`);
    // Avro would ignore it, and the files would have the bare numbers.
    if (field['logicalType'] !== undefined) refuse(place, 'logicalType belongs into the type: {"type": {"type": …}}');
    const known = this.read(type, { ...scope, place, depth: scope.depth + 1 });
    const column = {
      name,
      type: known.type,
      nullable: known.nullable,
      ...(aliases === undefined ? {} : { aliases: aliasesOf(aliases, place) }),
      ...(value === undefined ? {} : { default: plainDefault(value, known.type.kind) }),
    };
    checkDefault(column, place);
    return { column, around: within(known, place) };
  }

  #element(member: 'items' | 'values', name: string, schema: Json, scope: Scope) {
    const place = below(scope.place, member);
    const { type, nullable, ...around } = this.read(schema[member], { ...scope, place, depth: scope.depth + 1 });
    return { column: { name, type, nullable }, around: within({ ...around, nullable }, place) };
  }
}

function below(place: string, member: string): string {
  return place === '' ? member : `${place}.${member}`;
}

/** What a type is around a column: one column and one level more. */
function within({ columns, levels }: Omit<Known, 'type'>, place: string): Omit<Known, 'type'> {
  if (levels >= MAX_NESTING) refuse(place, `must not be nested deeper than ${MAX_NESTING} levels`);
  return { nullable: false, columns: columns + 1, levels: levels + 1 };
}

function leaf(type: ColumnType): Known {
  return { type, nullable: false, columns: 0, levels: 0 };
}

const NUMBERS: readonly string[] = ['int', 'long', 'float', 'double'];

/** The type that holds the numbers of all of `kinds`; undefined when one is no plain number. A float does not hold every int. */
function widest(kinds: readonly string[]): 'long' | 'double' | undefined {
  if (!kinds.every((kind) => NUMBERS.includes(kind))) return undefined;
  return kinds.some((kind) => kind === 'float' || kind === 'double') ? 'double' : 'long';
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function symbolsOf({ symbols }: Json, { place }: Scope): readonly string[] {
  if (!isTexts(symbols) || symbols.length === 0) refuse(place, 'an enum must have symbols');
  if (new Set(symbols).size < symbols.length) refuse(place, 'an enum has a symbol twice');
  return symbols;
}

function sizeOf({ size }: Json, { place }: Scope): number {
  const good = Number.isInteger(size) && (size as number) >= 1 && (size as number) <= MAX_FIXED_BYTES;
  return good ? (size as number) : refuse(place, `size must be a whole number from 1 to ${MAX_FIXED_BYTES}`);
}

/** As much as a record may have. */
const MAX_FIXED_BYTES = 1024 * 1024;

/** Not only names: so a column can have a member whose name no column may have, such as `user-id`. */
function aliasesOf(aliases: unknown, place: string): readonly string[] {
  return isTexts(aliases) ? aliases : refuse(place, 'aliases must be a list of names');
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string' && text !== '' && text.isWellFormed());
}

/** A default is kept as JSON: what a double would round becomes a text, which whole numbers and decimals may be as well. */
function plainDefault(value: unknown, kind?: ColumnType['kind']): unknown {
  if (value instanceof ExactNumber) {
    const double = kind === 'double' || kind === 'float' || (kind !== 'decimal' && !/^-?\d+$/.test(value.text));
    return double ? value.valueOf() : value.text;
  }
  if (Array.isArray(value)) return value.map((item: unknown) => plainDefault(item));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plainDefault(member)]));
}

function checkDefault(column: Column, place: string): void {
  if (column.default === undefined) return;
  if (column.default === null && !column.nullable) refuse(place, 'the default is null, which the type does not allow');
  try {
    compileRows({ columns: [column] }, 'JSON');
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    refuse(place, `the default does not fit: ${error.message}`);
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(place: string, reason: string): never {
  throw new DomainError('InvalidSchema', ['data_schema', place === '' ? reason : `${place}: ${reason}`]);
}
