/**
 * Takes rows apart into the columns of a row group, as Dremel does: every leaf gets an entry for each of its values, and one
 * wherever something above it is null or empty. The definition level tells how much of the path is there, the repetition
 * level at which list or map an entry goes on (0: a new row).
 */
import type { Column, Row, RowRecord, RowSchema, RowValue } from '../rows/row-schema.ts';
import type { ColumnChunk } from './column-chunk.ts';

export class Shredder {
  readonly #nodes: readonly Node[];

  /** `chunks` are those of the schema's leaves, in their order. */
  constructor({ columns }: RowSchema, chunks: readonly ColumnChunk[]) {
    const next = chunks.values();
    this.#nodes = columns.map((column) => nodeOf(column, 0, 0, next));
  }

  /** Adds a row. Returns the bytes it takes, before compression. */
  add(row: Row): number {
    const nodes = this.#nodes;
    let bytes = 0;
    for (let index = 0; index < nodes.length; index += 1) bytes += nodes[index]!.add(row[index]!, 0);
    return bytes;
  }
}

interface Node {
  /** Adds a value, null included, as the first (at the level of the row) or a further one of whatever it is in. */
  add(value: RowValue, repetition: number): number;
  /** Adds that there is nothing here, since something above is null or empty, as the level tells. */
  addNone(repetition: number, definition: number): void;
}

/** `definition` and `repetition` are the levels of what the column is in. */
function nodeOf(column: Column, definition: number, repetition: number, chunks: Iterator<ColumnChunk>): Node {
  const { type, nullable } = column;
  const here = nullable ? definition + 1 : definition;
  const child = (inner: Column, deeper: 0 | 1) => nodeOf(inner, here + deeper, repetition + deeper, chunks);
  if (type.kind === 'record') {
    const names = type.columns.map(({ name }) => name);
    const members = type.columns.map((member) => child(member, 0));
    return new RecordNode(names, members, definition);
  }
  if (type.kind === 'array') return new ArrayNode(child(type.items, 1), definition, here, repetition + 1);
  if (type.kind === 'map') {
    const key = child({ name: 'key', type: { kind: 'string' }, nullable: false }, 1);
    return new MapNode(key, child(type.values, 1), definition, here, repetition + 1);
  }
  return new LeafNode(chunks.next().value as ColumnChunk, definition);
}

class LeafNode implements Node {
  readonly #chunk: ColumnChunk;
  readonly #ifNull: number;

  constructor(chunk: ColumnChunk, ifNull: number) {
    this.#chunk = chunk;
    this.#ifNull = ifNull;
  }

  add(value: RowValue, repetition: number): number {
    if (value !== null) return this.#chunk.add(value, repetition);
    return this.#chunk.addNull(repetition, this.#ifNull);
  }

  addNone(repetition: number, definition: number): void {
    this.#chunk.addNull(repetition, definition);
  }
}

class RecordNode implements Node {
  readonly #names: readonly string[];
  readonly #members: readonly Node[];
  readonly #ifNull: number;

  constructor(names: readonly string[], members: readonly Node[], ifNull: number) {
    this.#names = names;
    this.#members = members;
    this.#ifNull = ifNull;
  }

  add(value: RowValue, repetition: number): number {
    if (value === null) {
      this.addNone(repetition, this.#ifNull);
      return 0;
    }
    const record = value as RowRecord;
    const members = this.#members;
    let bytes = 0;
    for (let index = 0; index < members.length; index += 1) {
      bytes += members[index]!.add(record[this.#names[index]!]!, repetition);
    }
    return bytes;
  }

  addNone(repetition: number, definition: number): void {
    for (const member of this.#members) member.addNone(repetition, definition);
  }
}

class ArrayNode implements Node {
  readonly #items: Node;
  readonly #ifNull: number;
  readonly #ifEmpty: number;
  /** The repetition level of every item but the first. */
  readonly #further: number;

  constructor(items: Node, ifNull: number, ifEmpty: number, further: number) {
    this.#items = items;
    this.#ifNull = ifNull;
    this.#ifEmpty = ifEmpty;
    this.#further = further;
  }

  add(value: RowValue, repetition: number): number {
    const items = value as readonly RowValue[] | null;
    if (items === null || items.length === 0) {
      this.#items.addNone(repetition, items === null ? this.#ifNull : this.#ifEmpty);
      return 0;
    }
    let bytes = this.#items.add(items[0]!, repetition);
    for (let index = 1; index < items.length; index += 1) bytes += this.#items.add(items[index]!, this.#further);
    return bytes;
  }

  addNone(repetition: number, definition: number): void {
    this.#items.addNone(repetition, definition);
  }
}

class MapNode implements Node {
  readonly #keys: Node;
  readonly #values: Node;
  readonly #ifNull: number;
  readonly #ifEmpty: number;
  /** The repetition level of every entry but the first. */
  readonly #further: number;

  constructor(keys: Node, values: Node, ifNull: number, ifEmpty: number, further: number) {
    this.#keys = keys;
    this.#values = values;
    this.#ifNull = ifNull;
    this.#ifEmpty = ifEmpty;
    this.#further = further;
  }

  add(value: RowValue, repetition: number): number {
    const entries = value as ReadonlyMap<string, RowValue> | null;
    if (entries === null || entries.size === 0) {
      this.addNone(repetition, entries === null ? this.#ifNull : this.#ifEmpty);
      return 0;
    }
    let bytes = 0;
    let level = repetition;
    for (const [key, entry] of entries) {
      bytes += this.#keys.add(key, level) + this.#values.add(entry, level);
      level = this.#further;
    }
    return bytes;
  }

  addNone(repetition: number, definition: number): void {
    this.#keys.addNone(repetition, definition);
    this.#values.addNone(repetition, definition);
  }
}
