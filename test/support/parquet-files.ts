/** Whole Parquet files for tests, made by our encoder. */
import type { Row, RowSchema } from '../../src/codec/rows/row-schema.ts';
import { ParquetFileEncoder, type ParquetFileOptions } from '../../src/codec/parquet/parquet-file.ts';
import type { Table } from './arbitrary-rows.ts';

/** The file of a table; `piece`: rows that are handed over at a time. */
export async function parquetFile(
  { schema, rows }: Table,
  options: Omit<ParquetFileOptions, 'schema'>,
  piece = 500,
): Promise<Buffer> {
  const encoder = new ParquetFileEncoder({ schema, ...options });
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < rows.length; at += piece) pieces.push(...(await encoder.add(rows.slice(at, at + piece))));
  return Buffer.concat([...pieces, ...(await encoder.finish())]);
}

/**
 * Many rows of one schema, so that columns have several pages, and dictionaries that pay, that never do, and that are given
 * up in the middle because they have too many values or too many bytes.
 */
export function manyRows(count: number, fraction: () => number): Table {
  const below = (limit: number) => Math.floor(fraction() * limit);
  const text = (length: number) => Array.from({ length }, () => String.fromCodePoint(97 + below(26))).join('');
  const few = Array.from({ length: 300 }, () => text(20));
  const row = (index: number): Row => [
    BigInt(index) * 1000n + BigInt(below(1000)),
    few[below(5)]!,
    text(30),
    index < 25_000 ? few[below(300)]! : `${index}${text(60)}`,
    index < 25_000 ? below(100) : index,
    fraction() < 0.9 ? null : fraction(),
    index % 1000 < 500,
    below(4) === 0 ? null : Array.from({ length: below(4) }, () => (below(5) === 0 ? null : few[below(300)]!)),
    null,
    'the only one',
    index < 25_000 ? null : few[below(5)]!,
  ];
  return { schema: MANY_ROWS, rows: Array.from({ length: count }, (_, index) => row(index)) };
}

const MANY_ROWS: RowSchema = {
  columns: [
    { name: 'ascending', type: { kind: 'timestamp', unit: 'millis', utc: true }, nullable: false },
    { name: 'few', type: { kind: 'string' }, nullable: true },
    { name: 'unique', type: { kind: 'string' }, nullable: false },
    { name: 'long_later', type: { kind: 'string' }, nullable: true },
    { name: 'many_later', type: { kind: 'int' }, nullable: false },
    { name: 'sparse', type: { kind: 'double' }, nullable: true },
    { name: 'runs', type: { kind: 'boolean' }, nullable: false },
    {
      name: 'list',
      type: { kind: 'array', items: { name: 'element', type: { kind: 'string' }, nullable: true } },
      nullable: true,
    },
    { name: 'none', type: { kind: 'string' }, nullable: true },
    { name: 'one', type: { kind: 'string' }, nullable: false },
    { name: 'few_later', type: { kind: 'string' }, nullable: true },
  ],
};
