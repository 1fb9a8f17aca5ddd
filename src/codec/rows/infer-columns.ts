/**
 * Finds the columns of records that have no schema. What it finds depends on nothing but the records and their order:
 *
 *   true or false → boolean      every number → double      a text → string
 *   an object → a record         an array → an array of the one type that its elements have
 *
 * Null tells nothing, and an object or array with nothing in it is no column until it is seen with something. Every column
 * may be null. Columns stand in the order in which they were first seen, and a column stays what it was first seen as: a
 * value of another kind makes the whole record an error. The fields of CSV records are strings, a column for each that
 * was ever there.
 */
import { ConversionError } from '../../model/conversion-error.ts';
import { ExactNumber } from './exact-number.ts';
import { describeFound } from './found.ts';
import type { Members, RowSource } from './record-members.ts';
import { columnsWithin, MAX_COLUMNS, MAX_NESTING, type Column, type ColumnType, type RowSchema } from './row-schema.ts';

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
  /** Of an array: its elements, once one was seen. */
  items: Node | undefined;
}

export class ColumnLearner {
  readonly #source: RowSource;
  readonly #columns: Map<string, Node>;
  readonly #known: number;
  #count: number;
  /** What the record at hand has added, to be taken back if something is wrong with the rest of it. */
  readonly #undo: (() => void)[] = [];

  /** `base`: what is known already, as an earlier learner found it. */
  constructor(base: RowSchema | undefined, source: RowSource) {
    this.#source = source;
    this.#columns = toNodes(base?.columns ?? []);
    this.#known = countColumns(base?.columns ?? []);
    this.#count = this.#known;
  }

  /**
   * Throws ConversionError for a record that does not fit, and then has learned nothing of it. Every other record can be
   * made a row of each schema() that follows.
   */
  learn(members: Members): void {
    try {
      if (this.#source === 'JSON') this.#learnMembers(this.#columns, members, '', 1);
      else
        for (const name of Object.keys(members))
          if (!this.#columns.has(name)) this.#add(this.#columns, name, 'string', '');
    } catch (error) {
      while (this.#undo.length > 0) this.#undo.pop()!();
      throw error;
    }
    this.#undo.length = 0;
  }

  /** Whether there are columns that the base does not have. */
  get grown(): boolean {
    return this.#count > this.#known && countColumns(toColumns(this.#columns)) > this.#known;
  }

  /** Undefined while there is no column. */
  schema(): RowSchema | undefined {
    const columns = toColumns(this.#columns);
    return columns.length === 0 ? undefined : { columns };
  }

  #learnMembers(columns: Map<string, Node>, members: Members, path: string, level: number): void {
    for (const name of Object.keys(members)) {
      const value = members[name];
      if (value === null) continue;
      const node = columns.get(name) ?? this.#add(columns, name, kindOf(value), path);
      this.#learnValue(node, value, path, name, level);
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
    if (item === null) return;
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
 * as `known` has it.
 */
export function mergeColumns(known: RowSchema | undefined, learned: RowSchema): RowSchema {
  return known === undefined ? learned : { columns: merge(known.columns, learned.columns) };
}

function merge(known: readonly Column[], learned: readonly Column[]): readonly Column[] {
  const others = new Map(learned.map((column) => [column.name, column]));
  const merged = known.map((column) => {
    const other = others.get(column.name);
    others.delete(column.name);
    return other === undefined ? column : { ...column, type: mergeTypes(column.type, other.type) };
  });
  return [...merged, ...others.values()];
}

function mergeTypes(known: ColumnType, learned: ColumnType): ColumnType {
  if (known.kind === 'record' && learned.kind === 'record') {
    return { ...known, columns: merge(known.columns, learned.columns) };
  }
  if (known.kind !== 'array' || learned.kind !== 'array') return known;
  return { ...known, items: { ...known.items, type: mergeTypes(known.items.type, learned.items.type) } };
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
  return [...nodes].flatMap(([name, node]) => toColumn(name, node));
}

/** None for an object or an array in which nothing was seen yet. */
function toColumn(name: string, { kind, columns: nodes, items: node }: Node): Column[] {
  if (kind === 'record') {
    const columns = toColumns(nodes);
    return columns.length === 0 ? [] : [{ name, type: { kind, columns }, nullable: true }];
  }
  if (kind !== 'array') return [{ name, type: { kind }, nullable: true }];
  const [items] = node === undefined ? [] : toColumn('element', node);
  return items === undefined ? [] : [{ name, type: { kind, items }, nullable: true }];
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
