/** What the store is told about the bytes of a file. */
import type { DumpSettings } from '../settings/settings.ts';

/** Records of a stream may be anything, so a file of them is no text as far as a browser is concerned. */
const CONTENT_TYPES = {
  text: 'application/octet-stream',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

export function fileHeaders({ fileType, compression }: Pick<DumpSettings, 'fileType' | 'compression'>): {
  readonly contentType: string;
  readonly contentEncoding?: string;
} {
  const contentType = CONTENT_TYPES[fileType];
  const encoded = fileType !== 'parquet' && compression !== 'none';
  return encoded ? { contentType, contentEncoding: compression } : { contentType };
}
