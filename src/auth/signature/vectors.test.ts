import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCOUNT, openSignatures, verify } from '../../../test/support/signatures.ts';
import { readVectors, VECTOR_FILES } from '../../../test/vectors/vector.ts';
import { isDomainError } from '../../model/errors.ts';

for (const name of VECTOR_FILES) {
  const { client, accessKey, temporaryAccessKey, vectors, ...file } = readVectors(name);
  test(`requests signed by ${client} are taken`, async () => {
    await using rig = await openSignatures({ ...file, permanent: accessKey, temporary: temporaryAccessKey });
    const signatures = rig.make({ unsignedPayload: true });
    for (const vector of vectors) {
      const arriving = { ...vector, projectId: file.projectId, body: Buffer.from(vector.body, 'base64') };
      const principal = await verify(signatures, arriving).catch((error: unknown) => {
        throw new Error(vector.name, { cause: error });
      });
      assert.deepEqual([principal.userName, principal.projectId], [ACCOUNT.user.name, file.projectId]);
      // None of them for want of a difference.
      const changed = { ...arriving, body: Buffer.concat([arriving.body, Buffer.from(' ')]) };
      if (vector.headers['x-sdk-content-sha256'] === undefined) {
        await assert.rejects(verify(signatures, changed), (error) => isDomainError(error, 'SignatureWrong'));
      }
    }
  });
}
