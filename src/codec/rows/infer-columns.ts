/**
 * Finds the columns of records that have no schema. What it finds depends on nothing but the records and their order:
 *
 *   true or false → boolean      every number → double      a text → string
 *   an object → a record         an array → an array of the one type that its elements have
 *
 * Null tells nothing, nor does an object or array with nothing in it, which is null in a column of another kind. Every
 * column may be null. Columns stand in the order in which they were first seen, and a column stays what it was first seen
 * as: a value of another kind makes the whole record an error. The fields of CSV records are strings, a column for each
 * that was ever there. A record that tells no column while none is known is an error too: it could be no row.
 */
import { ConversionError } from '../../model/conversion-error.ts';
import { isEmptyValue } from './empty-value.ts';
import { ExactNumber } from './exact-number.ts';
import { describeFound } from './found.ts';
import type { Members } from './record-members.ts';
import {
  columnsWithin,
  MAX_COLUMNS,
  MAX_NESTING,
  type Column,
  type ColumnType,
  type RowSchema,
  type RowSource,
} from './row-schema.ts';

/** With the words for it in a reason. */
const KINDS = {
  boolean: 'true or false',
  double: 'a number',
  string: 'a string',
  record: 'an object',
  array: 'an array',
} as const;
type Kind = keyof typeof KINDS;

/** What is known of a column. */
interface Node {
  readonly kind: Kind;
  /** Of a record: by name, in the order in which they were first seen. */
  readonly columns: Map<string, Node>;
  /** Of an array: its elements; undefined only while the first of them is being looked at. */
  items: Node | undefined;
}

export class ColumnLearner {
  readonly #source: RowSource;
  readonly #columns: Map<string, Node>;
  readonly #known: number;
  #count: number;
  /** What the record at hand has added, to be taken back if something is wrong with the rest of it. */
  readonly #undo: (() => void)[] = [];

  /** `base`: what an earlier learner found; what it found in records of another source counts for nothing. */
  constructor(base: RowSchema | undefined, source: RowSource) {
    this.#source = source;
    const known = base === undefined || isOfOther(base, source) ? [] : base.columns;
    this.#columns = toNodes(known);
    this.#known = countColumns(known);
    this.#count = this.#known;
  }

  /**
   * Throws ConversionError for a record that does not fit, and then has learned nothing of it. Every other record can be
   * made a row of each schema() that follows.
   */
  learn(members: Members): void {
    try {
      if (this.#source === 'JSON') this.#learnMembers(this.#columns, members, '', 1);
      else this.#learnFields(members);
      if (this.#count === 0) throw new ConversionError('no member has a value yet');
    } catch (error) {
      while (this.#undo.length > 0) this.#undo.pop()!();
      throw error;
    }
    this.#undo.length = 0;
  }

  /** Whether there are columns that the base does not have. */
  get grown(): boolean {
    return this.#count > this.#known;
  }

  /** Undefined while there is no column. */
  schema(): RowSchema | undefined {
    const columns = toColumns(this.#columns);
    return columns.length === 0 ? undefined : { columns, foundIn: this.#source };
  }

  #learnFields(members: Members): void {
    for (const name of Object.keys(members)) {
      const node = this.#columns.get(name) ?? this.#add(this.#columns, name, 'string', '');
      if (members[name] !== null) this.#learnValue(node, members[name], '', name, 1);
    }
  }

  #learnMembers(columns: Map<string, Node>, members: Members, path: string, level: number): void {
    for (const name of Object.keys(members)) {
      const value = members[name];
      if (value === null) continue;
      const known = columns.get(name);
      if (tellsNothing(known, value)) continue;
      this.#learnValue(known ?? this.#add(columns, name, kindOf(value), path), value, path, name, level);
    }
  }

  /** `level`: columns that the value is within, its own included. */
  #learnValue(node: Node, value: unknown, path: string, name: string, level: number): void {
    if (kindOf(value) !== node.kind) {
      refuse(path, name, `was first seen as ${KINDS[node.kind]}, found ${describeFound(value)}`);
    }
    if (typeof value === 'string') {
      if (!value.isWellFormed()) refuse(path, name, 'expected a string of well-formed Unicode');
    } else if (node.kind === 'double') {
      if (!Number.isFinite(Number(value))) refuse(path, name, `expected a number, found ${describeFound(value)}`);
    } else if (node.kind === 'record' || node.kind === 'array') {
      if (level === MAX_NESTING) refuse(path, name, `is nested deeper than ${MAX_NESTING} levels`);
      const place = join(path, name);
      if (node.kind === 'record') this.#learnMembers(node.columns, value as Members, place, level + 1);
      else for (const item of value as readonly unknown[]) this.#learnItem(node, item, place, level + 1);
    }
  }

  #learnItem(array: Node, item: unknown, path: string, level: number): void {
    if (item === null || tellsNothing(array.items, item)) return;
    if (array.items === undefined) {
      this.#make(path, '[]', () => (array.items = undefined));
      array.items = newNode(kindOf(item));
    }
    this.#learnValue(array.items, item, path, '[]', level);
  }

  #add(columns: Map<string, Node>, name: string, kind: Kind, path: string): Node {
    if (name === '' || !name.isWellFormed()) refuse(path, name, 'a column cannot have this name');
    this.#make(path, name, () => columns.delete(name));
    const node = newNode(kind);
    columns.set(name, node);
    return node;
  }

  #make(path: string, name: string, undo: () => unknown): void {
    if (this.#count >= MAX_COLUMNS) refuse(path, name, `there are ${MAX_COLUMNS} columns already`);
    this.#count += 1;
    this.#undo.push(() => {
      this.#count -= 1;
      undo();
    });
  }
}

/**
 * What `known` has, and behind it, at every level, what only `learned` has. Where they disagree about a column, it stays
 * as `known` has it; where they were found in records of different sources, only `learned` counts. A column of `learned`
 * with which there would be more than MAX_COLUMNS is left out.
 */
export function mergeColumns(known: RowSchema | undefined, learned: RowSchema): RowSchema {
  if (known === undefined || (learned.foundIn !== undefined && isOfOther(known, learned.foundIn))) return learned;
  let room = MAX_COLUMNS - countColumns(known.columns);

  const merge = (mine: readonly Column[], others: readonly Column[]): readonly Column[] => {
    const more = new Map(others.map((column) => [column.name, column]));
    const merged = mine.map((column) => {
      const other = more.get(column.name);
      more.delete(column.name);
      return other === undefined ? column : { ...column, type: mergeTypes(column.type, other.type) };
    });
    for (const column of more.values()) {
      const count = countColumns([column]);
      if (count > room) continue;
      room -= count;
      merged.push(column);
    }
    return merged;
  };
  const mergeTypes = (mine: ColumnType, other: ColumnType): ColumnType => {
    if (mine.kind === 'record' && other.kind === 'record') {
      return { ...mine, columns: merge(mine.columns, other.columns) };
    }
    if (mine.kind !== 'array' || other.kind !== 'array') return mine;
    return { ...mine, items: { ...mine.items, type: mergeTypes(mine.items.type, other.items.type) } };
  };
  return { ...learned, columns: merge(known.columns, learned.columns) };
}

/** False for columns of which nobody knows: early versions did not tell. */
function isOfOther({ foundIn }: RowSchema, source: RowSource): boolean {
  return foundIn !== undefined && foundIn !== source;
}

/** Whether a value that is not null says nothing of a column that is not known, or of another kind. */
function tellsNothing(known: Node | undefined, value: unknown): boolean {
  return known?.kind !== kindOf(value) && isEmptyValue(value);
}

function kindOf(value: unknown): Kind {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number' || value instanceof ExactNumber) return 'double';
  if (typeof value === 'boolean') return 'boolean';
  return Array.isArray(value) ? 'array' : 'record';
}

function newNode(kind: Kind): Node {
  return { kind, columns: new Map(), items: undefined };
}

function toNodes(columns: readonly Column[]): Map<string, Node> {
  return new Map(columns.map(({ name, type }) => [name, toNode(type)]));
}

function toNode(type: ColumnType): Node {
  if (!Object.hasOwn(KINDS, type.kind)) throw new RangeError(`no learner has found a column of type ${type.kind}`);
  const node = newNode(type.kind as Kind);
  if (type.kind === 'record') return { ...node, columns: toNodes(type.columns) };
  return type.kind === 'array' ? { ...node, items: toNode(type.items.type) } : node;
}

function toColumns(nodes: ReadonlyMap<string, Node>): Column[] {
  return [...nodes].map(([name, node]) => toColumn(name, node));
}

function toColumn(name: string, { kind, columns, items }: Node): Column {
  return { name, type: toType(kind, columns, items), nullable: true };
}

function toType(kind: Kind, columns: ReadonlyMap<string, Node>, items: Node | undefined): ColumnType {
  if (kind === 'record') return { kind, columns: toColumns(columns) };
  // An array is made a node by the element that tells its items.
  return kind === 'array' ? { kind, items: toColumn('element', items!) } : { kind };
}

function countColumns(columns: readonly Column[]): number {
  return columns.reduce((sum, { type }) => sum + 1 + countColumns(columnsWithin(type)), 0);
}

function join(path: string, name: string): string {
  return path === '' || name === '[]' ? path + name : `${path}.${name}`;
}

function refuse(path: string, name: string, reason: string): never {
  throw new ConversionError(`${join(path, name)}: ${reason}`);
}
