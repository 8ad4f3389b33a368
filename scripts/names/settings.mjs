/** How the environment is read: which variables the settings check and what they say of a wrong one, and what holds without any. */

/** `variables` are those that the sources name; ports and addresses are named after services. */
export function settingsOf(variables, { readSettings, defaultPorts, variableOf }) {
  const plain = variables.filter((name) => !name.includes('${'));
  const ports = Object.entries(defaultPorts).map(([name, port]) => [variableOf(name, 'PORT'), port]);
  const addresses = Object.keys(defaultPorts).map((name) => variableOf(name, 'ADDRESS'));
  const known = [...new Set([...plain, ...ports.map(([name]) => name), ...addresses])];
  const faults = (given) => refusals(() => readSettings(given));
  const wrong = Object.fromEntries(known.map((name) => [name, '?']));
  const files = Object.fromEntries(plain.map((name) => [`${name}_FILE`, '/']));
  const checked = [wrong, { ...wrong, DRIFTLOOP_MODE: 'cluster' }, { DRIFTLOOP_MODE: 'cluster' }, files];
  return [
    ...variables,
    ...ports.map(([name, port]) => `${name}: usually ${port}`),
    ...checked.flatMap(faults),
    ...defaultsOf(readSettings({ DRIFTLOOP_REPLICA: 'one' })),
    ...defaultsOf(readSettings({ ...cluster, DRIFTLOOP_REPLICA: 'one' })).map((line) => `cluster ${line}`),
  ];
}

const cluster = {
  ...{ DRIFTLOOP_MODE: 'cluster', KAFKA_BROKERS: 'kafka:1', MONGODB_URI: 'mongodb://mongo' },
  ...{ S3_ENDPOINT: 'http://s3', S3_ACCESS_KEY: 'key', S3_SECRET_KEY: 'secret' },
};

/** What the settings say of each variable that they refuse. */
function refusals(read) {
  try {
    read();
    return [];
  } catch (error) {
    if (!error.details?.faults) throw error;
    // In brackets stands what the operating system said.
    return error.details.faults.map(({ variable, fault }) => `${variable}: ${fault.replace(/ \(.*\)$/, '')}`);
  }
}

function defaultsOf(settings, at = 'default') {
  return Object.entries(settings).flatMap(([name, value]) => {
    const plain = value === null || typeof value !== 'object' || Array.isArray(value) || value.toJSON;
    if (value === undefined) return [];
    return plain ? [`${at} ${name}: ${JSON.stringify(value)}`] : defaultsOf(value, `${at} ${name}`);
  });
}
