// The entry of the image: `service.mjs NAME` runs one service (or the gateway) on the servers that the environment names.
// In a container every service has its health door on the same port, so that one health check fits all.
import { services } from '@driftloop/contracts';
import { healthPortName, variableOf } from '@driftloop/service';

const names = [...services, 'gateway'];
const [name] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(
    `which service? the command of this container is one of ${names.join(', ')}${name ? `, not ${name}` : ''}`,
  );
  process.exit(2);
}
process.env[variableOf(healthPortName(name), 'PORT')] ||= '8080';
await import(`@driftloop/${name}/main`);
