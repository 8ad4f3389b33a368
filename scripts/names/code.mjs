/** The running code that names are read from: the one place where it is imported. */
export { programOf } from '@driftloop/cli';
export { compareDecisions, events, fileDescriptors } from '@driftloop/contracts';
export { openHouse } from '@driftloop/embedded';
export { Connection, defaultPorts, metricCatalogue, readSettings, variableOf } from '@driftloop/service';
