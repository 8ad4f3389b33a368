/** The running code that names are read from: the one place where it is imported. */
export { compareDecisions, events, fileDescriptors } from '@driftloop/contracts';
export { openHouse } from '@driftloop/embedded';
export { driftloop } from '@driftloop/program';
export { Connection, defaultPorts, metricCatalogue, readSettings, variableOf } from '@driftloop/service';
