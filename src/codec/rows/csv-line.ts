/** One record of CSV as RFC 4180 has it: a line whose fields may stand in quotes, and must where they contain one. */
import { ConversionError } from '../../model/conversion-error.ts';

/**
 * The fields of `line`, which may end with a line end. A field with nothing in it is null; `""` is an empty text. What is
 * between delimiters is the field, spaces included. Throws ConversionError.
 */
export function splitCsvLine(line: string, delimiter: string): (string | null)[] {
  const text = withoutLineEnd(line);
  if (!text.includes('"')) {
    refuseLineEnds(text);
    const fields: (string | null)[] = text.split(delimiter);
    for (let index = 0; index < fields.length; index += 1) if (fields[index] === '') fields[index] = null;
    return fields;
  }
  const fields: (string | null)[] = [];
  for (let at = 0; ;) {
    const quoted = text.charCodeAt(at) === 0x22;
    const end = quoted ? endOfQuoted(text, at) : endOfPlain(text, at, delimiter);
    if (quoted) fields.push(unquote(text.slice(at + 1, end - 1)));
    else fields.push(plainField(text.slice(at, end)));
    if (end === text.length) return fields;
    if (!text.startsWith(delimiter, end)) throw new ConversionError('CSV: something follows a closing quote');
    at = end + delimiter.length;
  }
}

function withoutLineEnd(line: string): string {
  if (!line.endsWith('\n')) return line;
  return line.slice(0, line.endsWith('\r\n') ? -2 : -1);
}

/** Index after the closing quote. */
function endOfQuoted(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 2)) {
    if (text.charCodeAt(end + 1) !== 0x22) return end + 1;
  }
  throw new ConversionError('CSV: a quote is not closed');
}

function endOfPlain(text: string, at: number, delimiter: string): number {
  const end = text.indexOf(delimiter, at);
  return end < 0 ? text.length : end;
}

function unquote(text: string): string {
  return text.includes('"') ? text.replaceAll('""', '"') : text;
}

function plainField(text: string): string | null {
  if (text.includes('"')) throw new ConversionError('CSV: a quote within a field that does not begin with one');
  refuseLineEnds(text);
  return text === '' ? null : text;
}

function refuseLineEnds(text: string): void {
  if (text.includes('\n') || text.includes('\r')) throw new ConversionError('CSV: more than one line');
}
