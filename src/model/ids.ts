/** Identifiers of streams, apps and dump tasks: 19 letters and digits, as in every DIS example. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const FORM = /^[A-Za-z0-9]{19}$/;

/** Makes an id from `randomBytes(n)`, a source of n uniform bytes. About 113 bits: collisions need no check. */
export function makeId(randomBytes: (size: number) => Uint8Array): string {
  let id = '';
  while (id.length < 19) {
    for (const byte of randomBytes(32)) {
      // 248 is the largest multiple of 62 in a byte: above it the letters would not be equally likely.
      if (byte < 248 && id.length < 19) id += ALPHABET[byte % 62];
    }
  }
  return id;
}

export function isId(text: string): boolean {
  return FORM.test(text);
}
