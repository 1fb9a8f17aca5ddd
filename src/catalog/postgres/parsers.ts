/**
 * How values of PostgreSQL become values of JavaScript. Its 64-bit and its decimal numbers come as text, since they can be
 * larger than what is exact here; those of the catalog never are, and one that is stops its statement.
 */
import { types, type CustomTypesConfig } from 'pg';
import { withNul } from './nul.ts';

const { INT8, NUMERIC, TEXT } = types.builtins;

/** Sums of 64-bit numbers are decimal ones. */
const PARSERS = new Map<number, (text: string) => unknown>([
  [INT8, exactNumber],
  [NUMERIC, exactNumber],
  [TEXT, withNul],
]);

export const parsers: CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): unknown =>
    PARSERS.get(oid) ?? types.getTypeParser(oid, format),
};

function exactNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new RangeError(`the catalog has a number that is not exact here: ${text}`);
  }
  return value;
}
