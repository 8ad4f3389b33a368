/** The wall-clock times that jobs live by; no decision reads them. Specs pass shorter ones. */
export class JobTimes {
  /** A lease that is not renewed for this long is taken over. */
  leaseMs = 10_000;
  heartbeatMs = 2_500;
  /** How often an idle worker looks for jobs of other replicas and for stale leases. */
  pollMs = 1_000;
  /** Wait before a job that failed retriably is tried again; doubles each time, up to the longest. */
  backoffMs = 500;
  longestBackoffMs = 30_000;
  /** Retriable failures before a job is given up. */
  retries = 8;
  /** Crashes of the training thread before a job is given up. */
  crashes = 2;
  /** Times that a job's worker may vanish before the job is given up: it may be what kills them. */
  losses = 5;
  /** How often a replay looks whether a due job has ended. */
  waitMs = 40;
}
