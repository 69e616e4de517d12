/** Where counts go: a registry of metrics, or a test. Must neither throw nor wait. */
export interface MetricsSink {
  /** Adds `by` (default 1) to a counter, whose name is one of Prometheus' (`pyisolate_…_total`). */
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void
}
