/**
 * The floor of a dump: the same bytes, copied from file to file in pieces of 1 MiB, synced at the end.
 *
 *     node copy-floor.ts FROM TO        prints the seconds it took
 */
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';

const PIECE_BYTES = 1024 * 1024;

const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
const from = openSync(process.argv[2]!, 'r');
const begin = performance.now();
const to = openSync(process.argv[3]!, 'w');
for (;;) {
  const length = readSync(from, piece, 0, PIECE_BYTES, null);
  if (length === 0) break;
  for (let written = 0; written < length;) written += writeSync(to, piece, written, length - written);
}
fsyncSync(to);
closeSync(to);
process.stdout.write(`${(performance.now() - begin) / 1000}\n`);
