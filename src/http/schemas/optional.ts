/** Members that may be left out. Some clients send null or "" for what they do not set: both count as absent. */
import Type, { type TSchema } from 'typebox';

/** A member that may be missing or null. */
export const optional = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));

/** One of `values`, or a way to say nothing. */
export const choice = <T extends string>(values: readonly T[]) =>
  Type.Optional(Type.Unsafe<T | '' | null>({ enum: [...values, '', null] }));
