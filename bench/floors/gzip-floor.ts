/**
 * The floor of a dump in gzip: the same bytes through zlib as Node has it, at the level of the dump, synced at the end.
 *
 *     node gzip-floor.ts FROM TO LEVEL        prints the seconds it took
 */
import { closeSync, createReadStream, createWriteStream, fsyncSync, openSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

const PIECE_BYTES = 1024 * 1024;

const [from = '', to = '', level = ''] = process.argv.slice(2);
const begin = performance.now();
const source = createReadStream(from, { highWaterMark: PIECE_BYTES });
await pipeline(source, createGzip({ level: Number(level), chunkSize: PIECE_BYTES }), createWriteStream(to));
const file = openSync(to, 'r+');
fsyncSync(file);
closeSync(file);
process.stdout.write(`${(performance.now() - begin) / 1000}\n`);
