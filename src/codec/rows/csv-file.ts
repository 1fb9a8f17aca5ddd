/**
 * Rows as a CSV file: one line a row, quotes as RFC 4180 wants them, UTF-8. Lines end with a line feed, which readers of
 * RFC 4180 and those of lines take alike. Null is an empty field and an empty text `""`; csv-text.ts tells the rest.
 */
import { csvField, quoteText } from './csv-text.ts';
import type { RowFileEncoder } from './file-encoder.ts';
import type { Row, RowSchema } from './row-schema.ts';

const LINE_END = '\n';
/** Characters that are gathered before they become bytes. */
const CHUNK_CHARACTERS = 512 * 1024;

export interface CsvFileOptions {
  readonly schema: RowSchema;
  /** Whether the first line names the columns. */
  readonly header: boolean;
  readonly chunkCharacters?: number;
}

export class CsvFileEncoder implements RowFileEncoder {
  readonly #fields: readonly ReturnType<typeof csvField>[];
  readonly #chunkCharacters: number;
  /** Lines that are not bytes yet. */
  #text: string;

  constructor({ schema: { columns }, header, chunkCharacters = CHUNK_CHARACTERS }: CsvFileOptions) {
    this.#fields = columns.map(csvField);
    this.#chunkCharacters = chunkCharacters;
    this.#text = header ? columns.map(({ name }) => quoteText(name)).join(',') + LINE_END : '';
  }

  async add(rows: readonly Row[]): Promise<readonly Uint8Array[]> {
    const fields = this.#fields;
    const chunks: Uint8Array[] = [];
    let text = this.#text;
    for (const row of rows) {
      let line = fields[0]!(row[0]!);
      for (let index = 1; index < fields.length; index += 1) line += `,${fields[index]!(row[index]!)}`;
      // An empty line would be no row for many readers.
      text += (line === '' ? '""' : line) + LINE_END;
      if (text.length < this.#chunkCharacters) continue;
      chunks.push(Buffer.from(text));
      text = '';
    }
    this.#text = text;
    return chunks;
  }

  async finish(): Promise<readonly Uint8Array[]> {
    const rest = this.#text;
    this.#text = '';
    return rest === '' ? [] : [Buffer.from(rest)];
  }
}
