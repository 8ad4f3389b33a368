export function describeDifferences(_fact: unknown): void {}
