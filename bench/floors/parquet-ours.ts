/**
 * JSON lines to Parquet by the codec of a dump, on one thread: parse, make rows of the schema, encode, write to a file.
 *
 *     node parquet-ours.ts LINES TO AVRO_SCHEMA        prints the seconds it took and the peak RSS in MB
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { ParquetFileEncoder } from '../../src/codec/parquet/parquet-file.ts';
import { parseAvroSchema } from '../../src/codec/rows/avro-schema.ts';
import { memberReader } from '../../src/codec/rows/record-members.ts';
import { compileRows } from '../../src/codec/rows/row-converter.ts';
import type { Row } from '../../src/codec/rows/row-schema.ts';

const ROWS_AT_A_TIME = 500;
const WARM_UP_RECORDS = 20_000;
const LINE_FEED = 0x0a;

const [from = '', to = '', schemaFile = ''] = process.argv.slice(2);
const schema = parseAvroSchema(readFileSync(schemaFile, 'utf8'));
const lines = readFileSync(from);
const starts = [0];
for (let end = lines.indexOf(LINE_FEED); end >= 0; end = lines.indexOf(LINE_FEED, end + 1)) starts.push(end + 1);

await convert(WARM_UP_RECORDS);
const begin = performance.now();
await convert(starts.length - 1);
const seconds = (performance.now() - begin) / 1000;
process.stdout.write(`${seconds} ${(process.resourceUsage().maxRSS * 1024) / 1e6}\n`);

async function convert(count: number): Promise<void> {
  const read = memberReader('JSON', schema, '');
  const toRow = compileRows(schema, 'JSON');
  const encoder = new ParquetFileEncoder({ schema, compression: 'snappy' });
  const file = openSync(to, 'w');
  for (let at = 0; at < count;) {
    const rows: Row[] = [];
    for (; at < count && rows.length < ROWS_AT_A_TIME; at += 1) {
      rows.push(toRow(read(lines, starts[at]!, starts[at + 1]! - 1)));
    }
    for (const piece of await encoder.add(rows)) writeWhole(file, piece);
  }
  for (const piece of await encoder.finish()) writeWhole(file, piece);
  closeSync(file);
}

function writeWhole(file: number, piece: Uint8Array): void {
  for (let written = 0; written < piece.length;) written += writeSync(file, piece, written);
}
