/**
 * How numbers of PostgreSQL become numbers of JavaScript: its 64-bit and its decimal ones come as text, since they can
 * be larger than what is exact here. Those of the catalog never are; one that is stops its statement.
 */
import { types, type CustomTypesConfig } from 'pg';

const { INT8, NUMERIC } = types.builtins;
/** Sums of 64-bit numbers are decimal ones. */
const LARGE: readonly number[] = [INT8, NUMERIC];

export const parsersOfNumbers: CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): unknown =>
    LARGE.includes(oid) ? exactNumber : types.getTypeParser(oid, format),
};

function exactNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new RangeError(`the catalog has a number that is not exact here: ${text}`);
  }
  return value;
}
