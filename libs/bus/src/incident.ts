/** What an operator wants to know about a bus. */
export type Incident =
  | { kind: 'paused'; group: string; topic: string; partition: number; id: string; reason: string; retryInMs: number }
  | { kind: 'resumed'; group: string; topic: string; partition: number; id: string; attempts: number }
  | { kind: 'dead'; group: string; topic: string; partition: number; id: string; reason: string }
  | { kind: 'dropped'; topic: string; partition: number; events: number; bytes: number }
  | { kind: 'rejoined'; group: string; reason: string };

export type Report = (incident: Incident) => void;

/** A reporter that fails does not stop the log. */
export function reporter(report: Report | undefined): Report {
  return (incident) => {
    try {
      report?.(incident);
    } catch {
      // told in vain
    }
  };
}
