/** One record that cannot be brought into the form that its file has. It hurts nobody but that record: see dead letters. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';

  /** `reason` names the member that is wrong and what is wrong with it, for the people who mend the schema. */
  constructor(reason: string) {
    super(reason);
  }
}
