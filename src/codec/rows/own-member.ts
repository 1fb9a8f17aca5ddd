/** Members of objects whose names come from outside: `constructor` and `__proto__` are names like any other. */

/** Reads the member `name` of an object that JSON or CSV has made; undefined when it has none of its own. */
export type MemberGetter = (members: Readonly<Record<string, unknown>>) => unknown;

/** Knows once and for all whether `name` could be inherited. */
export function memberGetter(name: string): MemberGetter {
  if (name in Object.prototype) return (members) => (Object.hasOwn(members, name) ? members[name] : undefined);
  return (members) => members[name];
}

/** Sets a member of an object's own. */
export function setMember<T>(target: Record<string, T>, name: string, value: T): void {
  if (name !== '__proto__') target[name] = value;
  else Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
}
