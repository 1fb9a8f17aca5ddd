/** What compresses the pages of a file. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressSync as compressSnappy } from 'snappy';

export const PARQUET_COMPRESSIONS = ['none', 'snappy', 'gzip', 'zstd'] as const;
export type ParquetCompression = (typeof PARQUET_COMPRESSIONS)[number];

export interface PageCompression {
  /** CompressionCodec of the format. */
  readonly codec: number;
  /** Returns memory of its own, also where it compresses nothing. */
  compress(page: Uint8Array): Uint8Array;
}

export function pageCompression(compression: ParquetCompression): PageCompression {
  switch (compression) {
    case 'none':
      return { codec: 0, compress: (page) => Uint8Array.from(page) };
    case 'snappy':
      // Copied: memory of the module's own would be freed late, by a collection of the whole heap.
      return { codec: 1, compress: (page) => compressSnappy(page, { copyOutputData: true }) };
    case 'gzip':
      return { codec: 2, compress: (page) => gzipSync(page) };
    case 'zstd':
      return { codec: 6, compress: (page) => zstdCompressSync(page) };
  }
}
