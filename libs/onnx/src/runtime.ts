/** ONNX Runtime as a process: what it would do beside running graphs. */

/**
 * Keeps ONNX Runtime from telling its makers of this process, which its builds for Node do unless they are told not to: a
 * device id in the home folder, a log in the temporary one, and what is sent. To be called on the main thread before the
 * library is loaded in any: a worker's environment is a copy that native code does not see.
 */
export function disableRuntimeTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY = '1';
}
