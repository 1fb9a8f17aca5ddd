/** Members of records by name, for paths; dots lead into nested members. */
import { ExactNumber } from '../../codec/rows/exact-number.ts';
import { memberGetter } from '../../codec/rows/own-member.ts';

export type Members = Readonly<Record<string, unknown>>;

/** Reads the member that `path` names; undefined when the record has none. Elements of arrays have no names. */
export function memberReader(path: string): (members: Members) => unknown {
  const getters = path.split('.').map(memberGetter);
  return (members) => {
    let value: unknown = members;
    for (const get of getters) {
      if (typeof value !== 'object' || value === null) return undefined;
      if (Array.isArray(value) || value instanceof ExactNumber) return undefined;
      value = get(value as Members);
    }
    return value;
  };
}
