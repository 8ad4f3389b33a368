/** Where a running house is, whether it is one process or many. */
export interface Doors {
  /** The folder of the run: the replay's own memory is in it. */
  readonly home: string;
  /** The house's replay credential. */
  readonly replayToken: string;
  /** "host:port" of a service's gRPC door; of several replicas, one after another with commas. */
  address(service: string): string;
  /** The gateway's URL. */
  readonly url: string;
}
