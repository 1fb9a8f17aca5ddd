/** Fetches the S3 server of the strict suite. */
import { STRICT_S3_TOOLS } from '../support/strict-s3.ts';

await STRICT_S3_TOOLS.install();
