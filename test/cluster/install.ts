/** Fetches what `npm run test:cluster` runs against; says all that is missing on this machine. */
import { KAFKA_JARS } from '../support/kafka-cluster.ts';
import { STRICT_S3_TOOLS } from '../support/strict-s3.ts';

const PARTS: readonly { readonly name: string; readonly install: () => Promise<void> }[] = [
  { name: 'Kafka', install: () => KAFKA_JARS.install() },
  { name: 'SeaweedFS', install: () => STRICT_S3_TOOLS.install() },
];

let missing = false;
for (const { name, install } of PARTS) {
  try {
    await install();
  } catch (error) {
    missing = true;
    console.error(`${name} cannot be installed here:`, (error as Error).message);
  }
}
process.exit(missing ? 1 : 0);
