/** Values that tell nothing of their column: null, and objects and arrays with nothing but such values in them. */
import { ExactNumber } from './exact-number.ts';
import { MAX_NESTING } from './row-schema.ts';

/** False for what is nested deeper than columns may be. */
export function isEmptyValue(value: unknown, levels = MAX_NESTING): boolean {
  if (value === null) return true;
  if (typeof value !== 'object' || value instanceof ExactNumber || levels === 0) return false;
  const within: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return within.every((item) => isEmptyValue(item, levels - 1));
}
