/** What is in a delivered file, whatever its form, read with nothing of ours. */
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';

/** The records of a file as objects, by the extension of its key. CSV fields stay text; the first line names them. */
export async function readFile(key: string, bytes: Buffer): Promise<Record<string, unknown>[]> {
  const name = key.slice(key.lastIndexOf('/') + 1);
  if (name.endsWith('.parquet')) {
    const file = new Uint8Array(bytes).buffer;
    return parquetReadObjects({ file, compressors: { ZSTD: (input) => zstdDecompressSync(input) } });
  }
  const plain = name.endsWith('.gz') ? gunzipSync(bytes) : name.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes;
  const text = plain.toString();
  if (!/\.csv(\.gz|\.zst)?$/.test(name))
    return lines(text, '\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  const [header = '', ...rest] = lines(text, '\n');
  const names = header.split(',');
  return rest.map((line) => Object.fromEntries(line.split(',').map((field, at) => [names[at]!, field])));
}

function lines(text: string, end: string): string[] {
  return text.split(end).filter((line) => line !== '');
}
