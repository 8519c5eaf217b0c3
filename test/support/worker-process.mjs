/** A worker as `rivulet worker` is one, with the kinds of the tests and in a hurry: node worker-process.mjs OPTIONS. */
import { parseRedisAddress } from '../../dist/src/workers/redis/address.js';
import { Server } from '../../dist/src/workers/redis/serve.js';

const { url, ...options } = JSON.parse(process.argv[2]);
const server = await Server.start({
  address: parseRedisAddress(url, 'test'),
  registry: new URL('./work-kinds.mjs', import.meta.url).href,
  tell: (text) => console.log(text),
  ...options,
});
process.once('SIGTERM', () => server.stop());
console.log('ready');
const { jobs, batches } = await server.ended.catch((error) => {
  console.log(error.message);
  process.exit(2);
});
console.log(`done ${jobs} jobs of ${batches} batches`);
