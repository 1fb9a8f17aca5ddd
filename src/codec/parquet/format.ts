/**
 * Numbers of the Parquet format (parquet.thrift of apache/parquet-format) for the parts of it that we write: version 1 data
 * pages, which every reader knows, PLAIN and dictionary encoding, no indexes. A file is
 *
 *   file      = "PAR1" rowGroup* footer footerLength:u32le "PAR1"
 *   rowGroup  = chunk per leaf column: [dictionaryPage] dataPage*
 *   page      = header (Thrift), body (compressed as a whole)
 *   data body = [repetition levels] [definition levels] values; levels = length:u32le, RLE hybrid
 */

export const MAGIC = Buffer.from('PAR1');

export const PhysicalType = {
  boolean: 0,
  int32: 1,
  int64: 2,
  float: 4,
  double: 5,
  byteArray: 6,
  fixed: 7,
} as const;
export type PhysicalType = (typeof PhysicalType)[keyof typeof PhysicalType];

export const Repetition = { required: 0, optional: 1, repeated: 2 } as const;
export type Repetition = (typeof Repetition)[keyof typeof Repetition];

/** What readers older than logical types know instead. */
export const ConvertedType = {
  utf8: 0,
  map: 1,
  list: 3,
  enum: 4,
  decimal: 5,
  date: 6,
  timeMillis: 7,
  timeMicros: 8,
  timestampMillis: 9,
  timestampMicros: 10,
} as const;

export const Encoding = { plain: 0, rle: 3, rleDictionary: 8 } as const;
export type Encoding = (typeof Encoding)[keyof typeof Encoding];

export const PageType = { data: 0, dictionary: 2 } as const;
export type PageType = (typeof PageType)[keyof typeof PageType];

/** Fields of the structs of the footer, by their numbers. */
export const FileMetaData = { version: 1, schema: 2, rows: 3, rowGroups: 4, createdBy: 6, columnOrders: 7 } as const;
export const RowGroup = { columns: 1, bytes: 2, rows: 3, offset: 5, compressedBytes: 6 } as const;
export const ColumnChunk = { fileOffset: 2, metaData: 3 } as const;
export const ColumnMetaData = {
  type: 1,
  encodings: 2,
  path: 3,
  codec: 4,
  values: 5,
  bytes: 6,
  compressedBytes: 7,
  dataPage: 9,
  dictionaryPage: 11,
  statistics: 12,
  encodingStats: 13,
} as const;
