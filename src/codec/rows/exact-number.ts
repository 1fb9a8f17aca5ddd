/**
 * A number that a double would round: it keeps the digits in which it was written. Records have it where JSON.parse would
 * have had a number, but only then.
 */
export class ExactNumber {
  /** As JSON writes a number. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  valueOf(): number {
    return Number(this.text);
  }
}
